/**
 * Time that only moves when a test says so, in whole milliseconds as real timers do: with fractions, what is due in 10 s
 * may by rounding be due now, and not yet. Timers run in order of (due time, creation); between two of them every pending
 * promise job is drained, as the real event loop would do.
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly fn: () => void;
}

export interface FakeClock extends Clock {
  /** Moves time forward by `ms`, running what falls due on the way, then drains promise jobs. */
  advance(ms: number): Promise<void>;
  /** Timers that are waiting: 0 after a clean stop. */
  readonly pending: number;
}

/** `now` starts at 0 and `wall` at 2023-11-14T22:13:20Z. `drained`: nothing is under way that takes no virtual time. */
export function createFakeClock(
  startWallMs = 1_700_000_000_000,
  drained: () => Promise<void> = setImmediate,
): FakeClock {
  let nowMs = 0;
  let sequence = 0;
  const waiting = new Set<Timer>();

  function next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of waiting) {
      if (timer.dueMs > untilMs) continue;
      const earlier =
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.sequence < first.sequence);
      if (earlier) first = timer;
    }
    return first;
  }

  return {
    now: () => nowMs,
    wall: () => startWallMs + nowMs,
    after(ms, fn) {
      const timer = { dueMs: Math.ceil(nowMs + Math.max(0, ms)), sequence: sequence++, fn };
      waiting.add(timer);
      return () => void waiting.delete(timer);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await drained();
      for (let timer = next(untilMs); timer !== undefined; timer = next(untilMs)) {
        waiting.delete(timer);
        nowMs = Math.max(nowMs, timer.dueMs);
        timer.fn();
        await drained();
      }
      nowMs = untilMs;
      await drained();
    },
    get pending() {
      return waiting.size;
    },
  };
}
