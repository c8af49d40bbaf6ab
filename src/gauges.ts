/** What is counted when somebody asks, not when it changes: the gauges, brought up to date before each scrape. */
import type { Clock } from './clock.js';
import type { Applier } from './gobetween/applier.js';
import type { Ledger } from './gobetween/ledger.js';
import type { Problem } from './model/problem.js';
import type { ServiceKey } from './model/service.js';
import type { Orders } from './operator/orders.js';
import type { Arbiter } from './ports/arbiter.js';
import type { Workqueue } from './queue/workqueue.js';
import type { Reconciler } from './reconciler.js';
import type { ServiceState } from './service-state.js';
import type { ConfigCache } from './source/config-cache.js';
import type { Informer } from './source/informer.js';
import type { Metrics } from './telemetry/metrics.js';
import type { Compute } from './worker/compute.js';

export function createGauges(deps: {
  readonly reconciler: Reconciler;
  readonly ledger: Ledger;
  readonly applier: Applier;
  readonly arbiter: Arbiter;
  readonly queue: Workqueue<ServiceKey>;
  readonly informer: Pick<Informer, 'oldestDirtyMs' | 'streaming' | 'unfinished'>;
  readonly balancerUp: () => boolean;
  /** When the oldest change that GoBetween does not have yet was noticed. */
  readonly oldestMs: () => number | null;
  readonly staleDefaults: () => number;
  readonly orders: Pick<Orders, 'inForce'>;
  readonly problems: () => readonly Problem[];
  readonly cache: Pick<ConfigCache, 'size'>;
  readonly compute: Pick<Compute, 'stats'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
}): () => void {
  const { reconciler, ledger, applier, arbiter, queue, informer, metrics } = deps;
  return () => {
    let desired = 0;
    let held = 0;
    let invalid = 0;
    let conflicts = 0;
    for (const state of reconciler.states().values()) {
      desired += state.desired.length;
      held += state.held.length;
      invalid += invalidWords(state, ledger);
      for (const { grant } of state.held) if (grant.code === 'port-conflict') conflicts += 1;
    }
    const { inSync, foreign } = ledger.tally();
    const stale = deps.staleDefaults();
    metrics.serversInAll(desired, ledger.size());
    metrics.servers('in-sync', Math.max(0, inSync - stale));
    metrics.servers('pending', applier.pending());
    metrics.servers('held', held);
    metrics.servers('invalid', invalid);
    metrics.servers('foreign', foreign);
    metrics.servers('stale-default', stale);
    const { policy, pauses } = deps.orders.inForce();
    metrics.orders(policy, pauses.length);
    metrics.trouble(deps.problems());
    const { entries, bytes } = deps.cache.size();
    metrics.configCache(entries, bytes);
    metrics.conflicts(conflicts);
    metrics.apiConcurrency(applier.concurrency());
    metrics.streamConnected(informer.streaming());
    for (const [name, { sumMs, longestMs }] of [
      ['reconcile', queue.unfinished()],
      ['reads', informer.unfinished()],
    ] as const)
      metrics.queue(name).unfinished(sumMs, longestMs);
    const sinceMs = oldestOf(deps.oldestMs(), informer.oldestDirtyMs());
    metrics.oldestUnserved(sinceMs === null ? 0 : deps.clock.now() - sinceMs);
    const usage = arbiter.usage();
    for (const proto of ['tcp', 'udp'] as const) metrics.ports(proto, usage[proto]);
    metrics.workers(deps.compute.stats());
    const done = reconciler.planned() && reconciler.idle() && applier.pending() === 0 && queue.depth === 0;
    // A held word is a problem with a name of its own, and nothing that this gateway still owes.
    const synced = done && deps.balancerUp();
    metrics.synced(synced, deps.clock.wall());
  };
}

/** Words that nothing serves because they, or a keyword of their service, are wrong. */
function invalidWords({ key, compiled }: ServiceState, ledger: Pick<Ledger, 'byKey'>): number {
  if (compiled === null) return 0;
  if (compiled.verdict !== 'spoiled') return compiled.badLabels.length;
  return compiled.badLabels.length + Math.max(0, compiled.words.length - ledger.byKey(key).length);
}

function oldestOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
