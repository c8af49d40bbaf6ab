/**
 * What is wrong with what a service (or the gateway) asks for, as data: who, what, why, what keeps working, how to mend it.
 * A `problem` spoils its word or its service; a `warning` does not. Codes are stable: operators alert on them (SPEC §3, §5, §6).
 */
import type { ServiceKey } from './service.js';

export type ProblemCode =
  // the bind value and the keywords (SPEC §3)
  | 'bad-word'
  | 'too-many-words'
  | 'duplicate-word'
  | 'bad-keyword'
  | 'bad-section'
  | 'unknown-keyword'
  | 'unresolved-reference'
  | 'reference-loop'
  | 'not-exposed'
  | 'hc-timeout'
  | 'discovery-once'
  | 'forced-default'
  | 'lookup-host-name'
  | 'target-unknown'
  | 'not-allowed'
  | 'name-unusable'
  // ports (SPEC §5)
  | 'port-conflict'
  | 'port-reserved'
  | 'port-busy'
  | 'port-denied'
  | 'port-exhausted'
  | 'no-address'
  | 'not-written-back'
  | 'write-back-reverted'
  | 'write-back-failed'
  // servers (SPEC §4, §7)
  | 'refused'
  | 'stale-default'
  | 'flapping'
  | 'file-error'
  | 'no-dns'
  // following the cluster (SPEC §2, §6)
  | 'config-unreadable'
  | 'identity-unknown'
  | 'list-shrunk'
  | 'stale-mount'
  | 'fighting'
  | 'control-unavailable'
  | 'state-unavailable'
  // the janitor itself
  | 'internal-error';

export interface Problem {
  readonly code: ProblemCode;
  readonly severity: 'problem' | 'warning';
  /** The service it belongs to; null for the gateway itself. */
  readonly key: ServiceKey | null;
  /** Keyword, or keyword and word: `igw_gobtw_bind 443/tcp-8443`. */
  readonly place: string;
  /** What is wrong and why, one sentence without the place. */
  readonly message: string;
  /** What keeps working meanwhile. */
  readonly keeps: string;
  /** How to mend it: an imperative, if possible the exact line to write. */
  readonly mend: string;
}
