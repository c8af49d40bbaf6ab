/**
 * The ways in which a v2.1 agent lies, stalls and fails, as switches: each was measured on a real one
 * (reference/opensvc-v2-protocol.md §2, §4, §6). The object is live: a test may change it between two requests.
 */

/** How a config read can fail. `closed` ends without an answer, `silent` never ends, `cut` ends within the JSON. */
export type ConfigFailure =
  | 'key-error'
  | 'unknown-service'
  | 'unknown-keyword'
  | 'delete-in-progress'
  | 'internal'
  | 'forbidden'
  | 'not-supported'
  | 'closed'
  | 'silent'
  | 'cut';

/**
 * How `set` goes. `ret`: status 0 with ret 1, nothing changed. `lost`: applied, the connection ends without an answer.
 * `late`: applied only after the client left or `setMs` × 4, no answer. `internal`: status 500, nothing changed.
 */
export type SetOutcome = 'ok' | 'ret' | 'lost' | 'late' | 'internal';

export interface Flaws {
  /** Patches within `holdMs` of the last one stay until a later change, which any request is. @default false */
  holdPatches: boolean;
  /** @default 300 */
  holdMs: number;
  /** Time from a change to its patch. The real one takes 0 to 1.5 s. @default 2 */
  latencyMs: number;
  /** A longer frame is sent up to here and cuts every subscriber. 0 = never. @default 212992 */
  frameLimitBytes: number;
  /** Event paths as version 2.0 wrote them: without `monitor.nodes.<node>`. @default false */
  oldEventPaths: boolean;
  /** Added to every answer. @default 0 */
  answerMs: number;
  /** Config reads answered in a second, one after the other. 0 = no limit. @default 300 */
  configsPerSecond: number;
  /** Time that a `set` takes. The real one takes 300 to 2600. @default 5 */
  setMs: number;
  setOutcome: SetOutcome;
  /** Failures of config reads by display path; `*` is every path. */
  readonly configFailures: Map<string, ConfigFailure>;
  /** Blanks behind the answer's JSON, by action: an answer of any size. */
  readonly answerPadding: Map<string, number>;
  /** Added to each answer for each evaluation that spins. @default 20 */
  spinMs: number;
  /** Inactivity after which an unfinished request is dropped. @default 5000 */
  idleMs: number;
}

export function defaultFlaws(overrides: Partial<Flaws> = {}): Flaws {
  return {
    holdPatches: false,
    holdMs: 300,
    latencyMs: 2,
    frameLimitBytes: 212_992,
    oldEventPaths: false,
    answerMs: 0,
    configsPerSecond: 300,
    setMs: 5,
    setOutcome: 'ok',
    configFailures: new Map(),
    answerPadding: new Map(),
    spinMs: 20,
    idleMs: 5000,
    ...overrides,
  };
}
