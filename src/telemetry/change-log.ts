/**
 * One log line per change of a server; more than 20 of a kind in a moment become one line with the count and the first
 * five (SPEC §8). Invariant: a first sync of any size is a handful of lines, because a flood doubles the moment.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Change, ChangeReason } from '../plan/change.js';

export interface ChangeLine {
  readonly kind: Change['kind'];
  readonly name: string;
  readonly service: string;
  readonly reason: ChangeReason;
  readonly listen: string;
}

export interface ChangeLog {
  note(line: ChangeLine): void;
  flush(): void;
}

const fewest = 20;
const shown = 5;
const firstPauseMs = 200;
const longestPauseMs = 30_000;
const verbs: Record<Change['kind'], string> = {
  create: 'created',
  replace: 'replaced',
  delete: 'deleted',
  adopt: 'adopted',
};

export function createChangeLog(
  clock: Clock,
  log: { info(fields: Readonly<Record<string, unknown>>, message: string): void },
): ChangeLog {
  let lines: ChangeLine[] = [];
  let pauseMs = firstPauseMs;
  let timer: Cancel | null = null;

  function flush(): void {
    timer?.();
    timer = null;
    const kinds = new Map<Change['kind'], ChangeLine[]>();
    for (const line of lines) {
      const same = kinds.get(line.kind);
      if (same === undefined) kinds.set(line.kind, [line]);
      else same.push(line);
    }
    const flood = lines.length > fewest;
    pauseMs = flood ? Math.min(longestPauseMs, pauseMs * 2) : firstPauseMs;
    lines = [];
    for (const [kind, all] of kinds) {
      if (all.length > fewest) {
        const first = all.slice(0, shown).map(({ name }) => name);
        log.info({ count: all.length, first }, `${all.length} servers ${verbs[kind]}`);
      } else {
        for (const { name, service, reason, listen } of all) {
          log.info(
            { server: name, service, reason, ...(listen === '' ? {} : { listen }) },
            `server ${verbs[kind]}`,
          );
        }
      }
    }
  }

  return {
    note(line) {
      lines.push(line);
      timer ??= clock.after(pauseMs, flush);
    },
    flush,
  };
}
