import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../../../src/clock.js';
import { createConcurrency } from '../../../src/gobetween/concurrency.js';
import type { Outcome } from '../../../src/gobetween/outcome.js';
import type { Random } from '../../../src/random.js';
import { seeded } from '../../support/agent-frames.js';

/** How long one creation takes that begins now, with so many in flight, itself included. */
type Balancer = (at: { readonly nowMs: number; readonly inFlight: number; readonly random: Random }) => {
  readonly ms: number;
  readonly outcome?: Outcome;
};

interface Seen {
  /** Creations a second. */
  readonly rate: number;
  /** The limit over time, as [milliseconds, limit]. */
  readonly limits: readonly (readonly [ms: number, limit: number])[];
  readonly last: number;
}

/** A backlog without end against a modelled GoBetween; `setting` alone when not adaptive. */
function run(
  balancer: Balancer,
  { setting = 8, forMs = 10_000, adaptive = true, seed = 1, counts = true } = {},
): Seen {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, wall: () => nowMs, after: () => () => undefined };
  const random = seeded(seed);
  const limits: [number, number][] = [];
  const concurrency = createConcurrency(clock, setting, (limit) => limits.push([nowMs, limit]));
  const running: { readonly endMs: number; readonly end: () => void }[] = [];
  let done = 0;
  while (nowMs < forMs) {
    while (running.length < (adaptive ? concurrency.limit() : setting)) {
      const told = concurrency.begin(counts);
      const { ms, outcome = 'ok' } = balancer({ nowMs, inFlight: running.length + 1, random });
      running.push({ endMs: nowMs + ms, end: () => told(outcome) });
    }
    const next = running.reduce((first, each) => (each.endMs < first.endMs ? each : first));
    running.splice(running.indexOf(next), 1);
    nowMs = next.endMs;
    done += 1;
    next.end();
    const limit = concurrency.limit();
    assert.ok(limit >= 1 && limit <= setting, `${limit}`);
  }
  return { rate: (done * 1000) / nowMs, limits, last: concurrency.limit() };
}

/** Times vary as measured ones do: most near the middle, one in a hundred thirty times as long. */
const varied = ({ random }: { readonly random: Random }): number =>
  random.next() < 0.01 ? 30 : 0.5 + random.next() + (random.next() < 0.2 ? 1 : 0);

/** As many at a time as `lanes`, each `ms` long. */
function withLanes(lanes: number, ms: number): Balancer {
  const freeMs = Array<number>(lanes).fill(0);
  return (at) => {
    const lane = freeMs.indexOf(Math.min(...freeMs));
    const endMs = Math.max(at.nowMs, freeMs[lane] ?? 0) + ms * varied(at);
    freeMs[lane] = endMs;
    return { ms: endMs - at.nowMs };
  };
}

/** Throughput by requests in flight, between the given ones in proportion; latency follows from it. */
const measured =
  (perSecond: Readonly<Record<number, number>>): Balancer =>
  (at) => {
    const points = Object.entries(perSecond).map(([n, rate]) => [Number(n), rate] as const);
    const above = points.find(([n]) => n >= at.inFlight) ?? points.at(-1) ?? [1, 1];
    const below = points.findLast(([n]) => n <= at.inFlight) ?? above;
    const share = above[0] === below[0] ? 0 : (at.inFlight - below[0]) / (above[0] - below[0]);
    const rate = below[1] + share * (above[1] - below[1]);
    return { ms: (at.inFlight / rate) * 1000 * (varied(at) / 1.19) };
  };

const fixed = (balancer: Balancer, setting = 8): number => run(balancer, { setting, adaptive: false }).rate;

