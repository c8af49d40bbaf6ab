/**
 * What a request to GoBetween came to. Every await on the client answers with one of these; text matching of
 * GoBetween's replies happens in client.ts only. Source: reference/gobetween-rest.md §2, §3.
 */
export type Outcome =
  | 'ok'
  | 'exists' // a server of that name is there
  | 'port-busy'
  | 'no-address'
  | 'denied' // permission denied
  | 'no-files' // too many open files
  | 'file-error' // certificate, key or CA file
  | 'invalid' // refused for another reason, or 400
  | 'closed' // connection closed without an answer: the handler panicked
  | 'unreachable' // connection refused or reset before an answer
  | 'timeout'
  | 'unauthorized'
  | 'too-large'
  | 'forbidden'; // not sent: the policy allows no such change now (guard.ts), or the server is foreign

export interface Answer<T> {
  readonly outcome: Outcome;
  /** Present when outcome is ok. */
  readonly value?: T;
  /** GoBetween's own words, for the log; never parsed. */
  readonly detail: string;
}

export interface BalancerStatus {
  readonly pid: number;
  readonly startTime: string;
}

/** A backend as GoBetween found it; `live`: by its health check. Bytes as GoBetween counts them: `rx` from the backend. */
export interface BackendStats {
  readonly host: string;
  readonly port: string;
  readonly live: boolean;
  readonly activeConnections: number;
  readonly totalConnections: number;
  readonly refusedConnections: number;
  readonly rxSecond: number;
  readonly txSecond: number;
}

/** Counters are refreshed each 2 s (gobetween-rest.md §6). Rates are bytes a second. */
export interface ServerStats {
  readonly activeConnections: number;
  readonly rxSecond: number;
  readonly txSecond: number;
  readonly backends: readonly BackendStats[];
}

/** The REST API of one GoBetween (reference/gobetween-rest.md). Never throws; every call ends within its time-out. */
export interface Balancer {
  status(): Promise<Answer<BalancerStatus>>;
  /**
   * The body of GET /servers: 60 s at most, 10 s between bytes. Callers keep one in flight, and are done with the bytes
   * before they ask for the next.
   */
  list(): Promise<Answer<Uint8Array>>;
  create(name: string, body: string): Promise<Answer<null>>;
  remove(name: string): Promise<Answer<null>>;
  get(name: string): Promise<Answer<string>>;
  stats(name: string): Promise<Answer<ServerStats | null>>;
  close(): Promise<void>;
  /** `fn` is called when a connection that was kept ends: GoBetween may be gone, or be back as another process. */
  whenCut?(fn: () => void): void;
}
