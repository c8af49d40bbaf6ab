/** The client, the applier and the watch against a real GoBetween; set GOBETWEEN_BIN to run it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/clock.js';
import { createApplier } from '../../src/gobetween/applier.js';
import { createClient } from '../../src/gobetween/client.js';
import { createGuardedBalancer } from '../../src/gobetween/guard.js';
import { createLedger } from '../../src/gobetween/ledger.js';
import type { Answer, Balancer } from '../../src/gobetween/outcome.js';
import { createWatch } from '../../src/gobetween/watch.js';
import type { Desired, Digest, Observed, ServerName } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';
import { type RealGoBetween, freePorts, listenOn, startRealGoBetween } from '../support/gobetween-binary.js';

const binary = process.env['GOBETWEEN_BIN'];
const skip = binary === undefined ? 'GOBETWEEN_BIN is not set: nothing was tried on a real GoBetween' : false;
if (skip !== false) console.log(`# SKIPPED: ${skip}`);

interface Shown {
  readonly bind: string;
  readonly max_connections: number;
}

const digestOf = (bind: string, limit: number): Digest => `${bind} ${limit}` as Digest;

function wished(name: string, port: number, limit = 0): Desired {
  const bind = `127.0.0.1:${port}`;
  const discovery = { kind: 'static', interval: '5s', static_list: ['127.0.0.1:9'] };
  return {
    name: name as ServerName,
    key: `root/svc/${name}` as ServiceKey,
    listen: { proto: 'tcp', addr: '127.0.0.1', port },
    digest: digestOf(bind, limit),
    body: JSON.stringify({ bind, max_connections: limit, protocol: 'tcp', discovery }),
    lookupServer: '',
  };
}

function parse(text: string): readonly Observed[] {
  return Object.entries(JSON.parse(text) as Record<string, Shown>).map(([name, shown]) => ({
    name: name as ServerName,
    key: `root/svc/${name}` as ServiceKey,
    owned: true,
    historical: false,
    listen: { proto: 'tcp', addr: '127.0.0.1', port: Number(shown.bind.split(':')[1]) },
    digest: digestOf(shown.bind, shown.max_connections),
    lookupServer: '',
    canonical: JSON.stringify(shown),
  }));
}

const text = ({ value = new Uint8Array() }: Answer<Uint8Array>): string => Buffer.from(value).toString();

describe('a real GoBetween', { skip }, () => {
  let real: RealGoBetween;
  let client: Balancer;

  before(async () => {
    real = await startRealGoBetween(binary ?? '');
    client = createClient({ url: real.url, clock: systemClock, reqTimeoutMs: 5000, concurrency: 8 });
  });
  after(async () => {
    await client.close();
    await real.stop();
  });

  test('answers as the client expects', async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const { body } = wished('_80._tcp.a.ns.svc@127.0.0.1:80', port);
    const name = '_80._tcp.a.ns.svc@127.0.0.1:80';
    const { value } = await client.status();
    assert.ok(value !== undefined && value.pid > 0 && value.startTime !== '');
    assert.equal((await client.get(name)).value?.trim(), 'null');
    assert.equal((await client.stats(name)).value, null);
    assert.equal((await client.create(name, body)).outcome, 'ok');
    assert.equal((await client.create(name, body)).outcome, 'exists');
    assert.equal((await client.create('b', body)).outcome, 'port-busy');
    assert.deepEqual(Object.keys(JSON.parse(text(await client.list())) as object), [name]);
    const stats = await client.stats(name);
    assert.equal(stats.value?.rxSecond, 0);
    const edit = (change: object): string => JSON.stringify({ ...(JSON.parse(body) as object), ...change });
    const here = { bind: `127.0.0.1:${other}` };
    const nowhere = { cert_path: '/nonexistent/c', key_path: '/nonexistent/k' };
    const refusals = [
      [{ bind: '192.0.2.1:9999' }, 'no-address'],
      [{ ...here, protocol: 'tls', tls: nowhere }, 'file-error'],
      [{ ...here, balance: 'wheel' }, 'invalid'],
      [{ ...here, max_connections: 'x' }, 'invalid'],
      [{ ...here, discovery: { kind: 'SRV' } }, 'closed'],
    ] as const;
    for (const [change, outcome] of refusals)
      assert.equal((await client.create('c', edit(change))).outcome, outcome, JSON.stringify(change));
    assert.equal((await client.remove(name)).outcome, 'ok');
    assert.equal((await client.remove(name)).outcome, 'ok');
    assert.equal(text(await client.list()).trim(), '{}');
  });

  test('40 servers come, rotate their ports, meet a restart, and go', async (t) => {
    const ports = await freePorts(40);
    const ledger = createLedger(systemClock);
    const failures: string[] = [];
    const told: string[] = [];
    const applier = createApplier(
      {
        balancer: createGuardedBalancer(client, () => 'sync'),
        ledger,
        clock: systemClock,
        random: { next: () => 0.5 },
        parse: (name, shown) => parse(`{${JSON.stringify(name)}:${shown}}`)[0] ?? null,
        on: {
          failed: ({ name, outcome, detail }) => failures.push(`${name} ${outcome} ${detail}`),
        },
        restless: () => false,
      },
      { rate: 0, replaceRate: 0, concurrency: 8, quietWaitMs: 5000 },
    );
    let wishes: Desired[] = [];
    const wish = (next: Desired[]): void => {
      wishes = next;
      applier.submit(
        next.map((desired) => {
          const { observed } = ledger.state(desired.name);
          return observed === null
            ? { kind: 'create', key: desired.key, desired, reason: 'new' }
            : { kind: 'replace', key: desired.key, desired, before: observed, reason: 'edited' };
        }),
      );
    };
    const watch = createWatch(
      {
        balancer: client,
        ledger,
        clock: systemClock,
        random: { next: () => 0.5 },
        observe: async (list) => parse(Buffer.from(list).toString()),
        on: {
          onSweep: () => undefined,
          onRestart() {
            told.push('restart');
            wish(wishes);
          },
          onUp(up) {
            told.push(up ? 'up' : 'down');
            if (!up) return applier.pause('outage');
            wish(wishes);
            applier.resume('outage');
          },
        },
      },
      { sweepMs: 30_000 },
    );
    const serves = async (): Promise<string[]> =>
      parse(text(await client.list())).map(({ name, digest }) => `${name} ${digest}`);
    const expected = (): string[] => wishes.map(({ name, digest }) => `${name} ${digest}`).sort();

    t.after(async () => {
      watch.stop();
      await applier.stop(1000);
    });
    watch.start();
    await watch.sweepNow();
    wish(ports.map((port, i) => wished(`s${i}`, port)));
    await applier.idle();
    assert.deepEqual((await serves()).sort(), expected());

    wish(ports.map((_, i) => wished(`s${i}`, ports[(i + 1) % 40] ?? 0, 1)));
    await applier.idle();
    assert.deepEqual((await serves()).sort(), expected());
    assert.equal(failures.join(), '');

    await real.kill();
    await real.start();
    for (let tries = 0; tries < 50 && (!told.includes('restart') || applier.pending() > 0); tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(told.includes('restart'), told.join());
    await applier.idle();
    assert.deepEqual((await serves()).sort(), expected());

    const blocker = await listenOn((await freePorts(1))[0] ?? 0);
    const { port } = blocker.address() as { port: number };
    wish([...wishes, wished('late', port)]);
    await applier.idle();
    assert.ok(
      failures.some((line) => line.startsWith('late port-busy')),
      failures.join(),
    );
    await new Promise((resolve) => blocker.close(resolve));
    await new Promise((resolve) => setTimeout(resolve, 2600));
    assert.equal(ledger.state('late' as ServerName).applied, digestOf(`127.0.0.1:${port}`, 0));

    applier.submit(
      [...ledger.servers()].map((observed) => ({
        kind: 'delete',
        key: observed.key,
        name: observed.name,
        before: observed,
        reason: 'word-removed',
      })),
    );
    await applier.idle();
    assert.deepEqual(await serves(), []);
  });
});
