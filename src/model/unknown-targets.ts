/** What a service's owner reads of targets that nobody bears (SPEC §2). It depends on who is in the cluster now. */
import { unknownTargets } from './gateway-names.js';
import { printable } from './printable.js';
import type { Problem } from './problem.js';
import type { Compiled } from './spec.js';

/** A warning per target; `knownNames` as `unknownTargets` wants them. */
export function unknownTargetProblems(
  { key, otherTargets }: Pick<Compiled, 'key' | 'otherTargets'>,
  knownNames: ReadonlySet<string> | null,
): readonly Problem[] {
  return unknownTargets(otherTargets, knownNames).map((target) => ({
    code: 'target-unknown',
    severity: 'warning',
    key,
    place: `igw_gobtw_target_lb ${printable(target)}`,
    message: 'it is neither a node of the cluster, nor a service, nor a name of this gateway',
    keeps: 'it is served all the same',
    mend: 'write the host name of a gateway, or remove it',
  }));
}
