/**
 * A Clock that moves only when told. Invariant: timers run in order of (time, sequence), and all promise jobs that one
 * timer caused run before the next timer does.
 */
import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly atMs: number;
  readonly fn: () => void;
}

export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function createFakeClock(): FakeClock {
  const wallAtStart = 1_700_000_000_000;
  let nowMs = 0;
  let seq = 0;
  const timers = new Map<number, Timer>();

  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  function nextDue(untilMs: number): number | null {
    let best: number | null = null;
    let bestAt = Infinity;
    for (const [id, timer] of timers) {
      if (timer.atMs <= untilMs && timer.atMs < bestAt) {
        best = id;
        bestAt = timer.atMs;
      }
    }
    return best;
  }

  return {
    now: () => nowMs,
    wall: () => wallAtStart + nowMs,
    after(ms, fn) {
      const id = ++seq;
      timers.set(id, { atMs: nowMs + Math.max(0, ms), fn });
      return () => {
        timers.delete(id);
      };
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let id = nextDue(untilMs); id !== null; id = nextDue(untilMs)) {
        const timer = timers.get(id);
        timers.delete(id);
        if (timer === undefined) continue;
        nowMs = Math.max(nowMs, timer.atMs);
        timer.fn();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}
