/**
 * What is known of the cluster, put together: the informer with its cache, the choice of DNS servers, and who this gateway is
 * in it. Invariant: nothing is decided here; what changed is handed on.
 */
import type { Ports } from './effects.js';
import { createClusterEvents } from './cluster-events.js';
import { createIdentity, type Identity } from './identity.js';
import type { Problem } from './model/problem.js';
import type { ServiceKey } from './model/service.js';
import type { Peers } from './peers.js';
import type { ChangeReason } from './plan/change.js';
import type { Settings } from './settings/settings.js';
import { type ConfigCache, createConfigCache } from './source/config-cache.js';
import { createDnsChoice, type DnsChoice } from './source/dns-choice.js';
import { createInformer, type Informer } from './source/informer.js';
import type { Source } from './source/source.js';
import type { Metrics } from './telemetry/metrics.js';

export interface ClusterSide {
  readonly informer: Informer;
  readonly cache: ConfigCache;
  readonly dns: DnsChoice;
  readonly identity: Identity;
}

export interface ClusterSideEvents {
  /** Which DNS servers are preferred or may stay changed; or they were probed. */
  readonly dnsChanged: () => void;
  readonly dnsProbed: () => void;
  /** What compile knows beside one config changed. */
  readonly contextChanged: () => void;
  readonly noticed: (key: ServiceKey, since: number) => void;
  readonly dirty: (key: ServiceKey) => void;
  readonly dirtyAll: (reason: ChangeReason) => void;
  /** The cluster's list is complete. */
  readonly synced: () => void;
}

export function createClusterSide(deps: {
  readonly settings: Settings;
  readonly ports: Pick<Ports, 'clock' | 'random' | 'dnsProbe' | 'hostname' | 'agent'>;
  readonly source: Source;
  readonly metrics: Metrics;
  readonly peers: Peers;
  readonly report: (scope: string, problems: readonly Problem[]) => void;
  readonly on: ClusterSideEvents;
}): ClusterSide {
  const { settings, ports, source, metrics, on } = deps;
  const { clock, random } = ports;
  const dns = createDnsChoice({
    clock,
    probe: ports.dnsProbe,
    onChange: on.dnsChanged,
    onProbed: on.dnsProbed,
  });
  const cache = createConfigCache();
  const informer: Informer = createInformer({
    source,
    clock,
    random,
    cache,
    deleteGraceMs: settings.deleteGraceMs,
    fallbackNode: settings.hostname ?? ports.hostname,
    windowMs: settings.windowMs,
    readsMetrics: metrics.queue('reads'),
    onOrigin: metrics.configRead,
    resyncMs: settings.resyncMs,
    handlers: createClusterEvents({
      informer: () => informer,
      metrics,
      peers: deps.peers,
      setDns: (zone, servers) => dns.setCluster(zone, servers),
      contextChanged: on.contextChanged,
      noticed: on.noticed,
      dirty: on.dirty,
      dirtyAll: on.dirtyAll,
      synced: on.synced,
      refreshNames: () => identity.refresh(),
      ownProblems: () => [ports.agent.problem(), identity.problem()],
      report: deps.report,
    }),
  });
  const identity = createIdentity({
    settings,
    hostname: ports.hostname,
    cluster: informer.cluster,
    services: informer.known,
  });
  return { informer, cache, dns, identity };
}
