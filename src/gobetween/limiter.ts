/**
 * A token bucket on the monotonic clock. Invariant: over any span of t seconds at most `burst + rate * t` tokens go.
 * A step of the wall clock changes nothing (which is why p-queue's own interval is not used, DESIGN §5.3).
 */
import type { Clock } from '../clock.js';

export interface Limiter {
  /** Milliseconds until `tokens` are there; 0: now. */
  waitMs(tokens?: number): number;
  /** Takes them; callers ask `waitMs` first. */
  take(tokens?: number): void;
}

/** `perSecond` 0 means no limit. `burst` is at least the largest amount taken at once. */
export function createLimiter(clock: Clock, perSecond: number, burst: number): Limiter {
  if (perSecond <= 0) return { waitMs: () => 0, take: () => undefined };
  let tokens = burst;
  let filledMs = clock.now();

  function fill(): void {
    const nowMs = clock.now();
    tokens = Math.min(burst, tokens + ((nowMs - filledMs) / 1000) * perSecond);
    filledMs = nowMs;
  }

  return {
    waitMs(wanted = 1) {
      fill();
      // A hair of tolerance, or floating point makes a timer fire just too early for ever.
      return tokens + 1e-9 >= wanted ? 0 : Math.max(1, Math.ceil(((wanted - tokens) / perSecond) * 1000));
    },
    take(taken = 1) {
      fill();
      tokens -= taken;
    },
  };
}
