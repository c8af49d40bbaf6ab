/** What is counted when somebody asks, not when it changes: the gauges, brought up to date before each scrape. */
import type { Clock } from './clock.js';
import type { Applier } from './gobetween/applier.js';
import type { Ledger } from './gobetween/ledger.js';
import type { ServiceKey } from './model/service.js';
import type { Arbiter } from './ports/arbiter.js';
import type { Workqueue } from './queue/workqueue.js';
import type { Reconciler } from './reconciler.js';
import type { Informer } from './source/informer.js';
import type { Metrics } from './telemetry/metrics.js';
import type { Compute } from './worker/compute.js';

export function createGauges(deps: {
  readonly reconciler: Reconciler;
  readonly ledger: Ledger;
  readonly applier: Applier;
  readonly arbiter: Arbiter;
  readonly queue: Workqueue<ServiceKey>;
  readonly informer: Pick<Informer, 'streaming' | 'unfinished'>;
  readonly balancerUp: () => boolean;
  readonly compute: Pick<Compute, 'stats'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
}): () => void {
  const { reconciler, ledger, applier, arbiter, queue, informer, metrics } = deps;
  return () => {
    let desired = 0;
    let held = 0;
    let conflicts = 0;
    for (const state of reconciler.states().values()) {
      desired += state.desired.length;
      held += state.held.length;
      conflicts += state.held.filter(({ grant }) => grant.code === 'port-conflict').length;
    }
    let foreign = 0;
    for (const { owned } of ledger.servers()) if (!owned) foreign += 1;
    metrics.servers('desired', desired);
    metrics.servers('observed', ledger.size());
    metrics.servers('pending', applier.pending());
    metrics.servers('held', held);
    metrics.servers('foreign', foreign);
    metrics.conflicts(conflicts);
    metrics.apiConcurrency(applier.concurrency());
    metrics.streamConnected(informer.streaming());
    for (const [name, { sumMs, longestMs }] of [
      ['reconcile', queue.unfinished()],
      ['reads', informer.unfinished()],
    ] as const)
      metrics.queue(name).unfinished(sumMs, longestMs);
    const usage = arbiter.usage();
    for (const proto of ['tcp', 'udp'] as const) metrics.ports(proto, usage[proto]);
    metrics.workers(deps.compute.stats());
    const done = reconciler.planned() && reconciler.idle() && applier.pending() === 0 && queue.depth === 0;
    // A held word is a problem with a name of its own, and nothing that this gateway still owes.
    const synced = done && deps.balancerUp();
    metrics.synced(synced, deps.clock.wall());
  };
}
