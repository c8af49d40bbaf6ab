import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Ledger, createLedger } from '../../../src/gobetween/ledger.js';
import { type Watch, createWatch } from '../../../src/gobetween/watch.js';
import { type FakeBalancer, createFakeBalancer, desire, parseFake } from '../../support/fake-balancer.js';
import { type FakeClock, createFakeClock } from '../../support/fake-clock.js';

interface Setting {
  readonly clock: FakeClock;
  readonly balancer: FakeBalancer;
  readonly ledger: Ledger;
  readonly watch: Watch;
  readonly told: string[];
  readonly lists: () => number[];
}

function setUp(options: { latencyMs?: number; sweepMs?: number; observe?: typeof parseFake } = {}): Setting {
  const clock = createFakeClock();
  const balancer = createFakeBalancer(clock, { latencyMs: options.latencyMs ?? 1 });
  const ledger = createLedger(clock);
  const told: string[] = [];
  const watch = createWatch(
    {
      balancer,
      ledger,
      clock,
      random: { next: () => 0.5 },
      observe: async (list) => (options.observe ?? parseFake)(Buffer.from(list).toString()),
      on: {
        onSweep: ({ missing, mutated, extra }, first) =>
          told.push(
            `sweep${first ? ' first' : ''} missing[${missing.join()}] mutated[${mutated.join()}] extra[${extra.join()}]`,
          ),
        onRestart: () => told.push('restart'),
        onUp: (up, outcome) => told.push(up ? 'up' : `down ${outcome}`),
        onSweepFailed: (outcome) => told.push(`sweep failed ${outcome}`),
      },
    },
    { sweepMs: options.sweepMs ?? 30_000 },
  );
  const lists = (): number[] =>
    balancer.calls.filter(({ method }) => method === 'LIST').map(({ atMs }) => Math.round(atMs / 100) / 10);
  return { clock, balancer, ledger, watch, told, lists };
}

const one = desire('a', '0.0.0.0:80', 1);
const two = desire('a', '0.0.0.0:80', 2);
const quiet = 'sweep missing[] mutated[] extra[]';

function applied(ledger: Ledger, ...desired: (typeof one)[]): void {
  for (const each of desired) {
    ledger.begin(each.name);
    ledger.created(each.name, each);
    ledger.end(each.name);
  }
}

describe('sweeps', () => {
  test('one at the start, one 2 s later (the fence), then each --sweep less a little', async () => {
    const { clock, watch, told, lists, balancer } = setUp();
    balancer.servers.set('a', one.body);
    watch.start();
    await clock.advance(100);
    assert.deepEqual(told, ['up', 'sweep first missing[] mutated[] extra[a]']);
    await clock.advance(60_000);
    assert.deepEqual(lists(), [0, 2, 29, 56]);
    watch.stop();
    const calls = balancer.calls.length;
    await clock.advance(60_000);
    assert.equal(balancer.calls.length, calls);
  });

  test('tell what differs from what we applied: missing, mutated, extra', async () => {
    const { clock, watch, told, ledger, balancer } = setUp();
    watch.start();
    await clock.advance(3000);
    const b = desire('b', '0.0.0.0:81');
    const c = desire('c', '0.0.0.0:82');
    for (const each of [one, b]) balancer.servers.set(each.name, each.body);
    applied(ledger, one, b);
    balancer.servers.delete('b');
    balancer.servers.set('a', two.body);
    balancer.servers.set('c', c.body);
    balancer.servers.set('foreign1', desire('foreign1', '0.0.0.0:83').body);
    told.length = 0;
    void watch.sweepNow();
    await clock.advance(100);
    assert.deepEqual(told, ['sweep missing[b] mutated[a] extra[c]']);
    assert.deepEqual([...ledger.servers()].map(({ name }) => name as string).sort(), ['a', 'c', 'foreign1']);
    assert.deepEqual(
      ledger.byKey(c.key).map(({ name }) => name as string),
      ['c'],
    );
    assert.equal(ledger.size(), 2);
  });

  test('a write of ours during a slow list is no drift', async () => {
    const { clock, watch, told, ledger, balancer } = setUp({ latencyMs: 500 });
    balancer.servers.set('gone', desire('gone', '0.0.0.0:99').body);
    watch.start();
    await clock.advance(10_000);
    applied(ledger, desire('gone', '0.0.0.0:99'));
    told.length = 0;
    // The list answers with what GoBetween has at 500 ms; the ledger hears of these writes before and after.
    const swept = watch.sweepNow();
    await clock.advance(100);
    applied(ledger, one); // our POST, not in the list
    ledger.begin(desire('gone', '0.0.0.0:99').name);
    ledger.deleted(desire('gone', '0.0.0.0:99').name); // our DELETE, still in the list
    await clock.advance(600);
    assert.equal(await swept, true);
    assert.deepEqual(told, [quiet]);
    assert.equal(ledger.state(one.name).observed?.digest, one.digest);
    assert.equal(ledger.state(desire('gone', '0.0.0.0:99').name).observed, null);
  });

  test('one list in flight; who asks meanwhile gets one that began after', async () => {
    const { clock, watch, balancer, lists } = setUp({ latencyMs: 1000 });
    watch.start();
    await clock.advance(10_000);
    const before = lists().length;
    const all = [watch.sweepNow(), watch.sweepNow(), watch.sweepNow()];
    await clock.advance(500);
    balancer.servers.set('a', one.body);
    await clock.advance(5000);
    assert.deepEqual(await Promise.all(all), [true, true, true]);
    assert.equal(lists().length - before, 2);
  });

  test('a list that costs much is asked for less often: a tenth of the time', async () => {
    const { clock, watch, lists } = setUp({ latencyMs: 9000 });
    watch.start();
    await clock.advance(600_000);
    const gaps = lists()
      .slice(2)
      .map((s, i) => s - (lists()[i + 1] ?? 0));
    assert.ok(gaps.length >= 4);
    assert.ok(
      gaps.every((s) => s >= 81),
      gaps.join(),
    );
  });

  test('a list that cannot be read changes nothing, and is tried again soon', async () => {
    let readable = true;
    const { clock, watch, told, ledger } = setUp({ observe: (text) => (readable ? parseFake(text) : null) });
    watch.start();
    await clock.advance(3000);
    applied(ledger, one);
    readable = false;
    told.length = 0;
    assert.equal(await Promise.all([watch.sweepNow(), clock.advance(100)]).then(([ok]) => ok), false);
    assert.deepEqual(told, ['sweep failed invalid']);
    assert.equal(ledger.state(one.name).observed?.digest, one.digest);
    readable = true;
    await clock.advance(6000);
    assert.equal(told.at(-1), 'sweep missing[a] mutated[] extra[]');
  });
});

