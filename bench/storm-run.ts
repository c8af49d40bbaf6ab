/** One storm against one janitor: what was played, what reached GoBetween, and how the janitor's main thread fared. */
import type { Figure } from './report.js';
import { serviceOfServer } from './fixture.js';
import { percentile } from './machine.js';
import { nowMs, pause } from './machine-clock.js';
import { topFunctions } from './profile.js';
import type { JanitorProcess } from './janitor-process.js';
import { type Remote, startRemote } from './remote.js';
import { settledJanitor, type Stage } from './stage.js';
import type { Write } from './stand-ins/gobetween-process.js';
import type { StormChange, StormPlan, StormResult } from './stand-ins/storm-plan.js';
import type { ViewerProcess } from './stand-ins/viewer-process.js';

export interface StormOutcome {
  readonly storm: StormResult;
  readonly writes: readonly Write[];
  readonly calls: Readonly<Record<string, number>>;
  readonly reads: readonly { readonly service: number; readonly at: number }[];
  readonly actions: Readonly<Record<string, number>>;
  /** From the storm's start until GoBetween was right. */
  readonly load: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly cpuShare: number;
  };
  /** Servers that are not as their service asks. */
  readonly wrong: readonly string[];
  /** Highest number of bytes that waited for the janitor to read the stream. */
  readonly backlog: number;
  readonly memory: { readonly rss: number; readonly maxRss: number };
  /** What the viewers of the page were told, all together. */
  readonly viewed: { readonly viewers: number; readonly bytes: number; readonly services: number };
  readonly profile: readonly string[];
}

export interface StormOptions {
  readonly flags: Readonly<Record<string, string>>;
  readonly plan: Omit<StormPlan, 'fixture'>;
  readonly readsPerSecond: number;
  /** GoBetween has to be right so soon after the storm. */
  readonly withinMs: number;
  readonly cpuProf: string | null;
  readonly label: string;
  /** Who looks at the page meanwhile. @default 0 */
  readonly viewers?: number;
}

const CALM_LOOKS = 12;

/** Starts a janitor on the stage, plays the storm, waits until GoBetween is right (or the time is over). */
export async function playStorm(stage: Stage, options: StormOptions): Promise<StormOutcome> {
  const janitor = await settledJanitor(stage, options.flags);
  await pause(3000); // the second look at GoBetween is over
  const viewers = startRemote<ViewerProcess>('./stand-ins/viewer-process.js');
  try {
    return await playBefore(stage, options, janitor, viewers);
  } finally {
    await viewers.end();
  }
}

async function playBefore(
  { agent, gobetween, fixture }: Stage,
  options: StormOptions,
  janitor: Remote<JanitorProcess>,
  viewers: Remote<ViewerProcess>,
): Promise<StormOutcome> {
  const address = (await janitor.call('address')) ?? '';
  await viewers.call('look', { address, viewers: options.viewers ?? 0 });
  await pause(options.viewers === undefined ? 0 : 3000); // they have the first page
  const before = await gobetween.call('writes');
  if (before.length > 0) throw new Error(`the janitor changed ${before.length} servers that were right`);
  await agent.call('setReadRate', options.readsPerSecond);
  await agent.call('forget');
  await gobetween.call('forget');
  if (options.cpuProf !== null) await janitor.call('profile');
  await janitor.call('reset', { withDelay: true });
  const storm = await agent.call('storm', { ...options.plan, fixture });
  const wanted = new Map(storm.changes.map((change) => [change.service, change.bind.split('-')[1] ?? '']));
  let wrong: readonly string[] = [];
  const deadline = nowMs() + options.withinMs;
  const look = async (): Promise<boolean> => {
    await pause(500);
    wrong = differences(await gobetween.call('binds'), wanted, fixture.services, fixture);
    return wrong.length === 0;
  };
  while (!(await look()) && nowMs() < deadline);
  const load = await janitor.call('load');
  // a late wrong write must be seen: no change is held back for longer than 5 s
  for (let calm = 0; calm < CALM_LOOKS && nowMs() < deadline; calm = (await look()) ? calm + 1 : 0);
  const profile =
    options.cpuProf === null
      ? []
      : topFunctions(await janitor.call('profiled', { dir: options.cpuProf, name: options.label }));
  const outcome = {
    storm,
    writes: await gobetween.call('writes'),
    calls: await gobetween.call('counts'),
    reads: await agent.call('reads'),
    actions: (await agent.call('counts')).actions,
    backlog: (await agent.call('counts')).backlog,
    load,
    wrong,
    memory: await janitor.call('memory', { collect: false }),
    viewed: await viewers.call('seen'),
    profile,
  };
  await janitor.call('stop');
  await janitor.end();
  return outcome;
}

function differences(
  binds: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<number, string>,
  services: number,
  fixture: Stage['fixture'],
): readonly string[] {
  const wrong: string[] = [];
  const missing = new Set(wanted.keys());
  let others = 0;
  for (const [name, bind] of binds) {
    const service = serviceOfServer(name);
    const due = wanted.get(service) ?? `${fixture.addr}:${fixture.firstPort + service}`;
    if (bind !== due) wrong.push(`${name} listens on ${bind}, not ${due}`);
    if (!missing.delete(service)) others += 1;
  }
  const newcomers = [...wanted.keys()].filter((service) => service >= services).length;
  if (others !== services - (wanted.size - newcomers))
    wrong.push(`${others} servers of services that stood still`);
  for (const service of missing) wrong.push(`service ${service} has no server`);
  return wrong;
}

/** Milliseconds from a service's last event to the write that made its server right; Infinity: never, 0: before. */
export function liveAfter(change: StormChange, writes: ReadonlyMap<number, readonly Write[]>): number {
  const due = change.bind.split('-')[1];
  const own = writes.get(change.service) ?? [];
  const last = own.findLast(({ kind, status }) => kind === 'create' && status === 200);
  if (last === undefined || last.bind !== due) return Infinity;
  return Math.max(0, last.at - change.at);
}

export function writesByService(writes: readonly Write[]): ReadonlyMap<number, readonly Write[]> {
  const found = new Map<number, Write[]>();
  for (const write of writes) {
    const service = serviceOfServer(write.name);
    const own = found.get(service);
    if (own === undefined) found.set(service, [write]);
    else own.push(write);
  }
  return found;
}

/** The figures that every kind of storm has, without bounds. */
export function plainFigures(variant: string, outcome: StormOutcome): readonly Figure[] {
  const { load, storm, calls, memory } = outcome;
  const figure = (name: string, unit: string, value: number): Figure => ({ variant, name, unit, value });
  return [
    figure('main loop delay p50', 'ms', load.p50),
    figure('processor, all threads', 'cores', load.cpuShare),
    figure('RSS at most', 'MiB', memory.maxRss / 2 ** 20),
    figure('events a second', '/s', storm.events / ((storm.endedAt - storm.startedAt) / 1000)),
    figure('config reads', '', outcome.reads.length),
    figure('lists of the agent (daemon_status)', '', outcome.actions['daemon_status'] ?? 0),
    figure('lists of GoBetween', '', calls['GET /servers'] ?? 0),
    figure('stream waiting for the reader, at most', 'KiB', outcome.backlog / 1024),
  ];
}

export const p99 = (samples: readonly number[]): number => percentile(samples, 0.99);
