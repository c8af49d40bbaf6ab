/**
 * The seam between the cluster and the janitor: what every agent dialect offers (v2.1 now, v3 later). Implementations do
 * I/O and hold no opinion: presence, grace and caching are the informer's. Errors are values; nothing here throws.
 */
import type { Result } from '../errors.js';
import type { ServiceKey } from '../model/service.js';

/** One service in a list. Source: `daemon_status` (reference/opensvc-v2-protocol.md §5). */
export interface ListedService {
  readonly key: ServiceKey;
  /** Checksum of the config file by node that has the config. */
  readonly csums: ReadonlyMap<string, string>;
  /** Nodes the config is meant for; empty when unknown. */
  readonly scope: readonly string[];
  /** Scaler slave, from whichever of status and aggregate shows it. */
  readonly slave: boolean;
  /** The agent is deleting it (`global_expect` deleted or purged); absent when this source cannot tell. */
  readonly deleting?: boolean;
}

export interface ListedNode {
  readonly name: string;
  /** `init`, `rejoin`, `idle`, `maintenance`, …; empty when the node shows none. */
  readonly status: string;
}

/** One complete `daemon_status`. Only kind `svc` is in `services`. */
export interface ClusterList {
  readonly clusterName: string;
  /** Members by configuration (`cluster.nodes`), alive or not. */
  readonly members: readonly string[];
  /** Nodes present in the status, that is, heard by this agent. */
  readonly nodes: ReadonlyMap<string, ListedNode>;
  readonly services: ReadonlyMap<ServiceKey, ListedService>;
  /** Changes when `cluster.conf` changed; null when unknown. */
  readonly clusterConfigCsum: string | null;
}

export type GapReason =
  | 'disconnected'
  | 'restarted'
  | 'cut-frame'
  | 'over-cap'
  | 'not-json'
  | 'id-gap'
  | 'silent'
  | 'refused';

/** Events are hints: they only say where to look. */
export interface WatchHandlers {
  /** The config of `key` may have changed; `csum` is the new checksum, on `node`, when the event shows them. */
  onConfig(key: ServiceKey, csum: string | null, node?: string): void;
  /** Existence, slave flag or nodes may have changed: list again. */
  onMembership(): void;
  /** The agent said that this object is being deleted (v2.1 `global_expect` deleted or purged). */
  onDeleting(key: ServiceKey): void;
  /** Something was missed: list again. `restarted`: the agent is not the one that was heard before. */
  onGap(reason: GapReason): void;
  /** This many frames, for the metrics. */
  onEvent(outcome: 'relevant' | 'irrelevant', frames: number): void;
  onConnected(up: boolean): void;
}

/** `text` is JSON `{section: {keyword: value}}`, without metadata. */
export interface ConfigAnswer {
  readonly text: string;
}

export interface ClusterConfig {
  readonly dns: readonly string[];
}

export interface Source {
  /** This agent's own node name. */
  nodeName(): Promise<Result<string>>;
  list(): Promise<Result<ClusterList>>;
  /** Never returns the cluster's secret. */
  clusterConfig(): Promise<Result<ClusterConfig>>;
  /** `evaluate` resolves references and scopes for `node`; must not be used on a config with a reference loop. */
  config(key: ServiceKey, options: { evaluate: boolean; node: string }): Promise<Result<ConfigAnswer>>;
  /** Sets `env.igw_gobtw_bind`. */
  setBind(key: ServiceKey, value: string): Promise<Result<void>>;
  /** Follows events, reconnecting for ever, until the returned function is called. */
  watch(handlers: WatchHandlers): () => void;
  close(): Promise<void>;
}

/** What is known of one service, as the informer hands it to the reconciler. Source: SPEC §6. */
export interface Facts {
  readonly key: ServiceKey;
  /**
   * present: in the list, and `config` is what it says now. unreadable: in the list, but its config cannot be read
   * (`reason`); keep what it has. missing: not in the list, not proven gone; keep what it has. gone: proven deleted.
   */
  readonly state: 'present' | 'unreadable' | 'missing' | 'gone';
  readonly reason: string;
  readonly slave: boolean;
  readonly scope: readonly string[];
  readonly config: ReadConfig | null;
}

export interface ReadConfig {
  readonly csum: string;
  /** JSON of the sections as written by the user. */
  readonly raw: string;
  /** JSON of the sections evaluated for this node; null when nothing in the igw keywords needs it. */
  readonly evaluated: string | null;
  /** The reference loop found in the raw text, as `env.a -> env.b -> env.a`; evaluation was not asked for. */
  readonly loop: string | null;
}
