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
  /** Over the second half of the time. */
  readonly meanLimit: number;
}

/** What the janitor itself takes for a request. */
const OWN_MS = 0.1;

/** A backlog without end against a modelled GoBetween; `setting` alone when not adaptive. */
function run(
  balancer: Balancer,
  { setting = 8, forMs = 30_000, adaptive = true, seed = 1, counts = true } = {},
): Seen {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, wall: () => nowMs, after: () => () => undefined };
  const random = seeded(seed);
  const limits: [number, number][] = [];
  const concurrency = createConcurrency(clock, setting, (limit) => limits.push([nowMs, limit]));
  const running: { readonly endMs: number; readonly end: () => void }[] = [];
  let done = 0;
  let limitMs = 0;
  let seenMs = 0;
  while (nowMs < forMs) {
    while (running.length < (adaptive ? concurrency.limit() : setting)) {
      nowMs += OWN_MS;
      const told = concurrency.begin(counts);
      const { ms, outcome = 'ok' } = balancer({ nowMs, inFlight: running.length + 1, random });
      running.push({ endMs: nowMs + ms, end: () => told(outcome, true) });
    }
    let first = 0;
    for (const [i, { endMs }] of running.entries()) if (endMs < (running[first]?.endMs ?? 0)) first = i;
    const [next] = running.splice(first, 1);
    nowMs = Math.max(nowMs, next?.endMs ?? 0);
    if (nowMs > forMs / 2) limitMs += concurrency.limit() * (nowMs - Math.max(seenMs, forMs / 2));
    seenMs = nowMs;
    done += 1;
    next?.end();
    const limit = concurrency.limit();
    assert.ok(limit >= 1 && limit <= setting, `${limit}`);
  }
  return { rate: (done * 1000) / nowMs, limits, meanLimit: limitMs / (nowMs - forMs / 2) };
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
    return {
      ms: (at.inFlight / rate) * (500 + 1000 * at.random.next()) + (at.random.next() < 0.01 ? 30 : 0),
    };
  };

/** Adaptive against fixed: the same GoBetween, time and luck. */
function compare(balancer: () => Balancer, options: Parameters<typeof run>[1] = {}) {
  const seen = run(balancer(), options);
  const { rate } = run(balancer(), { ...options, adaptive: false });
  return { ...seen, share: seen.rate / rate };
}

const seeds = [1, 2, 3, 4, 5] as const;

describe('where it settles', () => {
  test('one lock: a few are in flight, and as much is done', () => {
    for (const setting of [8, 64]) {
      const steady: Balancer = ({ inFlight, random }) => ({ ms: inFlight * (0.3 + 0.2 * random.next()) });
      const { share, meanLimit } = compare(() => steady, { setting, forMs: 60_000 });
      assert.ok(meanLimit < 4, `${setting}: ${meanLimit}`);
      assert.ok(share > 0.94, `${setting}: ${share}`);
    }
  });

  test('more is better: it stays at the setting, and looking down now and then costs little', () => {
    for (const [i, setting] of [2, 8, 12].entries()) {
      const { share, meanLimit } = compare(() => withLanes(64, 1), { setting, seed: seeds[i] ?? 1 });
      assert.ok(meanLimit > 0.95 * setting, `${setting}: ${meanLimit}`);
      assert.ok(share > 0.97, `${setting}: ${share}`);
    }
  });

  test('better up to four, stalls now and then: nothing is given away', () => {
    for (const seed of seeds) {
      const { share } = compare(() => withLanes(4, 1), { seed });
      assert.ok(share > 0.93, `${seed}: ${share}`);
    }
  });

  test('more is a little better, at a higher latency, as measured: nothing is given away', () => {
    for (const curve of [
      { 1: 1375, 4: 2202, 16: 3139, 64: 3036 },
      { 1: 1720, 2: 2500, 4: 3436, 8: 3831, 16: 3700 },
    ]) {
      for (const seed of seeds) {
        const { share } = compare(() => measured(curve), { seed });
        assert.ok(share > 0.96, `${seed}: ${share}`);
      }
    }
  });

  test('more is worse, as measured on a small machine: more is done than with the setting', () => {
    const { share, meanLimit } = compare(() => measured({ 1: 642, 4: 550, 16: 429 }), {
      setting: 16,
      forMs: 120_000,
    });
    assert.ok(meanLimit < 6 && share > 1.15, `${meanLimit} ${share}`);
  });

  test('work that is done within two seconds goes as the setting has it', () => {
    assert.deepEqual(run(withLanes(64, 1), { forMs: 1900 }).limits, []);
  });
});

describe('how it moves', () => {
  test('a latency that rises to seconds brings it down to one, and it comes back soon after its fall', () => {
    const fast = withLanes(64, 1);
    const balancer: Balancer = (at) => (at.nowMs >= 5000 && at.nowMs < 60_000 ? { ms: 1500 } : fast(at));
    const { limits } = run(balancer, { forMs: 70_000 });
    const lowest = limits.find(([, limit]) => limit === 1);
    assert.ok(lowest !== undefined && lowest[0] < 35_000, JSON.stringify(limits));
    const back = limits.find(([ms, limit]) => ms > 60_000 && limit === 8);
    assert.ok(back !== undefined && back[0] < 65_000, JSON.stringify(limits));
  });

  test('time-outs bring it down by one level for all that began together, and never below one', () => {
    const { limits } = run(() => ({ ms: 5000, outcome: 'timeout' }), { forMs: 60_000 });
    assert.deepEqual(
      limits.map(([, limit]) => limit),
      [4, 2, 1],
    );
  });

  test('noise moves it seldom, and never for long', () => {
    for (const seed of seeds) {
      const { limits } = run(withLanes(64, 1), { seed, forMs: 35_000 });
      // A trial is one step and one back; they come at 2, 4, 8 and 16 s after another.
      assert.ok(limits.length <= 12, JSON.stringify(limits));
      for (const [i, [ms, limit]] of limits.entries()) {
        if (limit < 8) assert.ok((limits[i + 1]?.[0] ?? 0) - ms < 500, JSON.stringify(limits));
      }
    }
  });

  test('a trial that a break comes into is given up', () => {
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, wall: () => nowMs, after: () => () => undefined };
    const limits: number[] = [];
    const concurrency = createConcurrency(clock, 2, (limit) => limits.push(limit));
    const both = (): void => {
      const ends = Array.from({ length: concurrency.limit() }, () => concurrency.begin(true));
      nowMs += 2;
      for (const end of ends) end('ok', true);
    };
    while (limits.length === 0) both();
    assert.deepEqual(limits, [1]);
    nowMs += 10_000;
    both();
    assert.deepEqual(limits, [1, 2]);
  });

  test('what is not a creation is no evidence; nor is a time with little to do', () => {
    assert.deepEqual(run(withLanes(1, 1), { counts: false }).limits, []);
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, wall: () => nowMs, after: () => () => undefined };
    const concurrency = createConcurrency(clock, 8);
    for (let i = 0; i < 5000; i++) {
      const told = concurrency.begin(true);
      nowMs += i % 2 === 0 ? 1 : 20;
      told('ok', false);
    }
    assert.equal(concurrency.limit(), 8);
  });

  test('a setting of one is one', () => {
    assert.deepEqual(run(withLanes(4, 1), { setting: 1 }).limits, []);
  });
});
