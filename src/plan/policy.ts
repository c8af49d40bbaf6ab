/**
 * Which changes may be carried out (SPEC §7 "Policies"). Pure: nothing is lost, what is held back comes out with its
 * reason. Invariants: `observe` lets nothing pass that costs a call; `upsert-only` never removes a service's exposure.
 */
import type { ServiceKey } from '../model/service.js';
import type { Change } from './change.js';

export type Policy = 'sync' | 'upsert-only' | 'observe';

export interface Suppressed {
  readonly change: Change;
  readonly why: string;
}

export interface Filtered {
  readonly allowed: readonly Change[];
  readonly suppressed: readonly Suppressed[];
}

/** Splits changes by what each one's policy allows; the order is kept. An adoption costs no call, so it always passes. */
export function applyPolicy(
  policyOf: (key: ServiceKey | null) => Policy,
  changes: readonly Change[],
): Filtered {
  const allowed: Change[] = [];
  const suppressed: Suppressed[] = [];
  for (const change of changes) {
    const why = objection(policyOf(change.key), change, changes);
    if (why === null) allowed.push(change);
    else suppressed.push({ change, why });
  }
  return { allowed, suppressed };
}

function objection(policy: Policy, change: Change, all: readonly Change[]): string | null {
  if (change.kind === 'adopt') return null;
  switch (policy) {
    case 'sync':
      return null;
    case 'upsert-only':
      if (change.kind !== 'delete' || isHalfOfReplacement(change, all)) return null;
      return 'policy upsert-only: nothing is deleted';
    case 'observe':
      return 'policy observe: nothing is changed';
  }
}

/** A historical name gives way to the new one in two changes: without the delete, the create would wait for ever. */
function isHalfOfReplacement(change: Change & { kind: 'delete' }, all: readonly Change[]): boolean {
  if (change.reason !== 'historical') return false;
  return all.some((other) => other.kind !== 'delete' && other.key === change.key && other.kind !== 'adopt');
}
