/**
 * One GoBetween server as values. Invariant: equality of servers is equality of `Digest`, taken over the canonical form
 * after GoBetween's own normalisation (reference/gobetween-rest.md §2); field text is never compared.
 */
import type { ServiceKey } from './service.js';

export type ServerName = string & { readonly __brand: 'ServerName' };
export type Digest = string & { readonly __brand: 'Digest' };
/** The layer 4 protocol: `tls` listens on tcp. */
export type L4 = 'tcp' | 'udp';

export interface Listen {
  readonly proto: L4;
  /** IP literal without brackets; `0.0.0.0` and `::` are wildcards. */
  readonly addr: string;
  readonly port: number;
}

/** What we want one server to be. `body` is the exact POST payload. */
export interface Desired {
  readonly name: ServerName;
  readonly key: ServiceKey;
  readonly listen: Listen;
  readonly digest: Digest;
  readonly body: string;
  /** `srv_lookup_server` in the body. */
  readonly lookupServer: string;
}

/** What `GET /servers` says of one server. */
export interface Observed {
  readonly name: ServerName;
  /** The service it belongs to by its name; null when the server is foreign or its historical name is ambiguous. */
  readonly key: ServiceKey | null;
  readonly owned: boolean;
  readonly historical: boolean;
  /** null when the bind text cannot be understood (foreign servers only). */
  readonly listen: Listen | null;
  readonly digest: Digest;
  /** `srv_lookup_server` verbatim; empty when the server has none. */
  readonly lookupServer: string;
  /** The canonical JSON: also a valid POST payload. */
  readonly canonical: string;
}
