/**
 * Whether a service that is not in the list is gone, or only not shown (SPEC §6, absence rules). Pure: fed with lists and
 * monotonic times. Lists lie while an agent starts, stops or lost a node, so absence is weak. Invariants: `gone` is said
 * only (a) after the agent announced the deletion and a settled list lacks the object, or (b) when lists lacked it a whole
 * grace long, in time in which the agent was heard, and all along nothing could have hidden it; (c) never by absence
 * while the list is suspiciously small; or when an operator said so.
 */
import type { Problem } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';
import { createListGuard, type ListGuard } from './list-guard.js';
import type { ClusterList, ListedService } from './source.js';

export type PresenceState =
  | { readonly state: 'present' }
  /** `remainingMs`: heard time until it counts as gone; null while something (`why`) could be hiding it. */
  | { readonly state: 'missing'; readonly remainingMs: number | null; readonly why: string }
  | { readonly state: 'gone'; readonly reason: 'announced' | 'absent' };

export interface Presence {
  /** Services that exist by other witness (owned servers at start, the state file) though no list has shown them. */
  seedKnown(keys: Iterable<ServiceKey>): void;
  /** One complete list, received at `nowMs`. Returns the keys whose state changed. */
  observeList(list: ClusterList, ownNode: string | null, nowMs: number): readonly ServiceKey[];
  /** The agent did not answer: the time since the last list, and until the next, does not count. */
  unheard(): void;
  /** Another daemon may be answering from now on: its list must stand still first. */
  restarted(): void;
  /** The agent said that it deletes `key`; no effect on a key that is not known. */
  announce(key: ServiceKey, nowMs: number): void;
  /** The operator says that what is missing from the last list is gone. Returns the keys that became gone. */
  confirmDeletes(): readonly ServiceKey[];
  /** undefined: never heard of. */
  state(key: ServiceKey): PresenceState | undefined;
  /** The same in one word, for those who ask of thousands. */
  kind(key: ServiceKey): PresenceState['state'] | undefined;
  keys(): IterableIterator<ServiceKey>;
  /** Proven gone, and not forgotten. */
  gone(): readonly ServiceKey[];
  /** Forgets a key that is gone; no effect on others. */
  forget(key: ServiceKey): void;
  /** When (monotonic) the earliest running grace could end, if the agent is heard until then; null when none runs. */
  nextCheckAt(): number | null;
  /** `list-shrunk`, while it holds deletions back. */
  problem(): Problem | null;
}

export interface PresenceOptions {
  readonly deleteGraceMs: number;
}

interface Known {
  scope: readonly string[];
  state: 'present' | 'missing' | 'gone';
  reason: 'announced' | 'absent';
  /** Heard time of the first of the lists that lacked it while nothing could hide it; null when there is none. */
  absentSince: number | null;
  why: string;
  /** Clock time of the last announcement; null when none is in force. */
  announcedAt: number | null;
}

/** Two lists further apart than this: nobody looked in between, so the time does not count (polls are ≤ 15 s apart). */
const MAX_UNWATCHED_MS = 45_000;
/** An announcement outlives this only while the list says that the deletion goes on. */
const ANNOUNCEMENT_MS = 600_000;
/** The list may lag behind the announcement by this much. */
const WITHDRAWN_AFTER_MS = 30_000;
/** Monitor states in which a node may hide what it has; the empty one means that the node shows none. */
const unsure = new Set(['', 'init', 'rejoin', 'maintenance', 'upgrade', 'shutting', 'stopping', 'shutdown']);

