/** What the page reads of `/api/v1/...`. A test holds these shapes against those of the server. */

export type State = 'serving' | 'pending' | 'held' | 'spoiled' | 'kept' | 'elsewhere' | 'slave';

export interface Exposure {
  readonly service: string;
  readonly word: string;
  readonly listen: string | null;
  readonly proto: string;
  readonly state: State;
  readonly server: string | null;
  readonly code: string | null;
  readonly why: string;
  readonly since: string | null;
  readonly warnings: readonly string[];
}

export interface Gateway {
  readonly health: string;
  readonly line: string;
  readonly version: string;
  readonly cluster: string;
  readonly node: string | null;
  readonly names: readonly string[];
  readonly orders: {
    readonly policy: string;
    readonly policySince: string | null;
    readonly pauses: readonly { readonly service: string | null; readonly until: string }[];
  };
  readonly problems: Readonly<Record<string, number | undefined>>;
}

export interface HistoryEvent {
  readonly id: number;
  readonly at: string;
  readonly kind: string;
  readonly service: string | null;
  readonly text: string;
}

export interface Problem {
  readonly code: string;
  readonly severity: string;
  readonly place: string;
  readonly message: string;
  readonly keeps: string;
  readonly mend: string;
}

export interface Link {
  readonly step: string;
  readonly state: string;
  readonly says: string;
  readonly mend: string;
}

export interface Explanation {
  readonly subject: string;
  readonly answer: string;
  readonly mend: string;
  readonly links: readonly Link[];
}

export interface Server {
  readonly server: string;
  readonly desired: string | null;
  readonly observed: string | null;
  readonly differs: readonly {
    readonly field: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
  readonly stats: {
    readonly activeConnections: number;
    readonly rxSecond: number;
    readonly txSecond: number;
    readonly backends: readonly {
      readonly host: string;
      readonly port: string;
      readonly live: boolean;
      readonly activeConnections: number;
      readonly totalConnections: number;
      readonly rxSecond: number;
      readonly txSecond: number;
    }[];
  } | null;
}

export interface Service {
  readonly service: string;
  readonly keywords: readonly {
    readonly name: string;
    readonly written: string;
    readonly value: string | null;
    readonly origin: string;
  }[];
  readonly exposures: readonly Exposure[];
  readonly servers: readonly Server[];
  readonly problems: readonly Problem[];
  readonly explanations: readonly Explanation[];
  readonly history: readonly HistoryEvent[];
}

interface Usage {
  readonly used: number;
  readonly free: number;
  readonly total: number;
}

export interface Ports {
  readonly usage: { readonly tcp: Usage; readonly udp: Usage };
  readonly range: { readonly from: number; readonly to: number };
  readonly ports: readonly {
    readonly proto: string;
    readonly port: number;
    readonly listen: string | null;
    readonly holder: string;
    readonly server: string | null;
    readonly service: string | null;
  }[];
}

/** An answer of the API; an error says what the server said. */
export async function ask<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  const answer = (await response.json()) as T & { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}
