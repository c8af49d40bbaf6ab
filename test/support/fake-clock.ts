/**
 * Time that only moves when a test says so. Timers run in order of (due time, creation); between two of them every
 * pending promise job is drained, as the real event loop would do.
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
  timers(): number;
}

/** Starts at `now` 0 and `wall` 2026-01-01T00:00:00Z. */
export function createFakeClock(startWallMs = Date.UTC(2026, 0, 1)): FakeClock {
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
      const timer = { dueMs: nowMs + Math.max(0, ms), sequence: sequence++, fn };
      waiting.add(timer);
      return () => void waiting.delete(timer);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await setImmediate();
      for (let timer = next(untilMs); timer !== undefined; timer = next(untilMs)) {
        waiting.delete(timer);
        nowMs = Math.max(nowMs, timer.dueMs);
        timer.fn();
        await setImmediate();
      }
      nowMs = untilMs;
      await setImmediate();
    },
    timers: () => waiting.size,
  };
}
