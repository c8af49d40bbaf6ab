/**
 * How far GoBetween is from what we last wrote there (DESIGN §5.4): applied against observed, per server. What is merely
 * not applied yet is pending, not drift, and a server with a request in flight is left out: else we would mend our own writes.
 */
import type { Digest, Observed, ServerName } from '../model/server.js';

export interface DriftInput {
  /** What we last wrote, or adopted, with success. */
  readonly applied: ReadonlyMap<ServerName, Digest>;
  readonly observed: Iterable<Observed>;
  /** A request about it is under way, or was when the list was made. */
  readonly inFlight: (name: ServerName) => boolean;
}

/** Names, sorted. `foreign` servers are counted only: they are nobody's drift. */
export interface Drift {
  readonly missing: readonly ServerName[];
  readonly mutated: readonly ServerName[];
  /** Owned by its name, and never written or adopted by us. */
  readonly extra: readonly ServerName[];
  readonly foreign: number;
}

export function measureDrift({ applied, observed, inFlight }: DriftInput): Drift {
  const missing = new Set([...applied.keys()].filter((name) => !inFlight(name)));
  const mutated: ServerName[] = [];
  const extra: ServerName[] = [];
  let foreign = 0;
  for (const { name, owned, digest } of observed) {
    missing.delete(name);
    if (!owned) foreign += 1;
    else if (inFlight(name)) continue;
    else if (!applied.has(name)) extra.push(name);
    else if (applied.get(name) !== digest) mutated.push(name);
  }
  return { missing: [...missing].sort(), mutated: mutated.sort(), extra: extra.sort(), foreign };
}
