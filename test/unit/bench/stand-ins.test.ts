import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { configText, csumOf, firstState, pathOf, serversOf } from '../../../bench/fixture.js';
import { createAgentData } from '../../../bench/stand-ins/agent-data.js';
import { listenAgent } from '../../../bench/stand-ins/agent-socket.js';
import { configChanges, createStream, frame } from '../../../bench/stand-ins/agent-stream.js';
import { createLeanServers } from '../../../bench/stand-ins/gobetween-servers.js';
import { listenLean } from '../../../bench/stand-ins/http-lean.js';
import { startAgent } from '../../../src/sim/agent/agent.js';
import { createCluster } from '../../../src/sim/cluster/cluster.js';
import { startGoBetween } from '../../../src/sim/gobetween/gobetween.js';
import { readFrame } from '../../../src/source/lsnr-patch.js';
import { scanStatus } from '../../../src/source/lsnr-status.js';

const fixture = { services: 5, addr: '127.0.0.1', firstPort: 20_000, dnsPort: 5300 };

/** One request on the raw socket; the answer without its NUL. */
function ask(path: string, request: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let text = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('close', () => resolve(JSON.parse(text.replace(/\0$/, ''))));
    socket.write(`${JSON.stringify(request)}\0`);
  });
}

/** Types and keys, with every value forgotten. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shape(member)]));
}

describe('the lean agent', () => {
  test('answers in the shapes of the simulated one', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bench-agent-'));
    const seen = { actions: new Map<string, number>(), reads: [] };
    const lean = join(dir, 'lean.sock');
    const sim = join(dir, 'sim.sock');
    const data = createAgentData(fixture);
    const server = await listenAgent({
      path: lean,
      data,
      stream: createStream(),
      seen,
      readsPerSecond: () => 0,
    });
    const cluster = createCluster({ name: 'bench', nodes: ['n1', 'n2', 'n3'], dns: ['127.0.0.1'] });
    for (const service of [0, 1])
      cluster.create(pathOf(service), iniOf(service), { nodes: [`n${service + 1}`] });
    const agent = await startAgent({ cluster, node: 'n1', socketPath: sim });
    try {
      const status = { action: 'daemon_status' };
      const [a, b] = await Promise.all([ask(lean, status), ask(sim, status)]);
      for (const where of [
        ['monitor', 'nodes', 'n1', 'services', 'status', pathOf(0)],
        ['monitor', 'nodes', 'n1', 'services', 'config', pathOf(0)],
        ['monitor', 'nodes', 'n2', 'services', 'status', pathOf(1)],
        ['monitor', 'services', pathOf(0)],
        ['cluster'],
      ]) {
        assert.deepEqual(shape(at(a, where)), shape(at(b, where)), where.join('.'));
      }
      for (const [service, node] of [
        [0, undefined],
        [1, 'ANY'],
      ] as const) {
        const options = { path: pathOf(service), format: 'json', evaluate: false };
        const request = { action: 'object_config', method: 'GET', options, node };
        assert.deepEqual(shape(await ask(lean, request)), shape(await ask(sim, request)));
      }
      const whoami = { action: 'whoami', method: 'GET', node: 'ANY' };
      assert.deepEqual(await ask(lean, whoami), await ask(sim, whoami));
      assert.equal(seen.reads.length, 2);
    } finally {
      await agent.stop();
      server.close();
      await rm(dir, { recursive: true, force: true });
    }
  });

  test('shows a change in place, a newcomer and a removal', () => {
    const data = createAgentData(fixture);
    assert.equal(csums(data.status()).get('ns1/svc/web1'), csumOf(1, 0));
    data.change(1, '8080/tcp-127.0.0.1:9000');
    assert.equal(csums(data.status()).get('ns1/svc/web1'), csumOf(1, 1));
    data.add(7);
    data.remove(0);
    assert.deepEqual([...csums(data.status()).keys()].sort(), [
      'ns1/svc/web1',
      'ns2/svc/web2',
      'ns3/svc/web3',
      'ns4/svc/web4',
      'ns7/svc/web7',
    ]);
    assert.match(data.config(1), /"8080\/tcp-127\.0\.0\.1:9000"/);
  });

  test('sends frames that the janitor understands', () => {
    const read = readFrame(frame(configChanges(3, 9)).slice(0, -1));
    assert.deepEqual(read?.hints, [{ kind: 'config', key: 'ns3/svc/web3', csum: csumOf(3, 9), node: 'n1' }]);
  });
});

describe('the lean GoBetween', () => {
  test('answers as the simulated one', async () => {
    const servers = createLeanServers();
    const names = [0, 1].flatMap((service) => serversOf(fixture, service, firstState(fixture, service)));
    const sim = await startGoBetween();
    try {
      for (const { name, body } of names) {
        assert.equal(servers.create(name, body), null);
        assert.equal((await post(sim.url, name, body)).status, 200);
      }
      const [first] = names;
      assert.ok(first);
      const again = await post(sim.url, first.name, first.body);
      assert.equal(again.text, JSON.stringify(servers.create(first.name, first.body)));
      const busy = await post(sim.url, 'other', first.body);
      assert.equal(busy.text, JSON.stringify(servers.create('other', first.body)));
      assert.equal(await text(`${sim.url}/servers`), servers.list());
      assert.equal(
        await text(`${sim.url}/servers/${encodeURIComponent(first.name)}`),
        servers.show(first.name),
      );
      servers.remove(first.name);
      assert.equal(servers.show(first.name), 'null');
      assert.equal(servers.create('other', first.body), null);
    } finally {
      await sim.exit();
    }
  });

  test('takes requests however they are cut, and in a row', async () => {
    const paths: string[] = [];
    const lean = await listenLean(0, (method, path, body) => {
      paths.push(`${method} ${path} ${body}`);
      return { status: 200, body: 'x'.repeat(body.length === 0 ? 5000 : 1) };
    });
    try {
      const url = `http://127.0.0.1:${lean.port}`;
      assert.equal((await text(`${url}/servers`)).length, 5000);
      const socket = connect({ host: '127.0.0.1', port: lean.port });
      const one = 'POST /servers/é HTTP/1.1\r\ncontent-length: 2\r\n\r\né';
      for (const byte of Buffer.from(one + one)) {
        socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      while (paths.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      socket.destroy();
      assert.equal(paths[1], paths[2]);
      assert.ok(paths[1]?.endsWith(' é'));
    } finally {
      await lean.close();
    }
  });
});

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((here, step) => (here as Record<string, unknown>)[step], value);
}

function iniOf(service: number): string {
  const sections = JSON.parse(configText(service, firstState(fixture, service), 5300)) as Record<
    string,
    Record<string, string>
  >;
  return Object.entries(sections)
    .filter(([name]) => name !== 'metadata')
    .map(([name, keywords]) => {
      const lines = Object.entries(keywords).map(([keyword, value]) => `${keyword} = ${value}`);
      return [`[${name}]`, ...lines, ''].join('\n');
    })
    .join('\n');
}

function csums(bytes: Buffer): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const status = bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
  assert.ok(scanStatus(status, 'n1', ({ key, csums: [own] }) => found.set(key, own?.[1])).ok);
  return found;
}

async function post(url: string, name: string, body: string) {
  const answer = await fetch(`${url}/servers/${encodeURIComponent(name)}`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text() };
}

const text = async (url: string): Promise<string> => (await fetch(url)).text();
