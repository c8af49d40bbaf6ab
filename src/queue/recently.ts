/**
 * Which keys something was done for lately. Owns two generations of keys, so that forgetting costs nothing per key. Invariant:
 * a key is remembered for at least `forMs` and at most twice that.
 */
import type { Clock } from '../clock.js';

export interface Recently<K extends string> {
  note(key: K): void;
  has(key: K): boolean;
}

export function createRecently<K extends string>(clock: Clock, forMs: number): Recently<K> {
  let young = new Set<K>();
  let old = new Set<K>();
  let sinceMs = clock.now();

  function age(): void {
    const passedMs = clock.now() - sinceMs;
    if (passedMs < forMs) return;
    old = passedMs < 2 * forMs ? young : new Set();
    young = new Set();
    sinceMs += forMs * Math.floor(passedMs / forMs);
  }

  return {
    note(key) {
      age();
      young.add(key);
    },
    has(key) {
      age();
      return young.has(key) || old.has(key);
    },
  };
}
