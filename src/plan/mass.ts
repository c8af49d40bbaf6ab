/** Replacements of many servers for one cause that is not each service's own edit (SPEC §7): they go slowly, and are named. */
import type { Change, ChangeReason } from './change.js';

/** Causes that can hit every server at once. */
const SHARED: readonly ChangeReason[] = ['dns', 'setting', 'drift', 'stale-default'];
const MASS_SERVERS = 20;
const MASS_SHARE = 0.05;

export interface MassCause {
  readonly reason: ChangeReason;
  readonly count: number;
}

/** The shared causes that replace more than 20 servers and more than 5 % of `servers`, the largest first. */
export function massCauses(changes: readonly Change[], servers: number): readonly MassCause[] {
  return SHARED.map((reason) => ({
    reason,
    count: changes.filter((change) => change.kind === 'replace' && change.reason === reason).length,
  }))
    .filter(({ count }) => count > MASS_SERVERS && count > servers * MASS_SHARE)
    .sort((a, b) => b.count - a.count);
}
