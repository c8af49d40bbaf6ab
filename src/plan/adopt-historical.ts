/**
 * Servers that the historical janitor made (`_80_web`) keep their name while their content is what is wanted: a rename
 * is a dropped listener (SPEC §4 "Ownership"). Invariant: one historical server stands in for one wanted server at most.
 */
import type { Desired, Observed, ServerName } from '../model/server.js';

export interface Wish {
  /** Under the name that it has, or will have, in GoBetween. */
  readonly desired: Desired;
  /** Under the name that the service's word gives it. */
  readonly original: Desired;
}

/**
 * Renames each desired server whose content a historical one has, or has but for `isStale` defaults. Where several could
 * take the same one, the first does.
 */
export function adoptHistorical(
  desired: readonly Desired[],
  historical: readonly Observed[],
  isStale: (desired: Desired, observed: Observed) => boolean,
): readonly Wish[] {
  const unused = new Map(historical.map((observed) => [observed.name, observed]));
  for (const { name } of desired) unused.delete(name);
  const take = (accepts: (observed: Observed) => boolean): ServerName | null => {
    const names = [...unused.values()].filter(accepts).map(({ name }) => name);
    const name = names.sort()[0];
    if (name === undefined) return null;
    unused.delete(name);
    return name;
  };
  const exact = desired.map((original) => take(({ digest }) => digest === original.digest));
  return desired.map((original, index) => {
    const name = exact[index] ?? take((observed) => isStale(original, observed));
    return { desired: name === null ? original : { ...original, name }, original };
  });
}

/** The label of a historical name, `_<digits>_<anything>`; null for any other. */
function historicalLabel(name: ServerName): string | null {
  return /^_(\d+)_/.exec(name)?.[1] ?? null;
}

/** True when a historical server served the word that `name` is named after. */
export function servedAs(historical: Observed, name: ServerName): boolean {
  const label = historicalLabel(historical.name);
  if (label === null || historical.listen === null) return false;
  return name.startsWith(`_${label}._${historical.listen.proto}.`);
}
