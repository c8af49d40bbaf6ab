/**
 * The cluster as the janitor knows it: owns the Facts of every service. Subscribes, lists, polls, and reads the configs whose
 * checksum changed. Invariants: events only say where to look; a service keeps its last config until a newer one was read or
 * it is proven gone; onFacts is called when facts changed, and only then; no failure of the agent removes anything.
 * Order of start: node name, subscription, list (a list before the subscription would miss what happens between).
 * Source: SPEC §6, DESIGN §5.1, §5.6.
 */
import type { Clock } from '../clock.js';
import type { Failure, Result } from '../errors.js';
import type { Problem } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';
import type { WorkqueueMetrics } from '../queue/workqueue.js';
import type { Random } from '../random.js';
import { createClusterFacts, type Cluster, type ClusterFact } from './cluster-facts.js';
import type { ConfigCache } from './config-cache.js';
import { createConfigReader } from './config-reader.js';
import { createListPoller } from './list-poller.js';
import { createPresence } from './presence.js';
import { createServiceFacts } from './service-facts.js';
import type { ClusterList, Facts, Source, WatchHandlers } from './source.js';

/** other: a frame that says nothing to us. */
export type EventKind = 'config' | 'membership' | 'deleting' | 'other';

export interface InformerHandlers {
  /** `since`: when (Clock.now) the oldest of the changes now told was noticed. */
  onFacts(key: ServiceKey, since: number): void;
  onCluster(changed: readonly ClusterFact[]): void;
  /** The agent began or ceased to answer; `reason` says what it said last. Once per transition. */
  onAgent?(up: boolean, reason: string): void;
  /** Once, when `synced` becomes true. */
  onSynced?(): void;
  /** What events said, for the metrics, one by one without `count`; coalesced: it was to be looked at already. */
  onEvent?(kind: EventKind, outcome: 'queued' | 'coalesced' | 'irrelevant', count?: number): void;
  /** For the log and the metrics. */
  onGap?(reason: string): void;
  onListed?(costMs: number, services: number): void;
  /** Services came or went. */
  onServices?(): void;
  /** A list failed; why may be another thing than the last time. */
  onNotListed?(): void;
}

export interface InformerOptions {
  readonly source: Source;
  readonly clock: Clock;
  readonly random: Random;
  readonly cache: ConfigCache;
  readonly handlers: InformerHandlers;
  /** `--delete-grace` */
  readonly deleteGraceMs: number;
  /** The system's host name or `--hostname`, if the agent gives no name. */
  readonly fallbackNode: string;
  /** `--window`. @default 20 */
  readonly windowMs?: number;
  /** Config reads at a time. @default 4 */
  readonly concurrency?: number;
  /** `--resync`; null or absent: paced by cost. */
  readonly resyncMs?: number | null;
  readonly readsMetrics?: WorkqueueMetrics;
  /** A config that was wanted came from there, for the metrics. */
  readonly onOrigin?: (origin: 'agent' | 'cache') => void;
}

