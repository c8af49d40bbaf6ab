/**
 * The problem board: what is wrong now, from every stage, in one place for the log, the metrics and the verbs.
 * Invariant: a problem is in force while at least one scope holds it; it is counted, and logged, once (SPEC §3, §8).
 */
import type { Clock } from '../clock.js';
import type { Problem, ProblemCode } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';
import { createTransitionLog, type Transition, type TransitionWriter } from './transition-log.js';

export interface ProblemMetrics {
  problems(code: ProblemCode, count: number): void;
  problemRaised(code: ProblemCode): void;
}

export interface ProblemBoard {
  /** All that is wrong in one scope now (a service's key and the stage that found it); replaces what it said before. */
  set(scope: string, problems: readonly Problem[]): void;
  /** Writes the round's transitions to the log. Outside of rounds they are written a second later. */
  endRound(): void;
  /** The first sync is over: until then transitions are gathered into few lines. */
  firstSyncDone(): void;
  all(): readonly Problem[];
  of(key: ServiceKey): readonly Problem[];
  /** Clock.now since when a service has a problem of this code; null: it has none. */
  raisedAtMs(key: ServiceKey, code: ProblemCode): number | null;
  /** Problems in force by code; absent codes have none. */
  counts(): ReadonlyMap<ProblemCode, number>;
  stop(): void;
}

export function createProblemBoard(deps: {
  readonly clock: Clock;
  readonly log: TransitionWriter;
  readonly metrics: ProblemMetrics;
  /** A problem came or went. */
  readonly onTurn?: (transition: Transition, problem: Problem) => void;
}): ProblemBoard {
  const scopes = new Map<string, readonly Problem[]>();
  /** The scopes that hold a problem of each service. */
  const scopesOf = new Map<ServiceKey, Set<string>>();
  /** In how many scopes' lists each identity stands, never 0, and since when (Clock.now). */
  const holders = new Map<string, { readonly count: number; readonly sinceMs: number }>();
  const counts = new Map<ProblemCode, number>();
  const transitions = createTransitionLog(deps.clock, deps.log);

  function turn(problem: Problem, transition: Transition): void {
    const count = (counts.get(problem.code) ?? 0) + (transition === 'raised' ? 1 : -1);
    if (count === 0) counts.delete(problem.code);
    else counts.set(problem.code, count);
    deps.metrics.problems(problem.code, count);
    if (transition === 'raised') deps.metrics.problemRaised(problem.code);
    transitions.note(identityOf(problem), transition, problem);
    deps.onTurn?.(transition, problem);
  }

  function hold(problem: Problem): void {
    const identity = identityOf(problem);
    const { count, sinceMs } = holders.get(identity) ?? { count: 0, sinceMs: deps.clock.now() };
    holders.set(identity, { count: count + 1, sinceMs });
    if (count === 0) turn(problem, 'raised');
  }

  function drop(problem: Problem): void {
    const identity = identityOf(problem);
    const { count, sinceMs } = holders.get(identity) ?? { count: 0, sinceMs: 0 };
    if (count > 1) {
      holders.set(identity, { count: count - 1, sinceMs });
      return;
    }
    holders.delete(identity);
    turn(problem, 'cleared');
  }

  function index(scope: string, before: readonly Problem[], now: readonly Problem[]): void {
    for (const { key } of now)
      if (key !== null) scopesOf.set(key, (scopesOf.get(key) ?? new Set()).add(scope));
    for (const { key } of before) {
      if (key === null || now.some((problem) => problem.key === key)) continue;
      const left = scopesOf.get(key);
      left?.delete(scope);
      if (left?.size === 0) scopesOf.delete(key);
    }
  }

  function problemsOf(key: ServiceKey): readonly Problem[] {
    return [...(scopesOf.get(key) ?? [])].flatMap((scope) =>
      (scopes.get(scope) ?? []).filter((problem) => problem.key === key),
    );
  }

  return {
    set(scope, problems) {
      const before = scopes.get(scope) ?? [];
      if (before.length === 0 && problems.length === 0) return;
      if (problems.length === 0) scopes.delete(scope);
      else scopes.set(scope, problems);
      index(scope, before, problems);
      for (const problem of problems) hold(problem);
      for (const problem of before) drop(problem);
    },
    endRound: () => transitions.flush(),
    firstSyncDone: () => transitions.release(),
    all: () => [...scopes.values()].flat(),
    of: problemsOf,
    raisedAtMs(key, code) {
      const found = problemsOf(key).filter((problem) => problem.code === code);
      const since = found.map((problem) => holders.get(identityOf(problem))?.sinceMs ?? Infinity);
      return since.length === 0 ? null : Math.min(...since);
    },
    counts: () => counts,
    stop: () => transitions.stop(),
  };
}

/** Its message may change, for instance with the winner of a conflict, without the problem being another one. */
function identityOf(problem: Problem): string {
  return `${problem.code}\n${problem.key ?? ''}\n${problem.place}`;
}
