/** What every running server is to the registry, and how its construction fails. */
import type { PreparedConfig } from './config.js';
import type { Runtime } from './runtime.js';
import type { ServerStats } from './stats.js';

export interface RunningServer {
  /** Null when it listens; else the text of the 409. */
  start(): Promise<string | null>;
  /** Asynchronous in effect: the listener closes a little later, as in the real program. */
  stop(): void;
  /** The process ends: everything closes now. */
  kill(): void;
  /** Whether bytes passed in the last second: what makes a DELETE dangerous. */
  readonly busy: boolean;
  readonly createdAtMs: number;
}

export interface ServerParts {
  readonly runtime: Runtime;
  readonly config: PreparedConfig;
  readonly stats: ServerStats;
  /** Called once, when the listener is closed: the statistics of the name end with it. */
  readonly closed: () => void;
  /** How long after the answer to a DELETE the listener closes. */
  readonly closeLagMs: () => number;
  readonly races: boolean;
}

export type Built = { readonly server: RunningServer } | { readonly refused: string };
