/**
 * Ports on which a foreign process listens, as GoBetween told us: allocated claims stay away for a while. Invariant: a
 * port that disappoints again soon stays away twice as long, up to an hour; one that has behaved as long as that is forgotten.
 */
import type { Clock } from '../clock.js';

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;

export interface Quarantine {
  add(slot: number): void;
  /** The port listens for one of ours after all. */
  lift(slot: number): void;
  has(slot: number): boolean;
  /** Slots in quarantine now. */
  slots(): number[];
  /** Forgets what is over; true when a port became usable since the last call. */
  expire(): boolean;
}

interface Term {
  readonly untilMs: number;
  readonly lengthMs: number;
  ended: boolean;
}

export function createQuarantine(clock: Clock): Quarantine {
  const terms = new Map<number, Term>();
  const isOpen = (term: Term | undefined): boolean => term !== undefined && clock.now() < term.untilMs;
  return {
    add(slot) {
      const previous = terms.get(slot);
      if (isOpen(previous)) return;
      const lengthMs = previous === undefined ? FIRST_MS : Math.min(LONGEST_MS, previous.lengthMs * 2);
      terms.set(slot, { untilMs: clock.now() + lengthMs, lengthMs, ended: false });
    },
    lift: (slot) => void terms.delete(slot),
    has: (slot) => isOpen(terms.get(slot)),
    slots: () => [...terms].filter(([, term]) => isOpen(term)).map(([slot]) => slot),
    expire() {
      let freed = false;
      for (const [slot, term] of terms) {
        if (isOpen(term)) continue;
        freed ||= !term.ended;
        term.ended = true;
        if (clock.now() >= term.untilMs + term.lengthMs) terms.delete(slot);
      }
      return freed;
    },
  };
}
