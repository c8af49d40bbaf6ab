/**
 * Servers that somebody else changes, makes or removes again and again: most likely a second janitor on this GoBetween
 * (DESIGN §5.5). After it was mended three times within a minute a server is left as it is for a while, so that two who
 * disagree do not drop its connections for ever. Invariant: bounded by the servers that were mended within the last minute.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Problem } from '../model/problem.js';
import type { ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';

export interface Contested {
  /** A server of `key` was brought back after somebody else had changed or removed it. */
  mended(name: ServerName, key: ServiceKey): void;
  /** It is left alone now. */
  has(name: ServerName): boolean;
  stop(): void;
}

const mends = 3;
const withinMs = 60_000;
const leftAloneMs = 600_000;

export function createContested(
  clock: Clock,
  on: {
    readonly report: (scope: string, problems: readonly Problem[]) => void;
    readonly ended: (key: ServiceKey) => void;
  },
): Contested {
  /** In order of the last drift, oldest first. */
  const seen = new Map<ServerName, readonly number[]>();
  const left = new Map<ServerName, Cancel>();

  function forgetOld(): void {
    for (const [name, times] of seen) {
      if ((times.at(-1) ?? 0) > clock.now() - withinMs) return;
      seen.delete(name);
    }
  }

  function end(name: ServerName, key: ServiceKey): void {
    left.delete(name);
    on.report(`contest ${name}`, []);
    on.ended(key);
  }

  return {
    mended(name, key) {
      forgetOld();
      if (left.has(name)) return;
      const times = (seen.get(name) ?? []).filter((atMs) => atMs > clock.now() - withinMs);
      seen.delete(name);
      if (times.length + 1 < mends) {
        seen.set(name, [...times, clock.now()]);
        return;
      }
      left.set(
        name,
        clock.after(leftAloneMs, () => end(name, key)),
      );
      on.report(`contest ${name}`, [fighting(name, key)]);
    },
    has: (name) => left.has(name),
    stop() {
      for (const cancel of left.values()) cancel();
      left.clear();
    },
  };
}

function fighting(name: ServerName, key: ServiceKey): Problem {
  return {
    code: 'fighting',
    severity: 'problem',
    key,
    place: `server ${name}`,
    message:
      'somebody else changed or removed it three times within a minute, each time after it had been mended',
    keeps: 'it is left as it is for 10 minutes; every other server is looked after',
    mend: 'stop the other writer: one GoBetween takes one janitor (its API shows no names; look for a second one)',
  };
}
