/** What is known of a service and of one of its words when somebody asks why, and the answer's shape. Values only. */
import type { ListenerAnswer } from '../gobetween/listener-try.js';
import type { ServerStats } from '../gobetween/outcome.js';
import type { Problem, ProblemCode } from '../model/problem.js';
import type { Verdict } from '../model/spec.js';
import type { SrvAnswer, SrvQuestion } from '../source/srv-lookup.js';
import type { Exposure } from './exposures.js';
import type { Peer } from './gateway.js';
import type { HeldBack } from './orders.js';

export type Step =
  | 'agent'
  | 'service'
  | 'config'
  | 'keywords'
  | 'gateway'
  | 'port'
  | 'gobetween'
  | 'server'
  | 'record'
  | 'backends'
  | 'listener';

export interface Link {
  readonly step: Step;
  /** broken: nothing passes here. warning: it works, but not as somebody may think. unknown: it could not be looked at. */
  readonly state: 'ok' | 'warning' | 'broken' | 'unknown';
  readonly says: string;
  /** An imperative; empty when there is nothing to mend. */
  readonly mend: string;
  readonly code: ProblemCode | null;
}

export interface Explanation {
  /** The word, or what else is explained. */
  readonly subject: string;
  /** One sentence: it works, or what is wrong. */
  readonly answer: string;
  /** How to mend the first thing that is wrong; empty when nothing is. */
  readonly mend: string;
  readonly links: readonly Link[];
}

export interface ServiceEvidence {
  /** As people write it. */
  readonly service: string;
  readonly agent: Peer;
  readonly gobetween: Peer & { readonly url: string };
  /** null: no list has ever shown it. */
  readonly state: 'present' | 'unreadable' | 'missing' | 'gone' | null;
  readonly reason: string;
  /** null: not compiled. */
  readonly verdict: Verdict | null;
  readonly names: readonly string[];
  readonly targets: string;
  readonly problems: readonly Problem[];
  /** Why an operator or the policy holds changes back; null: nothing does. */
  readonly heldBack: HeldBack | null;
}

export interface WordEvidence {
  readonly row: Exposure;
  /** null: there is no server to ask for. */
  readonly srv: { readonly question: SrvQuestion; readonly answer: SrvAnswer; readonly dig: string } | null;
  /** null: GoBetween has no such server, or did not say. */
  readonly stats: ServerStats | null;
  /** null: not tried. */
  readonly listener: ListenerAnswer | null;
}