describe('where it settles', () => {
  test('one lock: no more than two are in flight, and as much is done', () => {
    for (const setting of [8, 64, 256]) {
      const seen = run(withLanes(1, 1), { setting, forMs: 40_000 });
      assert.ok(seen.last <= 2, `${setting}: ${seen.last}`);
      assert.ok(seen.rate > 0.97 * fixed(withLanes(1, 1), setting), `${setting}: ${seen.rate}`);
    }
  });

  test('more is better: it stays at the setting, and looking down now and then costs little', () => {
    for (const setting of [2, 8, 12, 64]) {
      const seen = run(withLanes(64, 1), { setting });
      assert.equal(seen.last, setting);
      assert.ok(seen.rate > 0.98 * fixed(withLanes(64, 1), setting), `${setting}: ${seen.rate}`);
    }
  });

  test('better up to four: it settles there', () => {
    const seen = run(withLanes(4, 1), { setting: 32 });
    assert.ok([4, 8].includes(seen.last), `${seen.last}`);
    assert.ok(seen.rate > 0.96 * fixed(withLanes(4, 1), 32), `${seen.rate}`);
  });

  test('more is a little better, at a higher latency (as measured on an empty GoBetween): nothing is given away', () => {
    const balancer = measured({ 1: 1375, 4: 2202, 16: 3139, 64: 3036 });
    for (const setting of [8, 16]) {
      const seen = run(balancer, { setting, forMs: 30_000 });
      assert.ok(seen.rate > 0.95 * fixed(balancer, setting), `${setting}: ${seen.rate}`);
    }
  });

  test('more is worse (as measured on a small machine): it does more than the setting would', () => {
    const balancer = measured({ 1: 642, 4: 550, 16: 429 });
    const seen = run(balancer, { setting: 16 });
    assert.ok(seen.last <= 2, `${seen.last}`);
    assert.ok(seen.rate > 1.3 * fixed(balancer, 16), `${seen.rate}`);
  });

  test('the first 5,000 creations, which is a start, lose little to trials', () => {
    const seen = run(withLanes(64, 1), { forMs: 1000 });
    const whole = run(withLanes(64, 1), { forMs: 1000, adaptive: false });
    assert.ok(whole.rate > 4000 && seen.rate > 0.97 * whole.rate, `${seen.rate} of ${whole.rate}`);
  });
});

describe('how it moves', () => {
  test('a latency that rises to seconds brings it down to one, and it comes back within a second of its fall', () => {
    let slow = false;
    const fast = withLanes(64, 1);
    const balancer: Balancer = (at) => {
      slow = at.nowMs >= 5000 && at.nowMs < 35_000;
      return slow ? { ms: 1500 } : fast(at);
    };
    const { limits, last } = run(balancer, { forMs: 40_000 });
    const lowest = limits.find(([, limit]) => limit === 1);
    assert.ok(lowest !== undefined && lowest[0] < 25_000, JSON.stringify(limits));
    const back = limits.find(([ms, limit]) => ms > 35_000 && limit === 8);
    assert.ok(back !== undefined && back[0] < 38_000, JSON.stringify(limits));
    assert.equal(last, 8);
  });

  test('time-outs bring it down by one level for all that began together, and never below one', () => {
    const { limits, last } = run(() => ({ ms: 5000, outcome: 'timeout' }), { forMs: 60_000 });
    assert.deepEqual(
      limits.map(([, limit]) => limit),
      [4, 2, 1],
    );
    assert.equal(last, 1);
  });

  test('noise moves it seldom, and never for long', () => {
    for (const seed of [1, 2, 3]) {
      const { limits, rate } = run(withLanes(64, 1), { forMs: 35_000, seed });
      // A trial is one step and one back; they come at 0, 2, 6, 14 and 30 s.
      assert.ok(limits.length <= 14, JSON.stringify(limits));
      for (const [i, [ms, limit]] of limits.entries()) {
        if (limit < 8) assert.ok((limits[i + 1]?.[0] ?? 0) - ms < 500, JSON.stringify(limits));
      }
      assert.ok(rate > 0.98 * fixed(withLanes(64, 1)));
    }
  });

  test('what is not a creation is no evidence; nor is a time with little to do', () => {
    assert.deepEqual(run(withLanes(1, 1), { counts: false }).limits, []);
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, wall: () => nowMs, after: () => () => undefined };
    const concurrency = createConcurrency(clock, 8);
    for (let i = 0; i < 5000; i++) {
      const told = concurrency.begin(true);
      nowMs += i % 2 === 0 ? 1 : 100;
      told('ok');
    }
    assert.equal(concurrency.limit(), 8);
  });

  test('a setting of one is one', () => {
    assert.deepEqual(run(withLanes(4, 1), { setting: 1 }).limits, []);
  });
});
