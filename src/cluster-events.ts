/**
 * What follows from what the cluster says: services to look at again, DNS servers to probe, problems of the cluster as a
 * whole, and figures. Invariant: nothing is decided here; a change of a fact only marks who depends on it.
 */
import type { Problem } from './model/problem.js';
import type { ServiceKey } from './model/service.js';
import type { Peers } from './peers.js';
import type { ChangeReason } from './plan/change.js';
import type { Informer, InformerHandlers } from './source/informer.js';
import type { Metrics } from './telemetry/metrics.js';

export function createClusterEvents(deps: {
  readonly informer: () => Pick<Informer, 'cluster' | 'problems'>;
  readonly metrics: Pick<Metrics, 'agentUp' | 'event' | 'eventGap'>;
  readonly peers: Peers;
  readonly setDns: (zone: string, servers: readonly string[]) => void;
  /** What compile knows beside one config changed. */
  readonly contextChanged: () => void;
  readonly noticed: (key: ServiceKey, since: number) => void;
  readonly dirty: (key: ServiceKey) => void;
  readonly dirtyAll: (reason: ChangeReason) => void;
  /** The cluster's list is complete. */
  readonly synced: () => void;
  /** The names that targets may have changed. */
  readonly refreshNames: () => void;
  /** Problems of the gateway itself, looked at with each list, and with each that fails. */
  readonly ownProblems: () => readonly (Problem | null)[];
  readonly report: (scope: string, problems: readonly Problem[]) => void;
}): InformerHandlers {
  const { informer, metrics } = deps;

  function reportCluster(): void {
    const own = deps.ownProblems().filter((problem) => problem !== null);
    deps.report('cluster', [...informer().problems(), ...own]);
  }

  return {
    onFacts(key, since) {
      deps.noticed(key, since);
      deps.dirty(key);
    },
    onCluster(changed) {
      deps.refreshNames();
      const { name, dns } = informer().cluster();
      if (changed.includes('name') || changed.includes('dns')) deps.setDns(name, dns);
      if (changed.some((fact) => fact === 'name' || fact === 'node-name' || fact === 'members')) {
        deps.contextChanged();
        deps.dirtyAll('setting');
      }
    },
    onAgent(up, reason) {
      metrics.agentUp(up);
      deps.peers.tell('agent', up, `the OpenSVC agent: ${reason}`);
    },
    onSynced: deps.synced,
    onEvent: (kind, outcome, count) => metrics.event(kind, outcome, count),
    onGap: (reason) => metrics.eventGap(reason),
    onServices: deps.refreshNames,
    onListed: reportCluster,
    onNotListed: reportCluster,
  };
}