export interface Informer {
  /** undefined: not known, or known and not read yet. */
  facts(key: ServiceKey): Facts | undefined;
  /** Every key that has facts. */
  keys(): readonly ServiceKey[];
  /** Every service that a list has shown and that is not forgotten, read or not. */
  known(): Iterable<ServiceKey>;
  /** Those that are proven gone, and not forgotten. */
  gone(): readonly ServiceKey[];
  cluster(): Cluster;
  /**
   * A list with the cluster's name was seen from an agent past its start, our node's name is known, the DNS list was read, and every service in the
   * list was read or found unreadable, or the agent gives no more configs. Stays true.
   */
  synced(): boolean;
  /** The stream of events is up. */
  streaming(): boolean;
  /** Of the services of the last list. */
  progress(): { readonly read: number; readonly listed: number };
  problems(): readonly Problem[];
  /** Services that exist by other witness: owned servers seen at start, the state file. */
  seedKnown(keys: Iterable<ServiceKey>): void;
  /** What is missing from the last list is gone; returns those keys. */
  confirmDeletes(): readonly ServiceKey[];
  /** Lists now, and repeats the reads that failed. */
  resync(): void;
  /** The raw config as it is now, for a write that builds on it. */
  refreshRaw(key: ServiceKey): Promise<Result<string>>;
  /** When the oldest change of `key` that is not in its facts yet was noticed. */
  dirtySince(key: ServiceKey): number | undefined;
  /** When the oldest change that is in nobody's facts yet was noticed; null: there is none. */
  oldestDirtyMs(): number | null;
  /** Its config changed at least twice within the last seconds. */
  restless(key: ServiceKey): boolean;
  /** Config reads in progress. */
  unfinished(): { readonly sumMs: number; readonly longestMs: number };
  /** Drops a key that is gone, once nothing of it is left. */
  forget(key: ServiceKey): void;
  start(): void;
  stop(): void;
}

/** An agent that is in `init` or `rejoin` for longer has what it will have for a while. */
const START_MS = 120_000;
/** No config came for so long, though the agent answers: what is still not read holds back its own services only. */
const STALLED_MS = 10_000;
/** While a grace runs lists come at least this often, whatever `--resync` says: time that nobody watched does not count. */
const WATCH_MS = 15_000;

