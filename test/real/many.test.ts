/** 200 services of a real agent converge, and the agent is asked little: 1.1 config reads a service, and the polls. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { askTcp } from '../../src/sim/world-traffic.js';
import { isFree } from '../../src/sim/world-ports.js';
import { pause } from '../../src/sim/world-wait.js';
import { ini } from '../support/real-agent.js';
import {
  countRequests,
  type RealWorld,
  realTest,
  shareRealWorld,
  startJanitor,
} from '../support/real-world.js';
import { binds, eventually } from '../support/world.js';

const count = 200;
/** One in twenty has a reference in its bind, which takes a second read. */
const referring = 20;
const names = Array.from({ length: count }, (_, index) => `s${index}`);
const server = (name: string): string => `_8080._tcp.${name}.ns1.svc`;

/** 200 neighbouring ports that are free now, below the ephemeral ones. */
async function freeBlock(): Promise<number> {
  for (let from = 10_000 + Math.floor(Math.random() * 10_000); ; from += count) {
    const free = await Promise.all(names.map((_, index) => isFree(from + index)));
    if (free.every(Boolean)) return from;
  }
}

function configOf(index: number, firstPort: number): string {
  const bind = `8080/tcp-127.0.0.1:${firstPort + index}`;
  const env =
    index % referring === 0 ? { igw_gobtw_bind: '{env.where}', where: bind } : { igw_gobtw_bind: bind };
  // An id of its own: an agent writes one into each config that lacks it, which is one more change.
  return ini({ DEFAULT: { nodes: 'n1', id: randomUUID() }, env });
}

const world = shareRealWorld();

/** The counts of what passed between two moments. */
function since(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(after).map(([action, n]) => [action, n - (before[action] ?? 0)]));
}

async function waitServed(real: RealWorld, wanted: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now();
  const missing = async (): Promise<readonly string[]> => {
    const served = await binds(real);
    return Object.keys(wanted).filter((name) => served[name] !== wanted[name]);
  };
  await eventually(async () => assert.equal((await missing()).length, 0, 'services not served'), 90_000);
  return (performance.now() - startedAt) / 1000;
}

realTest('200 services converge with at most 1.1 config reads each', 115_000, async (t) => {
  const real = await world();
  const proxy = await countRequests(t, real);
  const firstPort = await freeBlock();
  const janitor = startJanitor(t, real, { socket: proxy.socketPath });
  await janitor.ready();
  const wanted = Object.fromEntries(names.map((name, i) => [server(name), `127.0.0.1:${firstPort + i}`]));
  const start = proxy.counts();

  // The first has a backend and comes alone: of 200 at once the agent looks at one instance after the other, for minutes.
  const [first = '', ...others] = names.map((name) => `ns1/svc/${name}`);
  const address = { type: 'host', ipname: await real.backend(first), ipdev: 'lo', netmask: '32' };
  await real.agent.writeConfig(
    first,
    configOf(0, firstPort) + ini({ 'ip#1': { ...address, expose: '8080/tcp' } }),
  );
  await eventually(async () => assert.equal((await askTcp(firstPort)).ok, true), 30_000);
  await Promise.all(others.map((path, i) => real.agent.dropConfig(path, configOf(i + 1, firstPort))));
  await real.agent.wake();
  const seconds = await waitServed(real, wanted);
  await pause(5000);
  const asked = since(start, proxy.counts());
  console.log(`# ${count} services in ${seconds.toFixed(1)} s; asked the agent: ${JSON.stringify(asked)}`);
  assert.ok((asked['object_config'] ?? 0) <= count * 1.1, 'reads while it converges');
  assert.equal(asked['object_action'] ?? 0, 0);
  assert.deepEqual(real.writes(), { posts: count, deletes: 0 });
  await eventually(async () => assert.equal((await askTcp(firstPort)).ok, true), 20_000);

  // A second start reads each once more, and calls nothing.
  janitor.signal('SIGTERM');
  await janitor.exited;
  const again = proxy.counts();
  await startJanitor(t, real, { socket: proxy.socketPath }).ready(60_000);
  const second = since(again, proxy.counts());
  console.log(`# a second start asked the agent: ${JSON.stringify(second)}`);
  assert.ok((second['object_config'] ?? 0) <= count * 1.1 + 1, 'reads of a second start');
  assert.deepEqual(real.writes(), { posts: count, deletes: 0 });
});
