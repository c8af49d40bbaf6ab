/**
 * How far the first sync is: services read, then servers pushed, and how long it may still take. Said in the log at growing
 * intervals, so that a start of any size is a handful of lines (SPEC §8). Invariant: once it is over it stays so.
 */
import { type Cancel, type Clock, sleep } from './clock.js';
import type { Progress } from './operator/gateway.js';

export interface FirstSync {
  /** null: it is over. */
  progress(): Progress | null;
  /** The first plan was made, with so many changes that cost a call; they are handed in now. */
  planned(due: number): void;
  /** Clock.now of the first plan; Infinity before it. What was there by then was there before this process acted. */
  plannedAtMs(): number;
  start(): void;
  stop(): void;
}

const firstLineMs = 5_000;
/** After the plan is made its changes are handed in. */
const handedInMs = 50;

export function createFirstSync(deps: {
  readonly clock: Clock;
  /** Services read, and listed; of the cluster's last list. */
  readonly services: () => { readonly read: number; readonly listed: number };
  /** Servers that still differ from their intent. */
  readonly pending: () => number;
  /** Resolves when nothing of what was handed in is left to do. */
  readonly idle: () => Promise<void>;
  readonly log: { info(fields: Readonly<Record<string, unknown>>, message: string): void };
}): FirstSync {
  const { clock } = deps;
  let startedMs = clock.now();
  let plannedMs: number | null = null;
  let due = 0;
  let over = false;
  let pauseMs = firstLineMs;
  let cancel: Cancel = () => undefined;

  function progress(): Progress | null {
    if (over) return null;
    const services = deps.services();
    const done = plannedMs === null ? 0 : Math.max(0, due - deps.pending());
    const secondsLeft =
      plannedMs === null
        ? left(services.read, services.listed, clock.now() - startedMs)
        : left(done, due, clock.now() - plannedMs);
    return { services, servers: { done, due }, secondsLeft };
  }

  function tell(): void {
    const now = progress();
    if (now === null) return;
    const { services, servers, secondsLeft } = now;
    const fields = { ...services, pushed: servers.done, due: servers.due, secondsLeft };
    const what =
      plannedMs === null
        ? `${services.read} of ${services.listed} services read`
        : `${servers.done} of ${servers.due} servers pushed`;
    const rest = secondsLeft === null ? '' : `, about ${secondsLeft} s left`;
    deps.log.info(fields, `first sync: ${what}${rest}`);
    pauseMs *= 2;
    cancel = clock.after(pauseMs, tell);
  }

  return {
    progress,
    planned(changes) {
      plannedMs = clock.now();
      due = changes;
      void sleep(clock, handedInMs)
        .then(deps.idle)
        .then(() => {
          over = true;
          cancel();
        });
    },
    plannedAtMs: () => plannedMs ?? Infinity,
    start() {
      startedMs = clock.now();
      cancel = clock.after(pauseMs, tell);
    },
    stop() {
      over = true;
      cancel();
    },
  };
}

/** Seconds, if it goes on as before; null while nothing is done. */
function left(done: number, all: number, elapsedMs: number): number | null {
  if (done === 0 || all === 0) return null;
  return Math.ceil(((all - done) / done) * (elapsedMs / 1000));
}
