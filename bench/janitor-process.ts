/**
 * The program under test as a process of its own: the built composition root with its real ports, started with flags as the
 * command line would parse them, and questions about its main thread. `monitorEventLoopDelay` at resolution 1 counts its own
 * timer's millisecond in, so about 1 ms is the floor of every delay. Nothing else runs here.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks';
import { createApp } from '../src/app.js';
import type { App } from '../src/app-handle.js';
import { createRealPorts, type Ports } from '../src/effects.js';
import { keepHeapSmall } from '../src/heap.js';
import { parseSettings } from '../src/settings/settings.js';
import { nowMs, pause } from './machine-clock.js';
import { serve } from './remote.js';
import { longestTurnOf } from './thread-cpu.js';

keepHeapSmall(); // as `run` does

const delay = monitorEventLoopDelay({ resolution: 1 });
let app: App | null = null;
let lines = 0;
let session: Session | null = null;
let cpu = process.cpuUsage();
let cpuSince = nowMs();
let utilisation = performance.eventLoopUtilization();

const running = (): App => {
  if (app === null) throw new Error('the janitor was not started');
  return app;
};

/** Of the garbage collector, in milliseconds. */
const pauses: number[] = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) pauses.push(duration);
}).observe({ entryTypes: ['gc'] });

const waiting = { begin: new Set<() => void>(), end: new Set<() => void>() };
const next = (what: keyof typeof waiting): Promise<void> =>
  new Promise((resolve) => waiting[what].add(resolve));

function tell(what: keyof typeof waiting): void {
  for (const resolve of waiting[what]) resolve();
  waiting[what].clear();
}

/** Tells when a list of servers is asked for, and when it was read. */
function watchSweeps(ports: Ports): Ports {
  const { balancer, compute } = ports;
  return {
    ...ports,
    balancer: {
      ...balancer,
      list() {
        tell('begin');
        return balancer.list();
      },
    },
    compute: {
      ...compute,
      observe: (...args) => compute.observe(...args).finally(() => tell('end')),
    },
  };
}

export type JanitorProcess = typeof methods;

const methods = {
  /** Flags without dashes; returns when it began. */
  async start(flags: Readonly<Record<string, string>>) {
    const parsed = parseSettings(flags, {});
    if (!parsed.ok) throw new Error(parsed.errors.join('; '));
    const writeLog = (): void => {
      lines += 1;
    };
    const startedAt = nowMs();
    const ports = { ...watchSweeps(createRealPorts(parsed.settings)), writeLog };
    app = createApp(parsed.settings, ports, 'bench', { keepsState: true });
    const started = await app.start();
    if (!started.ok) throw new Error(started.failure.message);
    return startedAt;
  },
  planned: () => running().planned(),
  settled: () => running().settled(),
  servers: () => running().servers(),
  address: () => running().address(),
  problems: () => running().problems().length,
  logLines: () => lines,
  /** When it first believed GoBetween to have so many servers. */
  async hasServers(count: number) {
    while (running().servers() < count) await pause(2);
    return nowMs();
  },
  /** When it first believed GoBetween to have fewer than so many servers. */
  async lost(count: number) {
    while (running().servers() >= count) await pause(2);
    return nowMs();
  },
  stop: () => running().stop(),
  /** Processor time and utilisation count from now; loop delay, too, if asked: its timer costs some 2 % of a core. */
  reset({ withDelay }: { readonly withDelay: boolean }) {
    delay.reset();
    if (withDelay) delay.enable();
    cpu = process.cpuUsage();
    cpuSince = nowMs();
    utilisation = performance.eventLoopUtilization();
  },
  load() {
    const { user, system } = process.cpuUsage(cpu);
    const ms = (ns: number): number => Math.round(ns / 1e4) / 100;
    return {
      p50: ms(delay.percentile(50)),
      p99: ms(delay.percentile(99)),
      max: ms(delay.max),
      /** Of one core, all threads. */
      cpuShare: (user + system) / 1000 / (nowMs() - cpuSince),
      utilisation: performance.eventLoopUtilization(utilisation).utilization,
    };
  },
  /** After a full collection, if node was started with --expose-gc and `collect`. */
  memory({ collect }: { readonly collect: boolean }) {
    if (collect) (globalThis as { gc?: () => void }).gc?.();
    return { ...process.memoryUsage(), maxRss: process.resourceUsage().maxRSS * 1024 };
  },
  /** The sum of a metric's samples whose labels include this text. */
  async metric({ name, labels }: { readonly name: string; readonly labels: string }) {
    const text = await (await fetch(`${running().address() ?? ''}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  },
  /** The next sweep by the janitor's own timer, and the half second after it: the longest delay of the main loop, and of the collector. */
  async sweep() {
    delay.enable();
    await next('begin');
    delay.reset();
    pauses.length = 0;
    const beganAt = nowMs();
    await next('end');
    const wallMs = nowMs() - beganAt;
    await pause(500);
    await running().settled();
    return { delayMs: delay.max / 1e6, wallMs, collectMs: Math.max(0, ...pauses) };
  },
  /** The same: the CPU time of main's longest turn. */
  async sweepTurn() {
    await next('begin');
    return longestTurnOf(async () => {
      await next('end');
      await pause(500);
    });
  },
  async profile() {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
  },
  async profiled(file: { readonly dir: string; readonly name: string }) {
    if (session === null) throw new Error('no profile was begun');
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    session = null;
    const path = join(file.dir, `${file.name}.cpuprofile`);
    writeFileSync(path, JSON.stringify(profile));
    return path;
  },
};
serve(methods);
