/**
 * Ledger and applier against a GoBetween that keeps ports exclusive: whatever is wished, in whatever order, it comes to
 * be, no port is ever asked for while it is held, and nothing is called that need not be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { conflicts } from '../../src/model/bind.js';
import type { Desired } from '../../src/model/server.js';
import { desire } from '../support/fake-balancer.js';
import { type Rig, type RigOptions, createRig } from '../support/gobetween-rig.js';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const addrs = ['0.0.0.0', '127.0.0.1', '127.0.0.2', '::'];

/** A set of wished servers that can stand side by side: later ones that conflict are left out. */
const wishes = fc
  .array(
    fc.record(
      {
        name: fc.constantFrom(...names),
        proto: fc.constantFrom('tcp', 'udp'),
        addr: fc.constantFrom(...addrs),
        port: fc.integer({ min: 80, max: 84 }),
        version: fc.integer({ min: 1, max: 2 }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 10 },
  )
  .map((rows) => {
    const chosen = new Map<string, Desired>();
    for (const { name, proto, addr, port, version } of rows) {
      const wished = desireAt(name, proto, addr, port, version);
      if (chosen.has(name)) continue;
      if ([...chosen.values()].some((other) => conflicts(other.listen, wished.listen))) continue;
      chosen.set(name, wished);
    }
    return chosen;
  });

function desireAt(name: string, proto: string, addr: string, port: number, version: number): Desired {
  const plain = desire(name, `${proto}:${addr === '::' ? 'six' : addr}:${port}`, version);
  if (addr !== '::') return plain;
  const body = plain.body.replace('"six"', '"::"');
  return { ...plain, listen: { ...plain.listen, addr }, body, digest: body as Desired['digest'] };
}

type Wishes = ReadonlyMap<string, Desired>;

function wish(rig: Rig, wished: Wishes, order: number): void {
  const gone = [...rig.ledger.servers()].map(({ name }) => name).filter((name) => !wished.has(name));
  // A wish of before that was not met yet, and is not a wish any more.
  for (const name of names) if (!wished.has(name) && !gone.includes(name as never)) gone.push(name as never);
  const acts = [() => rig.wish(...wished.values()), () => rig.unwish(...gone)];
  for (const act of order % 2 === 0 ? acts : acts.reverse()) act();
}

function assertServes(rig: Rig, wished: Wishes, what: string): void {
  const serves = Object.fromEntries([...rig.balancer.servers].sort());
  const expected = Object.fromEntries([...wished].map(([name, { body }]) => [name, body] as const).sort());
  assert.deepEqual(serves, expected, what);
}

/** One call for each create and delete, two for each replacement. */
function fewest(before: Wishes, after: Wishes): number {
  let calls = 0;
  for (const name of names) {
    const was = before.get(name)?.digest;
    const is = after.get(name)?.digest;
    if (was !== is) calls += Number(was !== undefined) + Number(is !== undefined);
  }
  return calls;
}

const runs = { numRuns: 150 };
/** Longer than every flap hold that a run can pile up. */
const longMs = 30_000;

for (const concurrency of [1, 8]) {
  test(`from any state to any other: no port overlaps, the fewest calls (${concurrency} at a time)`, async () => {
    await fc.assert(
      fc.asyncProperty(wishes, wishes, fc.nat(3), async (before, after, order) => {
        const rig = createRig({ limits: { concurrency } });
        rig.have(...before.values());
        wish(rig, after, order);
        await rig.clock.advance(longMs);
        assertServes(rig, after, 'the wish is served');
        assert.equal(rig.balancer.busy(), 0, 'no POST met a held port');
        assert.equal(rig.writes().length, fewest(before, after), rig.writes().join(', '));
        assert.equal(rig.applier.pending(), 0);
        assert.deepEqual(rig.ledger.owing(), []);
      }),
      runs,
    );
  });
}

async function follow(rig: Rig, steps: readonly { wished: Wishes; ms: number }[]): Promise<Wishes> {
  let last: Wishes = new Map();
  for (const { wished, ms } of steps) {
    wish(rig, wished, ms);
    last = wished;
    await rig.clock.advance(ms);
  }
  return last;
}

const steps = fc.array(
  fc.record({ wished: wishes, ms: fc.integer({ min: 0, max: 300 }) }, { noNullPrototype: true }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

test('wishes that change while calls are in flight: no port overlaps, the last wish is served', async () => {
  const options: RigOptions = { latencyMs: 20, limits: { concurrency: 3 } };
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const rig = createRig(options);
      const last = await follow(rig, script);
      await rig.clock.advance(60_000);
      assertServes(rig, last, 'the last wish is served');
      assert.equal(rig.balancer.busy(), 0, 'no POST met a held port');
      assert.equal(rig.applier.pending(), 0);
    }),
    runs,
  );
});

test('a stop at any moment leaves no replacement half done', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 0, max: 100 }), async (script, stopMs) => {
      const rig = createRig({ latencyMs: 20, limits: { concurrency: 2 } });
      await follow(rig, script.slice(0, -1));
      await rig.clock.advance(30_000);
      const served = new Set(rig.balancer.servers.keys());
      const last = script.at(-1)?.wished ?? new Map<string, Desired>();
      wish(rig, last, stopMs);
      await rig.clock.advance(stopMs);
      let stopped = false;
      void rig.applier.stop(10_000).then(() => {
        stopped = true;
      });
      await rig.clock.advance(10_000);
      assert.ok(stopped);
      for (const name of served) {
        if (last.has(name)) assert.ok(rig.balancer.servers.has(name), `${name} was left deleted`);
      }
      const calls = rig.balancer.calls.length;
      await rig.clock.advance(60_000);
      assert.equal(rig.balancer.calls.length, calls, 'nothing is sent after the stop');
    }),
    runs,
  );
});

/** Closed twice in a row is a refusal (perform.ts), so that comes once at most. */
const faults = fc.uniqueArray(
  fc.record(
    {
      method: fc.constantFrom('POST' as const, 'DELETE' as const, 'GET' as const),
      outcome: fc.constantFrom(
        'timeout' as const,
        'closed' as const,
        'unreachable' as const,
        'no-files' as const,
        'port-busy' as const,
      ),
      name: fc.constantFrom(...names),
      acts: fc.boolean(),
      times: fc.integer({ min: 1, max: 2 }),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 8, selector: ({ outcome, name }) => (outcome === 'closed' ? outcome : `${outcome} ${name}`) },
);

test('lost answers and failures: once they end and a list was read, the last wish is served', async () => {
  await fc.assert(
    fc.asyncProperty(steps, faults, async (script, failures) => {
      const rig = createRig({ limits: { concurrency: 3 }, reqTimeoutMs: 200, closeLagMs: 3 });
      for (const { method, outcome, times, ...options } of failures) {
        const lost = outcome === 'timeout' || outcome === 'closed' || outcome === 'unreachable';
        rig.balancer.fail(method, outcome, {
          ...options,
          times: outcome === 'closed' ? 1 : times,
          acts: options.acts && lost,
        });
      }
      const last = await follow(rig, script);
      await rig.clock.advance(30_000);
      rig.balancer.heal();
      rig.applier.resume();
      await rig.clock.advance(60_000);
      // What the sweep does: look, then wish again.
      for (let sweep = 0; sweep < 2; sweep++) {
        rig.applier.resume();
        rig.have();
        wish(rig, last, 0);
        await rig.clock.advance(60_000);
      }
      assertServes(rig, last, 'the last wish is served');
      assert.equal(rig.applier.pending(), 0);
    }),
    runs,
  );
});
