/**
 * One log line per change of a server, per refusal and per port written back; more than 20 of a kind in a moment become
 * one line with the count and the first five (SPEC §8). Invariants: a first sync of any size and pace is a handful of
 * lines, because what is known to follow counts as well; what goes on for ever is written once.
 */
import { createAlarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import type { Change } from '../plan/change.js';
import { createLinePace, shownNames, singleLines } from './line-pace.js';
import type { TransitionWriter } from './transition-log.js';

export type LineKind = Change['kind'] | 'refuse' | 'write-back';

export interface ChangeLine {
  readonly kind: LineKind;
  /** What a summary names: the server, or the service whose port was written back. */
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ChangeLog {
  note(line: ChangeLine): void;
  /** Writes everything that is left: the program ends. */
  flush(): void;
}

const gatherMs = 200;
const longestPauseMs = 300_000;
/** Writing back takes an agent a second or so for each service. */
const longestWriteBackPauseMs = 1_800_000;

const words: Record<
  LineKind,
  { readonly one: string; readonly many: string; readonly level: 'info' | 'warn' }
> = {
  create: { one: 'server created', many: 'servers created', level: 'info' },
  replace: { one: 'server replaced', many: 'servers replaced', level: 'info' },
  delete: { one: 'server deleted', many: 'servers deleted', level: 'info' },
  adopt: { one: 'server adopted', many: 'servers adopted', level: 'info' },
  refuse: {
    one: 'GoBetween did not take a change',
    many: 'changes that GoBetween did not take',
    level: 'warn',
  },
  'write-back': {
    one: 'allocated ports written back',
    many: 'services whose allocated ports were written back',
    level: 'info',
  },
};

/** `owed` is how many of a kind are still to come; `told` hears of each line, also of those that a summary swallows. */
export function createChangeLog(
  clock: Clock,
  log: TransitionWriter,
  owed: (kind: LineKind) => number,
  told: (line: ChangeLine) => void = () => undefined,
): ChangeLog {
  /** Of each kind no more lines than could be written each. */
  const waiting = new Map<LineKind, { count: number; readonly lines: ChangeLine[] }>();
  const pace = createLinePace(clock, (kind) =>
    kind === 'write-back' ? longestWriteBackPauseMs : longestPauseMs,
  );
  const alarm = createAlarm(clock, write);

  function write(): void {
    for (const [kind, { count, lines }] of waiting) {
      const how = pace.ask(kind, count, owed(kind) <= singleLines);
      if (typeof how === 'number') {
        alarm.within(how - clock.now());
        continue;
      }
      waiting.delete(kind);
      const { one, many, level } = words[kind];
      if (how === 'each' || count === 1) for (const { fields } of lines) log[level](fields, one);
      else {
        const first = lines.slice(0, shownNames).map(({ name }) => name);
        log[level]({ count, first }, `${count} ${many}`);
      }
    }
  }

  return {
    note(line) {
      told(line);
      const kind = waiting.get(line.kind) ?? { count: 0, lines: [] };
      kind.count += 1;
      if (kind.lines.length < singleLines) kind.lines.push(line);
      waiting.set(line.kind, kind);
      alarm.within(gatherMs);
    },
    flush() {
      pace.open();
      alarm.ring();
    },
  };
}
