/**
 * Writes transitions of problems to the log without flooding it (SPEC §8): a few are one line each; many of one kind
 * become one line with the count and the first five. A kind that goes on and on is summed up at growing intervals.
 * Invariant: a transition and its reversal that were not yet written cancel each other.
 */
import { createAlarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import type { Problem, ProblemCode } from '../model/problem.js';
import { createLinePace, shownNames, singleLines } from './line-pace.js';
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

interface Entry {
  readonly transition: Transition;
  readonly problem: Problem;
}

const gatherMs = 1000;
const firstSyncGatherMs = 10_000;
const longestPauseMs = 60_000;

export function createTransitionLog(clock: Clock, log: TransitionWriter): TransitionLog {
  const waiting = new Map<string, Entry>();
  const pace = createLinePace(clock, () => longestPauseMs);
  let held = true;
  const alarm = createAlarm(clock, write);

  function write(): void {
    const total = waiting.size;
    for (const [name, entries] of grouped(waiting)) {
      const how = pace.ask(name, entries.length, entries.length === 1 || total <= singleLines);
      if (typeof how === 'number') {
        alarm.within(how - clock.now());
        continue;
      }
      if (how === 'each') for (const [, entry] of entries) writeOne(log, entry);
      else {
        writeMany(
          log,
          entries.map(([, entry]) => entry),
        );
      }
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
      alarm.within(held ? firstSyncGatherMs : gatherMs);
    },
    flush() {
      if (!held) alarm.ring();
    },
    release() {
      held = false;
      alarm.ring();
    },
    stop() {
      pace.open();
      alarm.ring();
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
  const firstFive = entries.slice(0, shownNames).map(({ problem }) => named(problem));
  const fields = { code, transition: first.transition, count: entries.length, first: firstFive };
  const rest = entries.length - firstFive.length;
  const names = `${firstFive.join(', ')}${rest > 0 ? ` and ${rest} more` : ''} [${code}]`;
  if (first.transition === 'raised') log.warn(fields, `${entries.length} times raised: ${names}`);
  else log.info(fields, `${entries.length} times mended: ${names}`);
}

const named = (problem: Problem): string =>
  [problemOwner(problem), problem.place].filter((part) => part !== '').join(': ');
