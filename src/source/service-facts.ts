/**
 * The Facts per service, and what of them is known but not read yet. Invariants: the last config that was read stays until a
 * newer one was; a list that was begun before an event came does not undo the event; onFacts is called only when the state,
 * the slave flag or the text of the config changed. Source: SPEC §6.
 */
import type { Clock } from '../clock.js';
import type { Failure } from '../errors.js';
import type { Problem } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';
import type { ConfigCache, EvaluationContext } from './config-cache.js';
import type { ConfigReader } from './config-reader.js';
import type { Presence, PresenceState } from './presence.js';
import type { ClusterList, Facts, ListedService, ReadConfig } from './source.js';

export interface ServiceFacts {
  facts(key: ServiceKey): Facts | undefined;
  /** The state of its facts alone: costs a look-up, and is asked of all. */
  stateOf(key: ServiceKey): Facts['state'] | undefined;
  keys(): readonly ServiceKey[];
  /** A list, begun at `startedAt`; presence has seen it already and says which keys `changed` by it. */
  observe(
    list: ClusterList,
    seen: { changed: readonly ServiceKey[]; startedAt: number; ownNode: string | null },
  ): void;
  /** An event showed `csum` on `node`. False when only a list can tell what it means. */
  hint(key: ServiceKey, csum: string, node: string, ownNode: string | null): boolean;
  read(key: ServiceKey, config: ReadConfig): void;
  unreadable(key: ServiceKey, csum: string, failure: Failure): void;
  /** Tells onFacts if the facts of `key` differ from what was told last. */
  publish(key: ServiceKey): void;
  /** Listed services whose config was neither read nor found unreadable yet. */
  unreadCount(): number;
  /** One `config-unreadable` per service that is in the list and cannot be read. */
  problems(): readonly Problem[];
  forget(key: ServiceKey): void;
}

export interface ServiceFactsOptions {
  readonly presence: Presence;
  readonly reader: Pick<ConfigReader, 'want' | 'drop' | 'firstDirtyAt'>;
  readonly cache: Pick<ConfigCache, 'movedOn' | 'forget'>;
  readonly clock: Clock;
  readonly context: () => EvaluationContext;
  readonly onFacts: (key: ServiceKey, since: number) => void;
}

const noNodes: readonly string[] = [];

interface Entry {
  slave: boolean;
  scope: readonly string[];
  csums: ReadonlyMap<string, string>;
  config: ReadConfig | null;
  /** The evaluation's context when `config` was asked for. */
  context: string;
  /** Checksum that is being read, or whose reading failed for good; null when `config` is the newest known. */
  wanted: string | null;
  /** Why the config cannot be read; null when it can. */
  unreadable: string | null;
  /** When an event last showed a checksum. */
  hintedAt: number;
  /** What the last list said, and the circumstances in which it was followed. */
  listed: ListedService | null;
  followed: string;
  /** The config whose checksum the cluster has left. */
  left: ReadConfig | null;
  told: Facts | undefined;
}

/**
 * The checksum that stands for the config: our own node's, for its agent answers from what it has. Where our node has none
 * every node's counts (joined with `+`): any of them may answer, so the config is read again until they agree.
 */
function preferredCsum(csums: ReadonlyMap<string, string>, ownNode: string | null): string | null {
  const own = ownNode === null ? undefined : csums.get(ownNode);
  if (own !== undefined) return own;
  return csums.size === 0 ? null : [...new Set(csums.values())].sort().join('+');
}

