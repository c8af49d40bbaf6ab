/**
 * 20,000 servers observed: how long the main thread is held up at most. First the digesting alone, in this process: the list of
 * an unchanged GoBetween, one in which 5 % changed, and the first one, of which nothing is known. Then the whole program, ten
 * sweeps by its own timer, each of a list that differs from the one before, for the same bytes are not read twice. The
 * baseline parses on main: the inline compute, and `--workers 0`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../src/clock.js';
import { type Compute, createInlineCompute } from '../src/worker/compute.js';
import { createPoolCompute } from '../src/worker/pool.js';
import { createThreads } from '../src/worker/threads.js';
import { median } from './machine.js';
import { pause } from './machine-clock.js';
import { readOptions } from './options.js';
import { topFunctions } from './profile.js';
import { type Figure, runBench } from './report.js';
import { onStage, type Stage } from './stage.js';
import { ledgerThatSaw, listBytes } from './sweep-lists.js';
import { costOf, delayOf, longestTurnOf } from './thread-cpu.js';

const MIB = 2 ** 20;
const SWEEPS = 10;
const DIGESTS = 5;
const BASELINE_SWEEPS = 3;
const options = readOptions();
const servers = Math.round(20_000 * options.scale);

await runBench('sweep', `${servers} servers observed`, options, async (run) => {
  const digested = await digestAll();
  const notes: string[] = [];
  const whole = await onStage({ services: servers, present: servers }, async (stage) => {
    const threaded = await sweeps(stage, {}, SWEEPS, `sweep-${run}`, notes);
    if (options.only) return wholeFigures(threaded, null);
    return wholeFigures(threaded, await sweeps(stage, { workers: '0' }, BASELINE_SWEEPS, null, notes));
  });
  return { figures: [...whole, ...digested], notes };
});

/** The digesting alone, by compute on this thread and on others. */
async function digestAll(): Promise<readonly Figure[]> {
  const list = listBytes(servers);
  const figures: Figure[] = [{ variant: 'list', name: 'size', unit: 'MiB', value: list.length / MIB }];
  const cases = [
    { name: 'unchanged', list, before: list },
    { name: '5 % changed', list: listBytes(servers, 20), before: list },
    { name: 'first', list, before: null },
  ];
  const threads = createThreads({ size: 1, clock: systemClock });
  const pool = createPoolCompute({ threads, clock: systemClock });
  const inline = createInlineCompute();
  await costOf(await digesting(pool, list, null)); // the thread is up, and the code warm
  for (const { name, list: now, before } of cases) {
    await measure(`digesting, ${name}`, pool, now, before, DIGESTS);
    if (!options.only) await measure(`digesting, ${name}, on main`, inline, now, before, BASELINE_SWEEPS);
  }
  await pool.close();
  return figures;

  async function measure(
    variant: string,
    compute: Compute,
    now: Uint8Array,
    before: Uint8Array | null,
    times: number,
  ): Promise<void> {
    const all: { delay: number; turn: number; cpu: number; wall: number }[] = [];
    for (let time = 0; time < times; time++) {
      const delay = await delayOf(await digesting(compute, now, before));
      const turn = await longestTurnOf(await digesting(compute, now, before));
      const { cpuMs: cpu, wallMs: wall } = await costOf(await digesting(compute, now, before));
      all.push({ delay, turn, cpu, wall });
    }
    const add = (name: string, value: number): void => {
      figures.push({ variant, name, unit: 'ms', value });
    };
    add('longest turn, CPU time, median', median(all.map(({ turn }) => turn)));
    add('longest turn, CPU time, worst', Math.max(...all.map(({ turn }) => turn)));
    add('loop delay, median', median(all.map(({ delay }) => delay)));
    add('CPU time of main', median(all.map(({ cpu }) => cpu)));
    add('wall', median(all.map(({ wall }) => wall)));
  }
}

/** What a sweep has digested: what is known is read from the ledger. */
async function digesting(
  compute: Compute,
  list: Uint8Array,
  before: Uint8Array | null,
): Promise<() => Promise<void>> {
  const ledger = await ledgerThatSaw(before);
  return async () => {
    const observed = await compute.observe(list, [...ledger.servers()]);
    if (observed?.length !== servers) throw new Error('the list was not read');
  };
}

interface Swept {
  readonly delays: readonly number[];
  /** CPU time of the longest turn; of other sweeps. */
  readonly turns: readonly number[];
  /** The longest pause of the garbage collector, in each sweep. */
  readonly collects: readonly number[];
  readonly walls: readonly number[];
  /** A sweep of the same bytes again. */
  readonly same: { readonly delayMs: number; readonly wallMs: number };
  readonly settledRss: number;
  readonly peakRss: number;
  /** Of the main thread, for a core that others had, over all sweeps. */
  readonly waitedMs: number;
  readonly startDelay: number;
  readonly restartDelay: number;
}

