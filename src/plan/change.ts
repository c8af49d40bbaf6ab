/**
 * The outcome of planning, as data: what to do to which server, and why. Before and after stay together, so that
 * `plan`, the logs and the metrics tell the same story. Source: SPEC §4, §7; DESIGN §5.3.
 */
import type { Desired, Digest, Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';

export type ChangeReason =
  | 'new' // the service asks for it
  | 'edited' // the service's own edit
  | 'restart' // GoBetween came back without it
  | 'drift' // somebody changed or removed it behind our back
  | 'dns' // its DNS left the list, or is down
  | 'setting' // a setting or a default of the janitor changed
  | 'word-removed'
  | 'target-elsewhere'
  | 'slave'
  | 'announced' // the agent announced the deletion and the object is gone
  | 'absent' // absent twice, a grace apart, while settled
  | 'extra' // owned by its name, wanted by nobody
  | 'historical' // an old name, replaced by the new one
  | 'adopted'
  | 'stale-default';

export type Change =
  | {
      readonly kind: 'create';
      readonly key: ServiceKey;
      readonly desired: Desired;
      readonly reason: ChangeReason;
    }
  | {
      readonly kind: 'replace';
      readonly key: ServiceKey;
      readonly desired: Desired;
      readonly before: Observed;
      readonly reason: ChangeReason;
    }
  | {
      readonly kind: 'delete';
      readonly key: ServiceKey | null;
      readonly name: ServerName;
      readonly before: Observed;
      readonly reason: ChangeReason;
    }
  /** No call: remember what GoBetween has as applied. `digest` is the observed one (it differs for `stale-default`). */
  | {
      readonly kind: 'adopt';
      readonly key: ServiceKey;
      readonly desired: Desired;
      readonly digest: Digest;
      readonly reason: 'adopted' | 'stale-default';
    };

/** How many changes of each kind. */
export function countByKind(changes: readonly Change[]): Readonly<Record<Change['kind'], number>> {
  const counts = { create: 0, replace: 0, delete: 0, adopt: 0 };
  for (const { kind } of changes) counts[kind] += 1;
  return counts;
}
