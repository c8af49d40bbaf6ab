/**
 * What the lanes spend: every write counts against `--rate`; replacements and deletes, one each, against
 * `--replace-rate` with a burst of 100; those of a mass replacement against a tenth of that as well (SPEC §7, §10).
 */
import type { Clock } from '../clock.js';
import { type Lane, spends } from './lanes.js';
import { createLimiter } from './limiter.js';

const replaceBurst = 100;
const pacedShare = 0.1;

export interface Budget {
  /** Milliseconds until `lane` can afford one ticket; 0: now. */
  readonly waitMs: (lane: Lane) => number;
  readonly spend: (lane: Lane) => void;
}

/** Rates per second; 0 means no limit. */
export function createBudget(clock: Clock, rate: number, replaceRate: number): Budget {
  const writes = createLimiter(clock, rate, Math.max(2, rate / 10));
  const replacements = createLimiter(clock, replaceRate, replaceBurst);
  const paced = createLimiter(clock, replaceRate * pacedShare, replaceBurst * pacedShare);
  const writesOf = (lane: Lane): number => (spends[lane] || lane === 'paid' ? 2 : 1);

  return {
    waitMs: (lane) =>
      Math.max(
        writes.waitMs(writesOf(lane)),
        spends[lane] ? replacements.waitMs() : 0,
        lane === 'paced' ? paced.waitMs() : 0,
      ),
    spend(lane) {
      writes.take(writesOf(lane));
      if (spends[lane]) replacements.take();
      if (lane === 'paced') paced.take();
    },
  };
}
