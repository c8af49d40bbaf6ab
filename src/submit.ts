/**
 * The last gate before the applier: the policy, a gateway that does not know its name, and servers that somebody else
 * keeps changing hold changes back (SPEC §2, §7). Invariant: what is held back is counted or is a problem, never silent.
 */
import type { ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { Change } from './plan/change.js';
import { serverOf } from './plan/plan.js';
import { applyPolicy, type Policy } from './plan/policy.js';
import type { Metrics } from './telemetry/metrics.js';

export function createSubmit(deps: {
  /** What holds for a service; null: for what belongs to none. */
  readonly policyOf: (key: ServiceKey | null) => Policy;
  /** `identity-unknown`: nothing may be deleted. */
  readonly anonymous: () => boolean;
  /** Somebody else changes this server again and again: it is left alone for a while. */
  readonly contested: (name: ServerName) => boolean;
  readonly apply: (changes: readonly Change[]) => void;
  /** A change of this service is held back. After `apply`. */
  readonly withheld: (key: ServiceKey) => void;
  readonly metrics: Pick<Metrics, 'change'>;
}): (changes: readonly Change[]) => void {
  return (changes) => {
    const { allowed, suppressed } = applyPolicy(deps.policyOf, changes);
    for (const { change } of suppressed) deps.metrics.change(change.kind, change.reason, 'suppressed');
    const anonymous = deps.anonymous();
    const sent = allowed.filter(
      (change) =>
        change.kind === 'adopt' ||
        !((anonymous && change.kind === 'delete') || deps.contested(serverOf(change))),
    );
    deps.apply(sent);
    if (sent.length === changes.length) return;
    const going = new Set(sent);
    for (const change of changes) if (!going.has(change) && change.key !== null) deps.withheld(change.key);
  };
}
