/**
 * Keeps the changes of one server apart: 0.2 s after the first, then 0.4 s, doubling to 5 s, forgotten after 10 s
 * without one (SPEC §4). A creation is not recorded. Invariant: holds only servers changed within the last 10 s.
 */
import type { Clock } from '../clock.js';
import type { ServerName } from '../model/server.js';

const firstGapMs = 200;
const longestGapMs = 5_000;
const forgottenMs = 10_000;

export interface FlapHold {
  /** The monotonic time from which the next change may go. */
  readyAtMs(name: ServerName): number;
  record(name: ServerName): void;
  /** No change within the last 10 s. */
  calm(name: ServerName): boolean;
  size(): number;
}

export function createFlapHold(clock: Clock): FlapHold {
  /** In order of the last change, oldest first. */
  const changes = new Map<ServerName, { readonly lastMs: number; readonly gapMs: number }>();

  function forgetOld(): void {
    const oldestMs = clock.now() - forgottenMs;
    for (const [name, { lastMs }] of changes) {
      if (lastMs > oldestMs) return;
      changes.delete(name);
    }
  }

  return {
    readyAtMs(name) {
      forgetOld();
      const last = changes.get(name);
      return last === undefined ? 0 : last.lastMs + last.gapMs;
    },
    record(name) {
      forgetOld();
      const last = changes.get(name);
      changes.delete(name);
      const gapMs = last === undefined ? firstGapMs : Math.min(longestGapMs, last.gapMs * 2);
      changes.set(name, { lastMs: clock.now(), gapMs });
    },
    calm(name) {
      forgetOld();
      return !changes.has(name);
    },
    size: () => changes.size,
  };
}
