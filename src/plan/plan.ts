/**
 * What to do for one service: desired, applied and observed per server, three-way by digest (DESIGN §5.4, SPEC §4). Pure.
 *
 *     desired  applied  observed                     change
 *     d        any      -                            create   new · drift · restart
 *     d        d        d                            -
 *     d        not d    d                            adopt    adopted: GoBetween has it already
 *     d        o        o                            replace  edited · dns · setting
 *     d        d        o                            replace  drift
 *     d        -        o, only former defaults      adopt    stale-default, and nothing from then on
 *     d        -        o                            replace  drift, or the cause given
 *     -        any      o, held or kept              -
 *     -        any      o, historical and replaced   delete   historical
 *     -        any      o                            delete   why the service wants it no longer · extra
 *
 * Foreign servers never come here. Invariant: equal digests cost no call.
 */
import type { Desired, Digest, Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import { adoptHistorical, servedAs, type Wish } from './adopt-historical.js';
import type { Change, ChangeReason } from './change.js';

export interface PlanInput {
  readonly key: ServiceKey;
  readonly desired: readonly Desired[];
  /** all: the service is spoiled, unreadable, missing or has a bad word, so nothing of it may be deleted. */
  readonly keep: 'all' | 'none';
  /** Owned servers of this service that are believed to be in GoBetween. */
  readonly present: readonly Observed[];
  readonly applied: (name: ServerName) => Digest | null;
  /** Why servers that are not desired go. */
  readonly removal: ChangeReason;
  /** Why the service is looked at, when it is not its own edit. */
  readonly cause?: ChangeReason | undefined;
  /** Former servers of words that are held: they keep serving. */
  readonly heldNames: ReadonlySet<ServerName>;
  /** Another claim needs the port of this former server (Arbiter.needed). */
  readonly needed?: (name: ServerName) => boolean;
  /** True when the two differ only in fields that no keyword sets, where `observed` has a former default. */
  readonly isStaleDefault: (desired: Desired, observed: Observed) => boolean;
  /** Servers adopted as `stale-default` since the start; without it, whoever still looks like one counts. */
  readonly stale?: ReadonlySet<ServerName>;
  /** Replace `stale-default` servers (`apply --refresh`). */
  readonly refresh?: boolean;
}

/** The changes of one service, deletes first, then by name. A server that is as it should be has none. */
export function planService(input: PlanInput): readonly Change[] {
  const byName = new Map(input.present.map((observed) => [observed.name, observed]));
  const historical = input.present.filter((observed) => observed.historical);
  const desired = [...input.desired].sort((a, b) => compareNames(a.name, b.name));
  const wishes = adoptHistorical(desired, historical, (wish, observed) =>
    isAdoptedStale(input, wish, observed),
  );
  const wanted = new Set(wishes.map(({ desired }) => desired.name));
  const replaced = new Map<ServerName, Observed>();
  for (const observed of historical) {
    if (wanted.has(observed.name)) continue;
    const successor = wishes.find(({ original }) => servedAs(observed, original.name));
    if (successor !== undefined) replaced.set(successor.desired.name, observed);
  }
  const successors = new Set([...replaced.values()].map(({ name }) => name));
  const deletes = input.present
    .filter(({ name }) => !wanted.has(name))
    .flatMap((observed) => planAbsent(input, observed, successors.has(observed.name)));
  const others = wishes.flatMap((wish) => planWanted(input, wish, byName.get(wish.desired.name), replaced));
  return [...deletes.sort(byServer), ...others.sort(byServer)];
}

function planWanted(
  input: PlanInput,
  { desired, original }: Wish,
  observed: Observed | undefined,
  replaced: ReadonlyMap<ServerName, Observed>,
): Change[] {
  const { key } = input;
  const applied = input.applied(desired.name);
  if (observed === undefined) {
    const reason = replaced.has(desired.name) ? 'historical' : createReason(input, applied);
    return [{ kind: 'create', key, desired, reason }];
  }
  if (observed.digest === desired.digest) {
    if (applied === desired.digest) return [];
    return [{ kind: 'adopt', key, desired, digest: observed.digest, reason: 'adopted' }];
  }
  if (isAdoptedStale(input, original, observed)) {
    if (applied === observed.digest) return [];
    return [{ kind: 'adopt', key, desired, digest: observed.digest, reason: 'stale-default' }];
  }
  const reason = replaceReason(input, original, observed, applied);
  return [{ kind: 'replace', key, desired, before: observed, reason }];
}

/** Only what we never wrote ourselves since the start can be stale; later differences are drift or edits. */
function isAdoptedStale(input: PlanInput, desired: Desired, observed: Observed): boolean {
  if (input.refresh === true) return false;
  const applied = input.applied(observed.name);
  const known = applied === observed.digest && (input.stale?.has(observed.name) ?? true);
  return (applied === null || known) && input.isStaleDefault(desired, observed);
}

function createReason({ cause }: PlanInput, applied: Digest | null): ChangeReason {
  if (cause === 'restart' || cause === 'drift') return cause;
  return applied === null ? 'new' : 'drift';
}

function replaceReason(
  input: PlanInput,
  desired: Desired,
  observed: Observed,
  applied: Digest | null,
): ChangeReason {
  const { cause } = input;
  const given = cause === 'edited' || cause === 'dns' || cause === 'setting' ? cause : undefined;
  if (input.refresh === true && input.isStaleDefault(desired, observed)) return 'stale-default';
  if (applied === desired.digest) return 'drift';
  if (applied === null) return given ?? 'drift';
  return given ?? 'edited';
}

function planAbsent(input: PlanInput, observed: Observed, hasSuccessor: boolean): Change[] {
  const { key } = input;
  const { name } = observed;
  const held =
    input.heldNames.has(name) ||
    (observed.historical && [...input.heldNames].some((other) => servedAs(observed, other)));
  if (held && input.needed?.(name) !== true) return [];
  if (hasSuccessor) return [{ kind: 'delete', key, name, before: observed, reason: 'historical' }];
  if (input.keep === 'all') return [];
  const unknown = input.removal === 'word-removed' && input.applied(name) === null;
  const reason = held ? 'edited' : unknown ? 'extra' : input.removal;
  return [{ kind: 'delete', key, name, before: observed, reason }];
}

function byServer(a: Change, b: Change): number {
  return compareNames(serverOf(a), serverOf(b));
}

function compareNames(a: ServerName, b: ServerName): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The server that a change is about. */
export function serverOf(change: Change): ServerName {
  return change.kind === 'delete' ? change.name : change.desired.name;
}
