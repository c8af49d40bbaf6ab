/**
 * Collects the problems of one service while it is compiled. Owns the two sentences that every problem shares: what keeps
 * working when a keyword, a word or nothing at all is spoiled (SPEC §3, ux: who, what, why, what keeps working, mend).
 */
import type { Problem, ProblemCode } from './problem.js';
import type { ServiceKey } from './service.js';

interface Note {
  readonly code: ProblemCode;
  readonly place: string;
  readonly message: string;
  readonly mend: string;
}

export interface Report {
  /** A keyword is wrong: the whole service stays as it is. */
  spoil(note: Note): void;
  /** A word is wrong: the others are served. */
  spoilWord(note: Note): void;
  /** Served all the same. */
  warn(note: Note): void;
  /** Adds what another report of the same service holds. */
  take(other: Report): void;
  readonly key: ServiceKey;
  readonly spoiled: () => boolean;
  readonly problems: () => readonly Problem[];
}

export function createReport(key: ServiceKey): Report {
  const problems: Problem[] = [];
  let spoiled = false;
  const add = (note: Note, severity: Problem['severity'], keeps: string): void => {
    problems.push({ ...note, severity, key, keeps });
  };
  return {
    spoil(note) {
      spoiled = true;
      add(note, 'problem', 'the servers it has stay as they are; no other service is affected');
    },
    spoilWord: (note) =>
      add(note, 'problem', 'its other words are served, and none of its servers is deleted meanwhile'),
    warn: (note) => add(note, 'warning', 'it is served all the same'),
    take(other) {
      problems.push(...other.problems());
      spoiled ||= other.spoiled();
    },
    key,
    spoiled: () => spoiled,
    problems: () => problems,
  };
}
