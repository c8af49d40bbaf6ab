/**
 * A clock that only moves when told. Timers run in order of (time, sequence), and pending promises are drained between
 * them, so that a test sees the same interleaving on every run.
 */
import type { Cancel, Clock } from '../../src/clock.js';

interface Timer {
  readonly at: number;
  readonly seq: number;
  readonly fn: () => void;
}

export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>;
  /** Timers still waiting: 0 after a clean stop. */
  readonly pending: number;
}

const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createFakeClock(): FakeClock {
  let nowMs = 0;
  let seq = 0;
  const timers = new Set<Timer>();

  function earliest(untilMs: number): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of timers) {
      if (timer.at > untilMs) continue;
      if (best === undefined || timer.at < best.at || (timer.at === best.at && timer.seq < best.seq)) {
        best = timer;
      }
    }
    return best;
  }

  return {
    now: () => nowMs,
    wall: () => 1_700_000_000_000 + nowMs,
    after(ms: number, fn: () => void): Cancel {
      const timer: Timer = { at: nowMs + Math.max(0, ms), seq: seq++, fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms: number): Promise<void> {
      const until = nowMs + ms;
      await drain();
      for (let timer = earliest(until); timer !== undefined; timer = earliest(until)) {
        timers.delete(timer);
        nowMs = Math.max(nowMs, timer.at);
        timer.fn();
        await drain();
      }
      nowMs = until;
      await drain();
    },
    get pending() {
      return timers.size;
    },
  };
}
