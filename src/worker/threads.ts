/**
 * The worker threads: the only place that knows Piscina. Owns their number, their memory, and how long a job may take.
 * Invariants: `run` never rejects; a job whose thread crashed or hung is `lost`, its thread is replaced, and no other job is
 * harmed; a job waits here, not in Piscina, so that its time counts from when a thread has it. Threads start with the first job, so that a small cluster never pays for them (9 MiB each).
 */
import { Piscina } from 'piscina';
import type { Clock } from '../clock.js';
import type { Reply } from './janitor.worker.js';

export interface Lost {
  readonly lost: 'crashed' | 'hung' | 'closed';
  readonly detail: string;
}

export type Answered<T> = Reply<T> | Lost;

export interface ThreadStats {
  /** Jobs that wait or run. */
  readonly jobs: number;
  /** Threads that crashed or hung, since the start. */
  readonly replaced: number;
  /** Jobs that were answered, and for how long jobs waited for a thread, since the start. */
  readonly done: number;
  readonly waitedMs: number;
  /** The share of the time in which threads worked, 0 to 1. */
  readonly utilisation: number;
  /** For how long a job waits beyond its limit while no thread takes any; 0: none does. */
  readonly overdueMs: number;
}

export interface Threads {
  readonly size: number;
  /** Calls one of the functions of janitor.worker.ts with plain data. */
  run<T>(work: string, job: unknown, limitMs: number): Promise<Answered<T>>;
  stats(): ThreadStats;
  close(): Promise<void>;
}

/** A list of 64 MiB is parsed member by member; young garbage is collected often, or each thread would keep 32 MiB of it. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 6 };

export function createThreads({
  size,
  clock,
  file = new URL('./janitor.worker.js', import.meta.url),
}: {
  readonly size: number;
  readonly clock: Clock;
  /** For tests. */
  readonly file?: URL;
}): Threads {
  let pool: Piscina | null = null;
  let closed = false;
  let running = 0;
  let replaced = 0;
  let done = 0;
  let waitedMs = 0;
  const waiting: { readonly since: number; readonly limitMs: number; readonly take: () => void }[] = [];
  /** When a thread last took a job. */
  let takenAt = 0;

  function open(): Piscina {
    const opened = new Piscina({
      filename: file.href,
      minThreads: size,
      maxThreads: size,
      idleTimeout: Infinity,
      resourceLimits,
    });
    // The loss is told by the job; without a listener an idle thread that ends would end the process.
    opened.on('error', () => undefined);
    return opened;
  }

  /** A thread of one's own; whoever waits longest gets the next. */
  async function enter(limitMs: number): Promise<void> {
    const since = clock.now();
    if (running < size) running += 1;
    else await new Promise<void>((take) => waiting.push({ since, limitMs, take }));
    takenAt = clock.now();
    waitedMs += takenAt - since;
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next.take();
  }

  function overdueMs(): number {
    const [first] = waiting;
    if (first === undefined) return 0;
    return Math.max(0, clock.now() - Math.max(first.since, takenAt) - first.limitMs);
  }

  return {
    size,
    async run<T>(work: string, job: unknown, limitMs: number): Promise<Answered<T>> {
      await enter(limitMs);
      if (closed) {
        leave();
        return { lost: 'closed', detail: 'the janitor is stopping' };
      }
      pool ??= open();
      const abort = new AbortController();
      const cancel = clock.after(limitMs, () => abort.abort());
      try {
        const reply = (await pool.run(job, { name: work, signal: abort.signal })) as Reply<T>;
        done += 1;
        return reply;
      } catch (error) {
        if (closed) return { lost: 'closed', detail: 'the janitor is stopping' };
        replaced += 1;
        if (abort.signal.aborted) return { lost: 'hung', detail: `no answer within ${limitMs} ms` };
        return { lost: 'crashed', detail: error instanceof Error ? error.message : String(error) };
      } finally {
        cancel();
        leave();
      }
    },
    stats: () => ({
      jobs: running + waiting.length,
      replaced,
      done,
      waitedMs,
      utilisation: pool?.utilization ?? 0,
      overdueMs: overdueMs(),
    }),
    async close() {
      closed = true;
      await pool?.destroy();
    },
  };
}
