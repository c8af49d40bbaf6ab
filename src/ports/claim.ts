/** What services ask for and what they get, as values: the vocabulary of ports/. Source: SPEC §5, DESIGN §5.2. */
import type { L4 } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';

/** One wish for a listener. A service that is served elsewhere claims too, so that every gateway chooses alike. */
export interface Claim {
  /** Stable: `key|proto|label|addr|listen`, the listen `*` when allocated. */
  readonly id: string;
  readonly key: ServiceKey;
  /** Served on this gateway: only these listen, so only these conflict. */
  readonly served: boolean;
  readonly proto: L4;
  /** The port of the SRV label, the left side of the word. */
  readonly label: number;
  /** Canonical IP literal without brackets. */
  readonly addr: string;
  /** null: allocated. */
  readonly listen: number | null;
  readonly wordText: string;
}

export type HeldCode = 'port-conflict' | 'port-reserved' | 'port-exhausted' | 'port-busy';

/** Who has what a held claim asks for; `since` is Unix milliseconds. */
export interface Winner {
  readonly key: ServiceKey;
  readonly since: number;
}

export type Grant =
  | { readonly kind: 'granted'; readonly addr: string; readonly port: number }
  | {
      readonly kind: 'held';
      readonly code: HeldCode;
      readonly winner: Winner | null;
      /** One sentence for people: what is in the way. */
      readonly detail: string;
    };

/** A port that a service's word had, as the state directory keeps it across restarts. */
export interface ClaimRecord {
  readonly proto: L4;
  readonly label: number;
  readonly addr: string;
  readonly port: number;
  /** Unix milliseconds. */
  readonly since: number;
}

export function sameGrant(a: Grant | null, b: Grant | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === 'granted') return b.kind === 'granted' && a.addr === b.addr && a.port === b.port;
  return b.kind === 'held' && a.code === b.code && a.winner?.key === b.winner?.key && a.detail === b.detail;
}
