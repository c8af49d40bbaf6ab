/**
 * How many lines a kind of event may have: a few are one line each; more become one line with the count and the first five,
 * and a kind that goes on and on is summed up at growing intervals (SPEC §8). Invariant: however long a flood lasts, its
 * lines grow with the logarithm of its length at first, and are one in each `longestPauseMs` at last.
 */
import type { Clock } from '../clock.js';

export interface LinePace {
  /** How `count` waiting lines may be written now: `each`, one `sum`, or (a monotonic time) not before then. */
  ask(kind: string, count: number, single: boolean): 'each' | 'sum' | number;
  /** Everything may be written now: the program ends. */
  open(): void;
}

/** Above this many of a kind they are summed up. */
export const singleLines = 20;
export const shownNames = 5;
const quietMs = 10_000;
const firstPauseMs = 2000;

interface Kind {
  /** Lines of single events since the kind was last quiet. */
  lines: number;
  lastMs: number;
  nextSummaryMs: number;
  pauseMs: number;
}

/** `single` in `ask`: a few lines are wanted each on its own, if the kind has room for them. */
export function createLinePace(clock: Clock, longestPauseMs: (kind: string) => number): LinePace {
  const kinds = new Map<string, Kind>();

  function kindOf(name: string): Kind {
    const known = kinds.get(name);
    if (known !== undefined && clock.now() - known.lastMs < quietMs) return known;
    const fresh: Kind = { lines: 0, lastMs: clock.now(), nextSummaryMs: 0, pauseMs: firstPauseMs };
    kinds.set(name, fresh);
    return fresh;
  }

  return {
    ask(name, count, single) {
      const kind = kindOf(name);
      const now = clock.now();
      const each = single && kind.lines + count <= singleLines;
      if (!each && now < kind.nextSummaryMs) return kind.nextSummaryMs;
      if (each) kind.lines += count;
      else {
        kind.lines = singleLines;
        kind.nextSummaryMs = now + kind.pauseMs;
        kind.pauseMs = Math.min(longestPauseMs(name), kind.pauseMs * 4);
      }
      kind.lastMs = Math.max(now, kind.nextSummaryMs);
      return each ? 'each' : 'sum';
    },
    open() {
      for (const kind of kinds.values()) kind.nextSummaryMs = 0;
    },
  };
}
