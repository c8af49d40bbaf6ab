/**
 * Keeps the changes of one server apart: 0.2 s after the first, then 0.4 s, doubling to 5 s, forgotten after 10 s
 * without one (SPEC §4). A creation is not recorded. Invariants: holds only servers changed within the last 10 s; a server
 * that was told to flap does so until then, however many of its changes were made, or taken back, meanwhile.
 */
import type { Cancel, Clock } from '../clock.js';
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
  /** A change has to wait. Whether this is news: once, until `onCalm`. */
  tell(name: ServerName): boolean;
  size(): number;
  /** Tells nothing more. */
  stop(): void;
}

/** `onCalm`: a server that was told to flap had no change for 10 s. */
export function createFlapHold(clock: Clock, onCalm: (name: ServerName) => void = () => undefined): FlapHold {
  /** In order of the last change, oldest first. */
  const changes = new Map<ServerName, { readonly lastMs: number; readonly gapMs: number }>();
  const told = new Map<ServerName, Cancel>();

  function forgetOld(): void {
    const oldestMs = clock.now() - forgottenMs;
    for (const [name, { lastMs }] of changes) {
      if (lastMs > oldestMs) return;
      changes.delete(name);
    }
  }

  function watch(name: ServerName): void {
    const last = changes.get(name);
    const calmInMs = last === undefined ? 0 : last.lastMs + forgottenMs - clock.now();
    const look = (): void => {
      forgetOld();
      if (changes.has(name)) return watch(name);
      told.delete(name);
      onCalm(name);
    };
    told.set(name, clock.after(Math.max(0, calmInMs), look));
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
    tell(name) {
      if (told.has(name)) return false;
      watch(name);
      return true;
    },
    size: () => changes.size,
    stop() {
      for (const cancel of told.values()) cancel();
      told.clear();
    },
  };
}