describe('restart', () => {
  test('another start time: everything is forgotten, swept at once, and told before the sweep', async () => {
    const { clock, watch, told, ledger, balancer } = setUp();
    balancer.servers.set('a', one.body);
    watch.start();
    await clock.advance(3000);
    applied(ledger, one);
    told.length = 0;
    balancer.restart();
    await clock.advance(1100);
    assert.deepEqual(told, ['restart', quiet]);
    assert.deepEqual(ledger.state(one.name), { observed: null, applied: null, inFlight: false });
    await clock.advance(2000);
    assert.deepEqual(told, ['restart', quiet, quiet], 'and once more');
  });

  test('a connection that is cut is looked into at once, once a second at most, and not of a silent one', async () => {
    const { clock, watch, told, balancer } = setUp();
    const asked: number[] = [];
    const { status } = balancer;
    balancer.status = () => {
      asked.push(clock.now());
      return status.call(balancer);
    };
    watch.start();
    await clock.advance(3100);
    told.length = 0;
    balancer.restart();
    watch.suspect();
    await clock.advance(10);
    assert.deepEqual(told, ['restart', quiet]);
    asked.length = 0;
    for (let i = 0; i < 90; i += 1) {
      watch.suspect();
      await clock.advance(10);
    }
    assert.equal(asked.length, 0, 'asked less than a second ago');
    await clock.advance(1000);
    balancer.hang(true);
    await clock.advance(60_000);
    asked.length = 0;
    for (let i = 0; i < 100; i += 1) {
      watch.suspect();
      await clock.advance(100);
    }
    assert.ok(asked.length <= 3, `${asked.length} in ten seconds of silence`);
    watch.stop();
    watch.suspect();
    await clock.advance(10_000);
  });

  test('a refused connection forgets at once; the return is told within a second of short outages', async () => {
    const { clock, watch, told, ledger, balancer } = setUp();
    watch.start();
    await clock.advance(3000);
    applied(ledger, one);
    told.length = 0;
    balancer.down(true);
    await clock.advance(1100);
    assert.deepEqual(told, ['down unreachable']);
    assert.equal(watch.up(), false);
    assert.equal(ledger.state(one.name).observed, null);
    balancer.restart();
    balancer.down(false);
    await clock.advance(1000);
    assert.deepEqual(told, ['down unreachable', 'restart', 'up', quiet]);
    assert.equal(watch.up(), true);
  });

  test('a GoBetween that was not there at our start is no restart', async () => {
    const { clock, watch, told, balancer } = setUp();
    balancer.down(true);
    watch.start();
    await clock.advance(20_000);
    assert.deepEqual(told, ['down unreachable']);
    balancer.down(false);
    await clock.advance(5100);
    assert.deepEqual(told.slice(0, 3), ['down unreachable', 'up', 'sweep first missing[] mutated[] extra[]']);
  });
});

describe('hang', () => {
  test('two time-outs are an outage; nothing piles up; on return a sweep, and one more 2 s later', async () => {
    const { clock, watch, told, balancer, ledger, lists } = setUp();
    watch.start();
    await clock.advance(3000);
    balancer.servers.set('a', one.body);
    applied(ledger, one);
    told.length = 0;
    balancer.hang(true);
    await clock.advance(60_000);
    assert.deepEqual(
      told.filter((line) => !line.startsWith('sweep failed')),
      ['down timeout'],
    );
    assert.equal(ledger.state(one.name).observed?.digest, one.digest, 'a hang is no restart');
    balancer.hang(false);
    const before = lists().length;
    told.length = 0;
    await clock.advance(11_000);
    assert.deepEqual(told, ['up', quiet, quiet]);
    const [first = 0, second = 0] = lists().slice(before);
    assert.equal(Math.round(second - first), 2);
  });

  test('one slow status is no outage', async () => {
    const { clock, watch, told, balancer } = setUp();
    watch.start();
    await clock.advance(3000);
    told.length = 0;
    balancer.fail('STATUS', 'timeout');
    await clock.advance(10_000);
    assert.deepEqual(told, []);
  });

  test('a wrong password is told as what it is', async () => {
    const { clock, watch, told, balancer } = setUp();
    balancer.fail('STATUS', 'unauthorized', { times: 3 });
    watch.start();
    await clock.advance(100);
    assert.deepEqual(told, ['down unauthorized']);
    await clock.advance(5000);
    assert.ok(told.includes('up'));
  });

  test('distrust: down until a sweep succeeds', async () => {
    const { clock, watch, told } = setUp();
    watch.start();
    await clock.advance(5000);
    told.length = 0;
    watch.distrust();
    watch.distrust();
    await clock.advance(1100);
    assert.deepEqual(told, ['down timeout', 'up', quiet]);
  });
});
