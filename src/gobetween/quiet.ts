/**
 * The quiet wait before a DELETE: it drops connections, and under traffic it can kill GoBetween (gobetween-rest.md §8.3).
 * Quiet is one answer of the server's statistics without bytes in the last second; idle connections do not count
 * (SPEC §4). Invariant: the wait ends at its deadline, counted from the first look.
 */
import type { Clock } from '../clock.js';
import type { Balancer, Outcome } from './outcome.js';
import { isOutage } from './retry.js';
import type { Slot } from './schedule.js';

const pollMs = 1_000;

export type Seen =
  /** It may be deleted now, for it is quiet or was waited for long enough. */
  | { readonly state: 'quiet' }
  /** `slot.quietAtMs` says when to look again. */
  | { readonly state: 'busy'; readonly deadlineMs: number }
  /** GoBetween does not answer. */
  | { readonly state: 'unknown'; readonly outcome: Outcome; readonly detail: string };

/** `waitMs` 0: no look at all. */
export function createQuiet(deps: {
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly waitMs: number;
}) {
  const { balancer, clock, waitMs } = deps;

  return {
    /** A DELETE was sent: the next one is waited for anew. */
    over(slot: Slot): void {
      slot.quietSinceMs = null;
      slot.quietAtMs = 0;
      slot.connections = 0;
    },
    async check(slot: Slot): Promise<Seen> {
      if (waitMs <= 0) return { state: 'quiet' };
      slot.quietSinceMs ??= clock.now();
      const deadlineMs = slot.quietSinceMs + waitMs;
      if (clock.now() >= deadlineMs) return { state: 'quiet' };
      const { outcome, value, detail } = await balancer.stats(slot.name);
      slot.connections = value?.activeConnections ?? 0;
      if (isOutage(outcome)) return { state: 'unknown', outcome, detail };
      if (value === null || (value?.rxSecond === 0 && value.txSecond === 0)) return { state: 'quiet' };
      slot.quietAtMs = Math.min(deadlineMs, clock.now() + pollMs);
      return { state: 'busy', deadlineMs };
    },
  };
}
