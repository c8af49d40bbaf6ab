/**
 * Writes transitions of problems to the log without flooding it (SPEC §8): a few are one line each; many of one kind
 * become one line with the count and the first five. A kind that goes on and on is summed up at growing intervals.
 * Invariant: a transition and its reversal that were not yet written cancel each other.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Problem, ProblemCode } from '../model/problem.js';
import { problemLine, problemOwner } from './problem-line.js';

export type Transition = 'raised' | 'cleared';

export interface TransitionWriter {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface TransitionLog {
  note(identity: string, transition: Transition, problem: Problem): void;
  /** Writes what is due. */
  flush(): void;
  /** From here on a round's end writes at once; before, during the first sync, lines are gathered for longer. */
  release(): void;
  /** Writes everything that is left and waits for nothing more. */
  stop(): void;
}

interface Kind {
  /** Lines of single transitions since the kind was last quiet. */
  lines: number;
  lastMs: number;
  nextSummaryMs: number;
  pauseMs: number;
}

interface Entry {
  readonly transition: Transition;
  readonly problem: Problem;
}

const singleLines = 20;
const quietMs = 10_000;
const gatherMs = 1000;
const firstSyncGatherMs = 10_000;
const firstPauseMs = 2000;
const longestPauseMs = 60_000;

export function createTransitionLog(clock: Clock, log: TransitionWriter): TransitionLog {
  const waiting = new Map<string, Entry>();
  const kinds = new Map<string, Kind>();
  let held = true;
  let timer: { readonly atMs: number; readonly cancel: Cancel } | null = null;

  function wake(atMs: number): void {
    if (timer !== null && timer.atMs <= atMs) return;
    timer?.cancel();
    timer = { atMs, cancel: clock.after(atMs - clock.now(), write) };
  }

  function kindOf(name: string): Kind {
    const known = kinds.get(name);
    if (known !== undefined && clock.now() - known.lastMs < quietMs) return known;
    const fresh: Kind = { lines: 0, lastMs: clock.now(), nextSummaryMs: 0, pauseMs: firstPauseMs };
    kinds.set(name, fresh);
    return fresh;
  }

  function write(): void {
    timer?.cancel();
    timer = null;
    const total = waiting.size;
    for (const [name, entries] of grouped(waiting)) {
      const kind = kindOf(name);
      const now = clock.now();
      const singly =
        kind.lines + entries.length <= singleLines && (entries.length === 1 || total <= singleLines);
      if (!singly && now < kind.nextSummaryMs) {
        wake(kind.nextSummaryMs);
        continue;
      }
      if (singly) {
        for (const [, entry] of entries) writeOne(log, entry);
        kind.lines += entries.length;
      } else {
        writeMany(
          log,
          entries.map(([, entry]) => entry),
        );
        kind.lines = singleLines;
        kind.nextSummaryMs = now + kind.pauseMs;
        kind.pauseMs = Math.min(longestPauseMs, kind.pauseMs * 4);
      }
      kind.lastMs = Math.max(now, kind.nextSummaryMs);
      for (const [identity] of entries) waiting.delete(identity);
    }
  }

  return {
    note(identity, transition, problem) {
      const earlier = waiting.get(identity);
      if (earlier !== undefined && earlier.transition !== transition) {
        waiting.delete(identity);
        return;
      }
      waiting.set(identity, { transition, problem });
      wake(clock.now() + (held ? firstSyncGatherMs : gatherMs));
    },
    flush() {
      if (!held) write();
    },
    release() {
      held = false;
      write();
    },
    stop() {
      for (const kind of kinds.values()) kind.nextSummaryMs = 0;
      write();
    },
  };
}

function grouped(waiting: ReadonlyMap<string, Entry>): ReadonlyMap<string, (readonly [string, Entry])[]> {
  const groups = new Map<string, (readonly [string, Entry])[]>();
  for (const [identity, entry] of waiting) {
    const name = `${entry.problem.code} ${entry.transition}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [[identity, entry]]);
    else group.push([identity, entry]);
  }
  return groups;
}

function writeOne(log: TransitionWriter, { transition, problem }: Entry): void {
  const fields = {
    code: problem.code,
    severity: problem.severity,
    service: problem.key,
    place: problem.place,
    transition,
  };
  if (transition === 'raised') log.warn(fields, problemLine(problem));
  else log.info(fields, `${named(problem)}: mended [${problem.code}]`);
}

function writeMany(log: TransitionWriter, entries: readonly Entry[]): void {
  const [first] = entries;
  if (first === undefined) return;
  if (entries.length === 1) {
    writeOne(log, first);
    return;
  }
  const code: ProblemCode = first.problem.code;
  const firstFive = entries.slice(0, 5).map(({ problem }) => named(problem));
  const fields = { code, transition: first.transition, count: entries.length, first: firstFive };
  const rest = entries.length - firstFive.length;
  const names = `${firstFive.join(', ')}${rest > 0 ? ` and ${rest} more` : ''} [${code}]`;
  if (first.transition === 'raised') log.warn(fields, `${entries.length} times raised: ${names}`);
  else log.info(fields, `${entries.length} times mended: ${names}`);
}

const named = (problem: Problem): string =>
  [problemOwner(problem), problem.place].filter((part) => part !== '').join(': ');