export function createServiceFacts(options: ServiceFactsOptions): ServiceFacts {
  const { presence, reader, cache, clock, context, onFacts } = options;
  const entries = new Map<ServiceKey, Entry>();
  /** Keys of listed services never read. */
  const unread = new Set<ServiceKey>();
  /** Invariant: the keys whose `unreadable` is not null. */
  const unreadableKeys = new Set<ServiceKey>();

  function entryOf(key: ServiceKey): Entry {
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = {
        slave: false,
        scope: [],
        csums: new Map(),
        config: null,
        context: '',
        wanted: null,
        unreadable: null,
        hintedAt: -Infinity,
        listed: null,
        followed: '',
        left: null,
        told: undefined,
      };
      entries.set(key, entry);
    }
    return entry;
  }

  function setUnreadable(key: ServiceKey, entry: Entry, reason: string | null): void {
    entry.unreadable = reason;
    if (reason === null) unreadableKeys.delete(key);
    else unreadableKeys.add(key);
  }

  /** Starts a read if the newest checksum is neither read nor being read. */
  function follow(key: ServiceKey, entry: Entry, ownNode: string | null, fresh: boolean): void {
    const csum = preferredCsum(entry.csums, ownNode);
    if (csum === null) return;
    const evaluation = contextName(context());
    const current =
      entry.config?.csum === csum && (entry.config.evaluated === null || entry.context === evaluation);
    if (current && entry.wanted === null) return;
    if (entry.wanted === csum && entry.context === evaluation) return;
    if (entry.config !== null && entry.config.csum !== csum && entry.left !== entry.config) {
      entry.left = entry.config;
      cache.movedOn(key, entry.config.csum, context(), clock.now());
    }
    entry.wanted = csum;
    entry.context = evaluation;
    reader.want(key, csum, { fresh, first: entry.config === null });
  }

  function stateOf(key: ServiceKey): Facts['state'] | undefined {
    const kind = presence.kind(key);
    if (kind !== 'present') return kind;
    const entry = entries.get(key);
    if (entry?.unreadable != null) return 'unreadable';
    if (entry?.config != null) return 'present';
    // It may have servers from an earlier life, which must not be without an owner until the config is read.
    return entry?.told?.state === 'missing' ? 'missing' : undefined;
  }

  function compute(key: ServiceKey): Facts | undefined {
    const state = stateOf(key);
    if (state === undefined) return undefined;
    const entry = entries.get(key);
    const seen = presence.state(key);
    return {
      key,
      state,
      reason: reasonOf(seen, entry),
      slave: entry?.slave ?? false,
      scope: entry?.scope ?? noNodes,
      config: entry?.config ?? null,
    };
  }

  function reasonOf(seen: PresenceState | undefined, entry: Entry | undefined): string {
    if (seen?.state === 'gone') return seen.reason;
    if (seen?.state === 'missing') return seen.why;
    if (entry?.unreadable != null) return entry.unreadable;
    return entry?.config == null ? 'listed again, its config is not read yet' : '';
  }

  function publish(key: ServiceKey): void {
    const facts = compute(key);
    if (facts === undefined) return;
    const entry = entryOf(key);
    const before = entry.told;
    entry.told = facts;
    // Should it come back, what it asked for in its former life does not count.
    if (facts.state === 'gone' && entry.config !== null) {
      cache.forget(key, entry.config.csum, context());
      entry.config = null;
    }
    if (before === undefined || differs(before, facts)) onFacts(key, reader.firstDirtyAt(key) ?? clock.now());
  }

  function observeService(
    service: ListedService,
    startedAt: number,
    ownNode: string | null,
    circumstances: string,
  ): void {
    const { key } = service;
    const entry = entryOf(key);
    // Nothing of it changed since the last list, and no event came in between.
    const same = entry.listed === service && entry.csums === service.csums;
    if (same && entry.followed === circumstances) return;
    entry.listed = service;
    entry.followed = circumstances;
    const slaveChanged = entry.slave !== service.slave;
    entry.slave = service.slave;
    entry.scope = service.scope;
    // An event that came while the list was made is newer than the list.
    if (entry.hintedAt < startedAt) entry.csums = service.csums;
    if (entry.csums.size > 0 && entry.config === null && entry.unreadable === null) unread.add(key);
    follow(key, entry, ownNode, false);
    if (slaveChanged) publish(key);
  }

  /** Not in the list (any more): no read of it can succeed. */
  function leave(key: ServiceKey, entry: Entry): void {
    unread.delete(key);
    reader.drop(key);
    entry.csums = new Map();
    entry.listed = null;
    entry.wanted = null;
    setUnreadable(key, entry, null);
    if (presence.kind(key) === undefined) entries.delete(key);
  }

  return {
    facts(key) {
      return compute(key);
    },
    stateOf,
    keys: () => [...presence.keys()].filter((key) => stateOf(key) !== undefined),
    observe(list, { changed, startedAt, ownNode }) {
      const circumstances = `${ownNode ?? ''} ${contextName(context())}`;
      for (const service of list.services.values())
        observeService(service, startedAt, ownNode, circumstances);
      // Each listed service has an entry: as many entries are no more than those.
      for (const [key, entry] of entries.size > list.services.size ? entries : []) {
        if (!list.services.has(key) && entry.hintedAt < startedAt && entry.csums.size > 0) leave(key, entry);
      }
      for (const key of changed) publish(key);
    },
    hint(key, csum, node, ownNode) {
      const entry = entryOf(key);
      entry.hintedAt = clock.now();
      if (entry.csums.get(node) !== csum) entry.csums = new Map(entry.csums).set(node, csum);
      follow(key, entry, ownNode, true);
      return presence.kind(key) === 'present';
    },
    read(key, config) {
      const entry = entryOf(key);
      if (entry.wanted === config.csum) entry.wanted = null;
      entry.config = config;
      setUnreadable(key, entry, null);
      unread.delete(key);
      publish(key);
    },
    unreadable(key, csum, failure) {
      const entry = entryOf(key);
      if (entry.wanted !== csum) return;
      setUnreadable(key, entry, failure.message);
      unread.delete(key);
      publish(key);
    },
    publish,
    unreadCount: () => unread.size,
    problems: () =>
      [...unreadableKeys]
        .filter((key) => presence.kind(key) === 'present')
        .map((key) => problemOf(key, entries.get(key)?.unreadable ?? '')),
    forget(key) {
      if (presence.kind(key) !== 'gone') return;
      presence.forget(key);
      entries.delete(key);
      unreadableKeys.delete(key);
      reader.drop(key);
    },
  };
}

const contextName = ({ clusterConfigCsum, node }: EvaluationContext): string =>
  `${clusterConfigCsum ?? ''} ${node}`;

/** Another checksum of the same text is no change. */
function differs(a: Facts, b: Facts): boolean {
  if (a.state !== b.state) return true;
  if (b.state === 'gone') return false;
  if (a.slave !== b.slave) return true;
  if (a.config === null || b.config === null) return a.config !== b.config;
  return (
    a.config.raw !== b.config.raw ||
    a.config.evaluated !== b.config.evaluated ||
    a.config.loop !== b.config.loop
  );
}

function problemOf(key: ServiceKey, reason: string): Problem {
  return {
    code: 'config-unreadable',
    severity: 'problem',
    key,
    place: 'config',
    message: `the agent lists the service, but its config cannot be read: ${reason}`,
    keeps: 'its servers, as they are',
    mend: 'read it with `om <service> print config --eval` on this node; the janitor tries again by itself',
  };
}