export function createInformer(options: InformerOptions): Informer {
  const { source, clock, handlers, windowMs = 20 } = options;
  const presence = createPresence(options);
  const cluster = createClusterFacts({
    source,
    fallbackNode: options.fallbackNode,
    onChange: (changed) => handlers.onCluster(changed),
  });
  const reader = createConfigReader({
    ...options,
    ...(options.readsMetrics === undefined ? {} : { metrics: options.readsMetrics }),
    context: () => cluster.context(),
    onRead: (key, config) => {
      if (stopped) return;
      lastReadAt = clock.now();
      store.read(key, config);
      checkSynced();
    },
    onUnreadable: (key, csum, failure) => {
      if (stopped) return;
      store.unreadable(key, csum, failure);
      checkSynced();
    },
  });
  const store = createServiceFacts({
    presence,
    reader,
    cache: options.cache,
    clock,
    context: () => cluster.context(),
    onFacts: (key, since) => handlers.onFacts(key, since),
  });
  const poller = createListPoller({
    clock,
    list,
    urgent: () => !streamUp || !synced,
    windowMs,
    ...(options.resyncMs === undefined ? {} : { everyMs: options.resyncMs }),
  });
  let stopWatch: (() => void) | undefined;
  let streamUp = false;
  let synced = false;
  let stopped = false;
  let firstListAt: number | undefined;
  let listed = 0;
  let lastReadAt = -Infinity;
  let agentUp: boolean | undefined;

  async function list(): Promise<boolean> {
    await cluster.learnNodeName();
    if (stopped) return true;
    stopWatch ??= source.watch(watchHandlers);
    const startedAt = clock.now();
    const answer = await source.list();
    if (stopped) return true;
    if (!answer.ok) return unheard(answer.failure);
    const costMs = clock.now() - startedAt;
    tellAgent(true, 'answers');
    apply(answer.value, startedAt);
    handlers.onListed?.(costMs, answer.value.services.size);
    return true;
  }

  function unheard(failure: Failure): boolean {
    presence.unheard();
    if (failure.code === 'agent-unreachable') presence.restarted();
    tellAgent(false, failure.message);
    handlers.onNotListed?.();
    return false;
  }

  function apply(answer: ClusterList, startedAt: number): void {
    const now = clock.now();
    firstListAt ??= now;
    listed = answer.services.size;
    cluster.observe(answer);
    const changed = presence.observeList(answer, cluster.now.nodeName, now);
    if (changed.length > 0) handlers.onServices?.();
    store.observe(answer, { changed, startedAt, ownNode: cluster.now.nodeName });
    void cluster.learnDns().then(checkSynced);
    const check = presence.nextCheckAt();
    if (check !== null) poller.at(Math.min(check > now ? check + 1 : Infinity, now + WATCH_MS));
    checkSynced();
  }

  function tellAgent(up: boolean, reason: string): void {
    if (agentUp === up) return;
    agentUp = up;
    handlers.onAgent?.(up, reason);
  }

  function checkSynced(): void {
    if (synced || stopped || firstListAt === undefined) return;
    const stalled = clock.now() - Math.max(firstListAt, lastReadAt) >= STALLED_MS;
    if (store.unreadCount() > 0 && !stalled) return;
    const { name, nodeName, nodes } = cluster.now;
    if (name === '') return;
    const status = nodes.get(nodeName ?? '')?.status;
    const starting = status === 'init' || status === 'rejoin';
    // Without the agent's own name a service that names this node would seem to be another gateway's.
    const incomplete = starting || !cluster.dnsKnown || !cluster.nodeNameSettled;
    if (incomplete && clock.now() - firstListAt < START_MS) return;
    synced = true;
    handlers.onSynced?.();
  }

  const watchHandlers: WatchHandlers = {
    onConfig(key, csum, node) {
      const own = cluster.now.nodeName;
      const reading = reader.firstDirtyAt(key) !== undefined;
      const known = csum !== null && store.hint(key, csum, node ?? own ?? '', own);
      const listed = known ? false : poller.soon();
      const queued = listed || (!reading && reader.firstDirtyAt(key) !== undefined);
      handlers.onEvent?.('config', queued ? 'queued' : reading || !known ? 'coalesced' : 'irrelevant');
    },
    onMembership() {
      const queued = poller.soon();
      handlers.onEvent?.('membership', queued ? 'queued' : 'coalesced');
    },
    onDeleting(key) {
      presence.announce(key, clock.now());
      const queued = poller.soon();
      handlers.onEvent?.('deleting', queued ? 'queued' : 'coalesced');
    },
    onGap(reason) {
      if (reason === 'restarted') presence.restarted();
      handlers.onGap?.(reason);
      poller.soon();
    },
    onEvent(outcome, frames) {
      if (outcome === 'irrelevant') handlers.onEvent?.('other', outcome, frames);
    },
    onConnected(up) {
      streamUp = up;
      if (up) poller.soon();
    },
  };

  return {
    facts: (key) => store.facts(key),
    keys: () => store.keys(),
    known: () => presence.keys(),
    gone: () => presence.gone(),
    cluster: () => cluster.now,
    synced: () => synced,
    streaming: () => streamUp,
    progress: () => ({ read: Math.max(0, listed - store.unreadCount()), listed }),
    problems() {
      const listProblem = presence.problem();
      return [...(listProblem === null ? [] : [listProblem]), ...store.problems()];
    },
    seedKnown(keys) {
      const seeded = [...keys].filter((key) => presence.kind(key) === undefined);
      presence.seedKnown(seeded);
      for (const key of seeded) store.publish(key);
    },
    confirmDeletes() {
      const gone = presence.confirmDeletes();
      for (const key of gone) store.publish(key);
      return gone;
    },
    resync() {
      reader.retryAll();
      poller.soon();
    },
    async refreshRaw(key) {
      const answer = await source.config(key, { evaluate: false, node: cluster.context().node });
      return answer.ok ? { ok: true, value: answer.value.text } : answer;
    },
    dirtySince: (key) => reader.firstDirtyAt(key),
    oldestDirtyMs: () => reader.oldestDirtyMs(),
    restless: (key) => reader.restless(key),
    unfinished: () => reader.unfinished(),
    forget: (key) => store.forget(key),
    start() {
      reader.start();
      poller.start();
    },
    stop() {
      stopped = true;
      stopWatch?.();
      poller.stop();
      reader.stop();
    },
  };
}
