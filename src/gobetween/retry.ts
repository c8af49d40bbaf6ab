/**
 * When a refused or unanswered change is tried again, by outcome (SPEC §5, §7). Invariant: every pause has a cap and
 * jitter; `null` waits for the intent to change.
 */
import type { Random } from '../random.js';
import type { Outcome } from './outcome.js';

interface Pause {
  readonly firstMs: number;
  readonly capMs: number;
}

const pauses: Record<Outcome, Pause | null> = {
  ok: null,
  exists: { firstMs: 100, capMs: 30_000 }, // somebody else's body under our name: looked at, then replaced
  'port-busy': { firstMs: 2_000, capMs: 2_000 },
  'no-address': { firstMs: 1_000, capMs: 30_000 },
  denied: { firstMs: 30_000, capMs: 30_000 },
  'no-files': { firstMs: 1_000, capMs: 30_000 },
  'file-error': { firstMs: 30_000, capMs: 30_000 }, // certificates may arrive without any change in the cluster
  invalid: null,
  closed: { firstMs: 1_000, capMs: 30_000 },
  unreachable: { firstMs: 500, capMs: 5_000 },
  timeout: { firstMs: 500, capMs: 5_000 },
  unauthorized: { firstMs: 5_000, capMs: 30_000 },
  'too-large': null,
  forbidden: null,
};

/** `attempt` counts failures of one intent from 1. Jitter is a fifth either way. */
export function retryDelayMs(outcome: Outcome, attempt: number, random: Random): number | null {
  const pause = pauses[outcome];
  if (pause === null) return null;
  const plainMs = Math.min(pause.capMs, pause.firstMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(plainMs * (0.8 + 0.4 * random.next()));
}

/** A look is repeated whatever it came to: what an unanswered request did stays unknown, and no newer wish would tell. */
export function lookDelayMs(outcome: Outcome, attempt: number, random: Random): number | null {
  return retryDelayMs(pauses[outcome] === null ? 'closed' : outcome, attempt, random);
}

/** GoBetween can run the server, but not listen there: a matter of the place, which may change by itself. */
export function isPlaceRefused(outcome: Outcome): boolean {
  return outcome === 'port-busy' || outcome === 'no-address' || outcome === 'denied';
}

/** GoBetween as a whole does not serve us: three of these in a row are an outage. */
export function isOutage(outcome: Outcome): boolean {
  return outcome === 'unreachable' || outcome === 'timeout' || outcome === 'unauthorized';
}