async function sweeps(
  stage: Stage,
  flags: Readonly<Record<string, string>>,
  count: number,
  profile: string | null,
  notes: string[],
): Promise<Swept> {
  const janitor = stage.janitor();
  await janitor.call('reset', { withDelay: true });
  await janitor.call('start', stage.flags({ ...flags, sweep: '1s' }));
  await janitor.call('planned');
  await janitor.call('settled');
  const startDelay = (await janitor.call('load')).max;
  await pause(4000); // the second look is over
  const isProfiled = profile !== null && options.cpuProf !== null;
  if (isProfiled) await janitor.call('profile');
  const settledRss = memoryOf(janitor.pid, 'VmRSS');
  writeFileSync(`/proc/${janitor.pid}/clear_refs`, '5'); // the peak counts from now
  const waitedSince = waitedOf(janitor.pid);
  const all: { delayMs: number; wallMs: number; collectMs: number }[] = [];
  for (let sweep = 0; sweep < count; sweep++) {
    await changeList(stage.gobetweenUrl, sweep);
    all.push(await janitor.call('sweep'));
  }
  const waitedMs = waitedOf(janitor.pid) - waitedSince;
  const turns: number[] = [];
  for (let sweep = count; sweep < count + 2; sweep++) {
    await changeList(stage.gobetweenUrl, sweep);
    turns.push(await janitor.call('sweepTurn'));
  }
  const peakRss = memoryOf(janitor.pid, 'VmHWM');
  await janitor.call('sweep');
  const same = await janitor.call('sweep');
  if (isProfiled) {
    const dir = options.cpuProf ?? '';
    notes.push(...topFunctions(await janitor.call('profiled', { dir, name: profile })));
    await janitor.call('profile');
  }
  await janitor.call('reset', { withDelay: true });
  await stage.gobetween.call('restart', 300);
  await janitor.call('lost', servers);
  await janitor.call('hasServers', servers);
  await janitor.call('settled');
  await pause(3000);
  const restartDelay = (await janitor.call('load')).max;
  if (isProfiled) {
    const dir = options.cpuProf ?? '';
    notes.push(...topFunctions(await janitor.call('profiled', { dir, name: `${profile}-restart` })));
  }
  await janitor.call('stop');
  await janitor.end();
  const delays = all.map(({ delayMs }) => delayMs);
  const collects = all.map(({ collectMs }) => collectMs);
  const walls = all.map(({ wallMs }) => wallMs);
  return { delays, turns, collects, walls, same, settledRss, peakRss, waitedMs, startDelay, restartDelay };
}

/** A server that is not the janitor's comes, or goes. */
async function changeList(url: string, turn: number): Promise<void> {
  const method = turn % 2 === 0 ? 'POST' : 'DELETE';
  const discovery = { kind: 'static', static_list: ['127.0.0.1:9'] };
  const body = method === 'POST' ? JSON.stringify({ bind: '0.0.0.0:9', discovery }) : null;
  const answer = await fetch(`${url}/servers/stranger`, { method, body });
  if (!answer.ok) throw new Error(`${method}: ${await answer.text()}`);
}

/** A line of /proc/PID/status, in bytes. */
function memoryOf(pid: number, line: string): number {
  const found = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * 1024;
}

/** How long the main thread of a process waited for a core so far, in milliseconds. */
function waitedOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}

function wholeFigures(swept: Swept, baseline: Swept | null): readonly Figure[] {
  const variant = 'janitor';
  const figures: Figure[] = [
    {
      variant,
      name: 'longest block of main in a sweep, median',
      unit: 'ms',
      value: median(swept.delays),
      bound: { atMost: 20 },
    },
    {
      variant,
      name: 'longest block of main in a sweep, worst',
      unit: 'ms',
      value: Math.max(...swept.delays),
      bound: { atMost: 40 },
    },
  ];
  if (baseline !== null) {
    figures.push({
      variant,
      name: 'longest block ÷ that of parsing on main',
      unit: '',
      value: median(swept.delays) / median(baseline.delays),
      bound: { atMost: 1 / 15 },
    });
  }
  figures.push({
    variant,
    name: 'peak memory more than settled',
    unit: 'MiB',
    value: (swept.peakRss - swept.settledRss) / MIB,
    bound: { atMost: 120 },
  });
  const others: readonly (readonly [string, Swept | null])[] = [
    [variant, swept],
    ['janitor --workers 0', baseline],
  ];
  for (const [name, each] of others) {
    if (each === null) continue;
    const add = (what: string, unit: string, value: number): void => {
      figures.push({ variant: name, name: what, unit, value });
    };
    if (name !== variant) {
      add('longest block of main in a sweep, median', 'ms', median(each.delays));
      add('peak memory more than settled', 'MiB', (each.peakRss - each.settledRss) / MIB);
    }
    add('longest turn in a sweep, CPU time, worst', 'ms', Math.max(...each.turns));
    add('longest pause of the collector in a sweep, worst', 'ms', Math.max(...each.collects));
    add('sweep, wall', 'ms', median(each.walls));
    add('sweep of the same list, wall', 'ms', each.same.wallMs);
    add('sweep of the same list, longest block', 'ms', each.same.delayMs);
    add('RSS settled', 'MiB', each.settledRss / MIB);
    add('main waited for a core, a sweep', 'ms', each.waitedMs / each.delays.length);
    add('start with all present: longest block', 'ms', each.startDelay);
    add('GoBetween back empty: longest block', 'ms', each.restartDelay);
  }
  return figures;
}
