/**
 * What the applier tells while it works: the seam to logs, metrics, problems and the arbiter. Invariant: one call per
 * transition; handlers must not throw, and may call the applier back.
 */
import type { Listen, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { ChangeReason } from '../plan/change.js';
import type { Outcome } from './outcome.js';
import type { PacedWave } from './pacing.js';
import type { HoldCode } from './schedule.js';

/** All optional. Times are milliseconds; `until` is monotonic. */
export interface ApplierEvents {
  readonly applied?: (event: {
    readonly name: ServerName;
    readonly key: ServiceKey | null;
    readonly kind: 'create' | 'replace' | 'delete' | 'adopt';
    readonly reason: ChangeReason;
    /** Since the server was first found to differ. */
    readonly ms: number;
  }) => void;
  readonly failed?: (event: {
    readonly name: ServerName;
    readonly key: ServiceKey | null;
    readonly listen: Listen | null;
    readonly outcome: Outcome;
    /** GoBetween's own words, for the log. */
    readonly detail: string;
    readonly attempt: number;
    /** null: not before the intent changes. */
    readonly retryInMs: number | null;
    /** What was there before serves again. */
    readonly restored: boolean;
  }) => void;
  readonly freed?: (listen: Listen, name: ServerName) => void;
  readonly held?: (event: {
    readonly name: ServerName;
    readonly key: ServiceKey | null;
    readonly code: HoldCode;
    /** null: until a port is free. */
    readonly until: number | null;
    /** For code `port`: the port, and who holds it. */
    readonly listen: Listen | null;
    readonly by: readonly ServerName[];
  }) => void;
  /** What was told as failed or held, `flapping` apart, is over: done, or not wanted any more. */
  readonly cleared?: (name: ServerName) => void;
  /** A server that was told as `flapping` had no change for 10 s. */
  readonly calmed?: (name: ServerName) => void;
  /** A DELETE was sent to a server that had so many client connections when it was last looked at. */
  readonly dropped?: (reason: ChangeReason, connections: number) => void;
  readonly superseded?: (count: number) => void;
  /** false: GoBetween does not answer, nothing is sent until `resume('outage')`. */
  readonly outage?: (up: boolean) => void;
  readonly paced?: (wave: PacedWave) => void;
  /**
   * Something was done to this server for a wish that was taken back meanwhile, or for none (what was taken away was put
   * back): its service must be planned anew.
   */
  readonly outrun?: (name: ServerName) => void;
  /** A server that was mended 2 s ago, or whose requests went unanswered, is different again. */
  readonly drifted?: (name: ServerName, key: ServiceKey | null) => void;
}