export function createPresence({ deleteGraceMs }: PresenceOptions): Presence {
  const known = new Map<ServiceKey, Known>();
  const guard: ListGuard = createListGuard(deleteGraceMs);
  /** Monotonic time of the last list; null when the agent was not heard since. */
  let lastListAt: number | null = null;
  /** Milliseconds in which the agent was heard, in total. */
  let heardMs = 0;
  /** The last list came from an agent whose own node was past its start. */
  let settled = false;

  function learn(key: ServiceKey, state: 'present' | 'missing'): Known {
    const entry: Known = {
      scope: [],
      state,
      reason: 'absent',
      absentSince: null,
      why: 'not in any list yet',
      announcedAt: null,
    };
    known.set(key, entry);
    return entry;
  }

  function seePresent(entry: Known, service: ListedService, nowMs: number): boolean {
    const changed = entry.state !== 'present';
    entry.state = 'present';
    entry.absentSince = null;
    if (service.scope.length > 0) entry.scope = service.scope;
    if (service.deleting === true) entry.announcedAt = nowMs;
    else if (entry.announcedAt !== null) {
      const limit = service.deleting === false ? WITHDRAWN_AFTER_MS : ANNOUNCEMENT_MS;
      if (nowMs - entry.announcedAt > limit) entry.announcedAt = null;
    }
    return changed;
  }

  /** Not in the list, or there without a config on any node (`shadow`: its status lingers). */
  function seeAbsent(entry: Known, list: ClusterList, shadow: boolean, nowMs: number): boolean {
    if (entry.state === 'gone') return false;
    const before = entry.state;
    entry.state = 'missing';
    if (shadow) hold(entry, 'no node has its config, but its status is still shown');
    else if (!settled) hold(entry, 'the agent is starting or stopping, or does not say which node it is');
    else if (entry.announcedAt !== null && nowMs - entry.announcedAt <= ANNOUNCEMENT_MS) {
      entry.state = 'gone';
      entry.reason = 'announced';
      entry.announcedAt = null;
    } else {
      const hiding = hidingNode(entry.scope, list);
      if (hiding !== null) hold(entry, hiding);
      else if (entry.absentSince === null) entry.absentSince = heardMs;
      else if (heardMs - entry.absentSince >= deleteGraceMs && guard.open(heardMs)) {
        entry.state = 'gone';
        entry.reason = 'absent';
      }
    }
    return before !== entry.state;
  }

  function hold(entry: Known, why: string): void {
    entry.absentSince = null;
    entry.why = why;
  }

  function remaining({ absentSince }: Known): number | null {
    if (absentSince === null) return null;
    return Math.max(0, deleteGraceMs - (heardMs - absentSince), guard.remainingMs(heardMs));
  }

  return {
    seedKnown(keys) {
      for (const key of keys) if (!known.has(key)) learn(key, 'missing');
    },
    observeList(list, ownNode, nowMs) {
      if (lastListAt !== null && nowMs - lastListAt <= MAX_UNWATCHED_MS) heardMs += nowMs - lastListAt;
      lastListAt = nowMs;
      const own = ownNode === null ? undefined : list.nodes.get(ownNode);
      settled = own !== undefined && !unsure.has(own.status);
      for (const key of list.services.keys()) if (!known.has(key)) learn(key, 'missing');
      let had = 0;
      for (const { state } of known.values()) if (state !== 'gone') had += 1;
      guard.observe({ keys: list.services.keys(), size: list.services.size, had, heardMs, settled });
      const changed: ServiceKey[] = [];
      for (const [key, entry] of known) {
        const service = list.services.get(key);
        const differs =
          service !== undefined && service.csums.size > 0
            ? seePresent(entry, service, nowMs)
            : seeAbsent(entry, list, service !== undefined, nowMs);
        if (differs) changed.push(key);
      }
      return changed;
    },
    unheard() {
      lastListAt = null;
    },
    restarted() {
      guard.restarted();
      for (const entry of known.values())
        if (entry.state === 'missing') hold(entry, 'the agent was restarted');
    },
    announce(key, nowMs) {
      const entry = known.get(key);
      if (entry !== undefined && entry.state !== 'gone') entry.announcedAt = nowMs;
    },
    confirmDeletes() {
      // Of a silent or starting agent nothing can be confirmed: the operator looked at something else.
      if (!settled || lastListAt === null) return [];
      const confirmed = [...known].filter(([, { state }]) => state === 'missing');
      for (const [, entry] of confirmed) {
        entry.state = 'gone';
        entry.reason = 'absent';
      }
      guard.confirm();
      return confirmed.map(([key]) => key);
    },
    state(key) {
      const entry = known.get(key);
      if (entry === undefined) return undefined;
      if (entry.state === 'present') return { state: 'present' };
      if (entry.state === 'gone') return { state: 'gone', reason: entry.reason };
      const remainingMs = remaining(entry);
      return { state: 'missing', remainingMs, why: remainingMs === null ? entry.why : 'the grace runs' };
    },
    kind: (key) => known.get(key)?.state,
    keys: () => known.keys(),
    gone() {
      const gone: ServiceKey[] = [];
      for (const [key, { state }] of known) if (state === 'gone') gone.push(key);
      return gone;
    },
    forget(key) {
      if (known.get(key)?.state === 'gone') known.delete(key);
    },
    nextCheckAt() {
      if (lastListAt === null) return null;
      let earliest = Infinity;
      for (const entry of known.values()) {
        if (entry.state === 'missing') earliest = Math.min(earliest, remaining(entry) ?? Infinity);
      }
      return earliest === Infinity ? null : lastListAt + earliest;
    },
    problem: () => guard.problem(),
  };
}

/** Why the object may exist although no node shows it; null when nothing hides it. Rule (b): nodes of the scope. */
function hidingNode(scope: readonly string[], list: ClusterList): string | null {
  if (list.members.length === 0) return 'the members of the cluster are not known';
  const members = new Set(list.members);
  const nodes = scope.length === 0 ? list.members : scope.filter((node) => members.has(node));
  for (const name of nodes) {
    const node = list.nodes.get(name);
    if (node === undefined) return `node ${name}, which may have it, is not alive`;
    if (unsure.has(node.status))
      return `node ${name}, which may have it, is ${node.status || 'in an unknown state'}`;
  }
  return null;
}
