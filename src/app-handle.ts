/** What a verb may ask of a running janitor: the whole of it, and nothing of its parts. */
import type { Result } from './errors.js';
import type { Problem } from './model/problem.js';
import type { Change } from './plan/change.js';
import type { GatewayFigures } from './operator/gateway.js';
import type { Exposure } from './operator/exposures.js';

export interface AppOptions {
  /** Servers with a former default are replaced, not adopted (SPEC §4). */
  readonly refresh?: boolean;
  /** What was learnt is kept for the next start, where `--state-dir` says; otherwise it is only looked at. */
  readonly keepsState?: boolean;
}

export interface App {
  /** Opens the pages and begins to follow both sides; absent peers are waited for. */
  start(): Promise<Result<void>>;
  /** Resolves with the first plan, before any of it is carried out. To be asked for right after the start: it is not kept. */
  firstPlan(): Promise<readonly Change[]>;
  /** Resolves once the first plan is made. */
  planned(): Promise<void>;
  /** Resolves when nothing is left to do: no round, no change owed, no port to write back. Also when it stops. */
  settled(): Promise<void>;
  exposure(): readonly Exposure[];
  /** The gateway as a whole, in figures. */
  gateway(): GatewayFigures;
  /** Client connections through one server now; null: GoBetween does not say. */
  connections(server: string): Promise<number | null>;
  problems(): readonly Problem[];
  /** Owned servers believed to be in GoBetween. */
  servers(): number;
  /** `http://addr:port` of the page and /metrics; null when off. */
  address(): string | null;
  /** Who does not answer, one line each. */
  unreachable(): readonly string[];
  /** A line in the log about the program's own life: started, asked to look again, stopping. */
  say(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Looks at everything again. */
  resync(): void;
  /** Finishes what was begun, within 10 s. Servers stay. */
  stop(): Promise<void>;
}
