/**
 * What one service asks for, as plain data that survives a structured clone: its words (where to listen for which SRV
 * label) and a template of everything else. Invariant: `words` are given whatever the verdict, because ports are chosen
 * for the whole cluster; a template exists only where every keyword is valid.
 */
import type { Problem } from './problem.js';
import type { L4 } from './server.js';
import type { ServiceKey } from './service.js';

/** One word of `igw_gobtw_bind`. */
export interface Word {
  /** As written. */
  readonly text: string;
  /** The SRV label: which port of the service. */
  readonly port: number;
  readonly proto: L4;
  /** Canonical IP literal to listen on, no brackets. */
  readonly addr: string;
  /** Port to listen on; null: allocated. */
  readonly listen: number | null;
  /** Other spellings of the same word beside it. */
  readonly again?: readonly string[];
}

/** Which DNS server GoBetween asks: the service's own `ip:port`, or one of the cluster's on `port`. */
export type Lookup =
  | { readonly kind: 'own'; readonly server: string }
  | { readonly kind: 'cluster'; readonly port: number };

/**
 * The POST payload of a server with three gaps (body-text.ts): before `bind`, before the lookup server, before the lookup
 * pattern, and the rest.
 */
export type BodyText = readonly [string, string, string, string];

/** Everything of a service's servers but their bind, name, lookup server and lookup pattern. */
export interface ServerTemplate {
  readonly key: ServiceKey;
  readonly clusterName: string;
  readonly lookup: Lookup;
  readonly dnsProtocol: 'tcp' | 'udp';
  /** The record name that the service sets, with its final dot; null: the one that the agent's DNS publishes. */
  readonly pattern: string | null;
  /** What a tcp word (tls too) and a udp word become; null where the service has no such word. */
  readonly tcp: BodyText | null;
  readonly udp: BodyText | null;
  /** Fields of the server that a keyword sets, by path: `balance`, `discovery.interval`, `tls`. */
  readonly setFields: readonly string[];
}

/**
 * served: by this gateway. elsewhere: its target names other gateways. unbound: it asks for nothing. slave: of a scaler.
 * spoiled: a keyword is wrong, so its servers stay as they are.
 */
export type Verdict = 'served' | 'elsewhere' | 'unbound' | 'slave' | 'spoiled';

export interface Compiled {
  readonly key: ServiceKey;
  readonly verdict: Verdict;
  /** Sorted, each claim once. Given for `elsewhere` and `spoiled` too. */
  readonly words: readonly Word[];
  /** True when a word could not be read: no server of the service may be deleted (SPEC §3). */
  readonly badWords: boolean;
  /** The SRV labels of the words that could not be read; null for one whose label cannot be read either. */
  readonly badLabels: readonly (number | null)[];
  /** Where the bind value comes from: only a `raw` one may be rewritten (SPEC §5). */
  readonly bindOrigin: 'raw' | 'reference' | 'scope';
  /** The raw igw_gobtw_bind text as written; empty when there is none. */
  readonly bindText: string;
  readonly template: ServerTemplate | null;
  /** The targets that are no name of this gateway: whether anybody bears them is known outside of the config. */
  readonly otherTargets: readonly string[];
  readonly problems: readonly Problem[];
}

/** What compile knows beside one service's config. The same for every service of a round. */
export interface CompileContext {
  /** v2: the SRV label is the left number of an expose line; v3: the right one. */
  readonly dialect: 'v2' | 'v3';
  readonly clusterName: string;
  /** Names that mean this gateway (SPEC §2). */
  readonly gatewayNames: readonly string[];
  /** The node whose scopes apply. */
  readonly nodeName: string;
  /** Canonical IP literal for words that give none. */
  readonly defaultAddr: string;
  readonly allowExec: boolean;
  readonly allowAcme: boolean;
  readonly tlsDir: string | null;
}
