/**
 * What to do about one server now: a pure function of its intent and of what is believed to be in GoBetween. Nothing
 * is remembered between two looks, so a newer intent or a sweep simply changes the answer. Source: DESIGN §5.3, SPEC §5.
 *
 *   intent    | in GoBetween        | work
 *   none      | taken away by us    | restore what was there   (a replacement that was cancelled half way)
 *   absent    | owned               | delete                   (first when somebody waits for its port)
 *   present d | d                   | nothing
 *   present d | nothing             | create, once every conflicting port is free
 *   present d | x, new port free    | replace
 *   present d | x, new port held    | keep serving; vacate when somebody needs the port that x holds
 *   any       | foreign             | never touched
 */
import type { Desired, Listen, Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { ChangeReason } from '../plan/change.js';

/** The newest wanted state of one server. */
export interface Intent {
  readonly key: ServiceKey | null;
  /** null: it shall not be there. */
  readonly want: Desired | null;
  readonly reason: ChangeReason;
  /** When this server was first found to differ; superseding keeps it. Monotonic. */
  readonly sinceMs: number;
  /** GoBetween refused it: not tried again until the intent changes. */
  readonly refused: boolean;
  /** GoBetween could not listen at the new place: it is tried there beside what serves, before that is taken away. */
  readonly beside: boolean;
}

export type Work =
  | { readonly op: 'nothing' }
  | { readonly op: 'create'; readonly desired: Desired; readonly owed: boolean }
  | { readonly op: 'restore'; readonly former: Observed }
  | { readonly op: 'replace'; readonly before: Observed; readonly desired: Desired; readonly waited: Waited }
  | { readonly op: 'vacate'; readonly before: Observed; readonly waited: Waited }
  | { readonly op: 'delete'; readonly before: Observed; readonly waited: Waited }
  /** A request went without an answer: look before acting. */
  | { readonly op: 'verify' }
  /** `stuck`: one of those in the way is not about to leave. */
  | {
      readonly op: 'blocked';
      readonly listen: Listen;
      readonly by: readonly ServerName[];
      readonly stuck: boolean;
    }
  | { readonly op: 'refused' }
  | { readonly op: 'foreign' };

/** Who waits for the port that a DELETE frees. Only for another service is the quiet wait skipped (SPEC §4). */
export type Waited = 'no' | 'own' | 'other';

/** What the decision reads; the ledger's entry has this shape. */
export interface Situation {
  readonly name: ServerName;
  readonly intent: Intent | null;
  readonly observed: Observed | null;
  /** What a replacement took away and has not put back. */
  readonly fallback: Observed | null;
  readonly doubtful: boolean;
}

export interface Neighbours {
  /** Names that hold, or are just taking, a port in conflict with `listen`. */
  holders(listen: Listen, except: ServerName): readonly ServerName[];
  /** Services of the other servers whose intent wants a port in conflict with `listen`. */
  waiting(listen: Listen | null, except: ServerName): readonly (ServiceKey | null)[];
  /** Whether something is still to happen to `name`. */
  moving(name: ServerName): boolean;
}

export function assess(situation: Situation, neighbours: Neighbours): Work {
  const { name, intent, observed, fallback, doubtful } = situation;
  if (observed !== null && !observed.owned) return intent === null ? { op: 'nothing' } : { op: 'foreign' };
  if (intent === null) {
    if (fallback === null) return { op: 'nothing' };
    if (doubtful) return { op: 'verify' };
    return restore(situation, neighbours) ?? { op: 'nothing' };
  }
  const { want } = intent;
  if (want === null) {
    if (observed === null) return doubtful ? { op: 'verify' } : { op: 'nothing' };
    return { op: 'delete', before: observed, waited: waitedFor(observed, neighbours) };
  }
  if (doubtful) return { op: 'verify' };
  if (observed === null) {
    if (intent.refused) return restore(situation, neighbours) ?? { op: 'refused' };
    const by = neighbours.holders(want.listen, name);
    if (by.length === 0) return { op: 'create', desired: want, owed: fallback !== null };
    const stuck = !by.every((other) => neighbours.moving(other));
    return (
      (stuck ? restore(situation, neighbours) : null) ?? { op: 'blocked', listen: want.listen, by, stuck }
    );
  }
  if (observed.digest === want.digest) return { op: 'nothing' };
  const waited = waitedFor(observed, neighbours);
  const vacate: Work = { op: 'vacate', before: observed, waited };
  if (intent.refused) return waited === 'no' ? { op: 'refused' } : vacate;
  const by = neighbours.holders(want.listen, name);
  if (by.length === 0) return { op: 'replace', before: observed, desired: want, waited };
  if (waited !== 'no') return vacate;
  const stuck = !by.every((other) => neighbours.moving(other));
  return { op: 'blocked', listen: want.listen, by, stuck };
}

/** Puts back what a replacement took away, unless its port is somebody's by now, or somebody waits for it. */
function restore({ name, fallback, observed }: Situation, neighbours: Neighbours): Work | null {
  if (fallback === null || observed !== null) return null;
  const { listen } = fallback;
  if (listen !== null && neighbours.holders(listen, name).length > 0) return null;
  return neighbours.waiting(listen, name).length > 0 ? null : { op: 'restore', former: fallback };
}

function waitedFor({ listen, name, key }: Observed, neighbours: Neighbours): Waited {
  const keys = neighbours.waiting(listen, name);
  if (keys.length === 0) return 'no';
  return keys.some((other) => other === null || other !== key) ? 'other' : 'own';
}
