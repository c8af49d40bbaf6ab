/**
 * Real worker threads for the program in virtual time: a job takes none of it, for the clock waits until all are answered.
 * One job can be made to get lost, as if its thread had crashed or hung.
 */
import { setImmediate } from 'node:timers/promises';
import { sleep, systemClock } from '../../src/clock.js';
import type { Compute } from '../../src/worker/compute.js';
import { createPoolCompute } from '../../src/worker/pool.js';
import { type Answered, createThreads, type Threads } from '../../src/worker/threads.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';

export interface ThreadedRig {
  readonly clock: FakeClock;
  /** Uses the threads for everything; they outlive its `close`. */
  readonly compute: Compute;
  /** What was asked of the threads so far, by name. */
  readonly jobs: readonly string[];
}

export interface Loss {
  /** The first job is 1. */
  readonly nth: number;
  readonly how: 'crashed' | 'hung';
}

/** Threads that several rigs share, one after the other. */
export const openThreads = (): Threads => createThreads({ size: 2, clock: systemClock });

export function onThreads(threads: Threads, loss: Loss | null = null): ThreadedRig {
  const running = new Set<Promise<unknown>>();
  const jobs: string[] = [];
  const clock = createFakeClock(undefined, async () => {
    await setImmediate();
    while (running.size > 0) {
      await Promise.all(running);
      await setImmediate();
    }
  });

  async function run<T>(work: string, job: unknown, limitMs: number): Promise<Answered<T>> {
    jobs.push(work);
    if (jobs.length === loss?.nth) {
      if (loss.how === 'hung') await sleep(clock, limitMs);
      return { lost: loss.how, detail: 'by the test' };
    }
    const answered = threads.run<T>(work, job, 60_000);
    running.add(answered);
    try {
      return await answered;
    } finally {
      running.delete(answered);
    }
  }

  const compute = createPoolCompute({
    threads: { ...threads, run, close: async () => undefined },
    clock,
    inlineBelow: { keys: 1, servers: 1, bytes: 1, claims: 1 },
  });
  return { clock, compute, jobs };
}
