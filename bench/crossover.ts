/**
 * From which size on a job is worth a thread: the CPU time it costs this thread, and how long it takes, done here and on a
 * worker that is up and idle. Where the first is equal is what `inlineBelow` of src/worker/pool.ts should be.
 */
import { systemClock } from '../src/clock.js';
import type { Observed } from '../src/model/server.js';
import type { MarkedService } from '../src/source/lsnr-status.js';
import { type Compute, createInlineCompute } from '../src/worker/compute.js';
import { createPoolCompute } from '../src/worker/pool.js';
import { createThreads } from '../src/worker/threads.js';
import { jobsOf, listBytes, statusBytes } from './crossover-jobs.js';
import { median, percentile } from './machine.js';
import { readOptions } from './options.js';
import { type Figure, runBench, short } from './report.js';
import { costOf } from './thread-cpu.js';

/** What is done with a compute; `size` in keys, servers or bytes. */
interface Job {
  readonly size: number;
  readonly run: (compute: Compute) => Promise<unknown>;
}

const KIB = 1024;
/** Of about so much CPU time each. */
const BATCHES = 7;
const BATCH_MS = 30;
const BYTES = [4, 16, 64, 256, 1024, 4096].map((kib) => kib * KIB);
const options = readOptions();

await runBench(
  'crossover',
  'jobs here and on a worker, CPU time of this thread and wall',
  options,
  async () => {
    const threads = createThreads({ size: 1, clock: systemClock });
    const inlineBelow = { keys: 1, servers: 1, bytes: 1, claims: 1 };
    const pool = createPoolCompute({ threads, clock: systemClock, inlineBelow });
    const inline = createInlineCompute();
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const [kind, unit, jobs] of await kinds(inline)) {
      const points: Point[] = [];
      for (const { size, run } of jobs) {
        const variant = `${kind} ${unit === 'bytes' ? `${Math.round(size / KIB)} KiB` : `${size} ${unit}`}`;
        const here = await measure(() => run(inline));
        const there = await measure(() => run(pool));
        const add = (name: string, value: number): void => {
          figures.push({ variant, name, unit: 'µs', value: value * 1000 });
        };
        add('here', here.cpuMs);
        add('on a worker, CPU time of this thread', there.cpuMs);
        add('on a worker, wall', there.wallMs);
        points.push({ size, here: here.cpuMs, there: there.cpuMs });
      }
      const at = crossing(points);
      notes.push(
        `${kind}: ${at === null ? 'never worth a thread' : `worth a thread from ${short(at)} ${unit} on`}`,
      );
      if (at !== null) figures.push({ variant: kind, name: 'worth a thread from', unit, value: at });
    }
    await pool.close();
    return { figures, notes };
  },
);

async function kinds(inline: Compute): Promise<readonly (readonly [string, string, readonly Job[]])[]> {
  const compile = [1, 4, 16, 64, 256, 1024].map((size): Job => {
    const { inputs, context } = jobsOf(size);
    return { size, run: (compute) => compute.compile(inputs, context) };
  });
  const render = [1, 4, 16, 64, 256, 1024, 4096].map((size): Job => {
    const { renders } = jobsOf(size);
    return { size, run: (compute) => compute.render(renders) };
  });
  const observe: Job[] = [];
  const status: Job[] = [];
  for (const bytes of BYTES) {
    const list = listBytes(bytes);
    const servers: readonly Observed[] = (await inline.observe(list, [])) ?? [];
    // All is known, by a list of its own: what it is recognised by has to be written out each time.
    observe.push({ size: list.length, run: (compute) => compute.observe(list, [...servers]) });
    const body = statusBytes(bytes);
    const read = await inline.readStatus(body, 'n1', []);
    const services: readonly MarkedService[] = read.ok ? read.value.services : [];
    status.push({ size: body.length, run: (compute) => compute.readStatus(body, 'n1', [...services]) });
  }
  return [
    ['compile', 'keys', compile],
    ['render', 'servers', render],
    ['observe', 'bytes', observe],
    ['status', 'bytes', status],
  ];
}

/** Medians of one job. */
async function measure(run: () => Promise<unknown>): Promise<{ cpuMs: number; wallMs: number }> {
  for (let time = 0; time < 5; time++) await run();
  const { cpuMs: once } = await costOf(run);
  const times = Math.max(1, Math.min(200, Math.round(BATCH_MS / Math.max(once, 0.01))));
  const batches: { cpuMs: number; wallMs: number }[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const { cpuMs, wallMs } = await costOf(async () => {
      for (let time = 0; time < times; time++) await run();
    });
    batches.push({ cpuMs: cpuMs / times, wallMs: wallMs / times });
  }
  return {
    cpuMs: median(batches.map(({ cpuMs }) => cpuMs)),
    // what others do on the machine only ever adds
    wallMs: percentile(
      batches.map(({ wallMs }) => wallMs),
      0.25,
    ),
  };
}

interface Point {
  readonly size: number;
  readonly here: number;
  readonly there: number;
}

/** The size from which on a worker costs this thread less, between two that were measured; null: none. */
function crossing(points: readonly Point[]): number | null {
  const last = points.findLastIndex(({ here, there }) => there >= here);
  const [before, after] = [points[last], points[last + 1]];
  if (after === undefined) return null;
  if (before === undefined) return after.size;
  const gain = ({ here, there }: Point): number => Math.log(there / here);
  const share = gain(before) / (gain(before) - gain(after));
  return Math.exp(Math.log(before.size) + share * (Math.log(after.size) - Math.log(before.size)));
}
