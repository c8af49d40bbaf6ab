/**
 * GoBetween's own metrics for a world whose GoBetween is the stand-in: names and labels of src/metrics/metrics.go, values from
 * its list of servers. Only their shape counts here.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { World } from '../../src/sim/world.js';

const ofServers = ['active_connections', 'rx_total', 'tx_total', 'rx_second', 'tx_second'];
const ofBackends = [
  ...['active_connections', 'refused_connections', 'total_connections'],
  ...['rx_bytes', 'tx_bytes', 'rx_second', 'tx_second', 'live'],
];

/** `addr:port` of its /metrics, until the test ends. */
export async function startExporter(t: TestContext, world: Pick<World, 'servers'>): Promise<string> {
  const server = createServer((_request, response) => {
    world.servers().then(
      (servers) => response.end(exposition(Object.keys(servers))),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function exposition(servers: readonly string[]): string {
  const lines = servers.flatMap((server) => [
    ...ofServers.map((name) => `gobetween_server_${name}{server="${server}"} 1`),
    ...ofBackends.map((name) => `gobetween_backend_${name}{server="${server}",host="10.0.0.1",port="80"} 1`),
  ]);
  return `${lines.join('\n')}\n`;
}
