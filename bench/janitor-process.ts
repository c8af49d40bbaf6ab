/**
 * The program under test as a process of its own: the built composition root with its real ports, started with flags as the
 * command line would parse them, and questions about its main thread. `monitorEventLoopDelay` at resolution 1 counts its own
 * timer's millisecond in, so about 1 ms is the floor of every delay. Nothing else runs here.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { createApp } from '../src/app.js';
import type { App } from '../src/app-handle.js';
import { createRealPorts } from '../src/effects.js';
import { keepHeapSmall } from '../src/heap.js';
import { parseSettings } from '../src/settings/settings.js';
import { nowMs, pause } from './machine-clock.js';
import { serve } from './remote.js';

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
    app = createApp(parsed.settings, { ...createRealPorts(parsed.settings), writeLog }, 'bench');
    const started = await app.start();
    if (!started.ok) throw new Error(started.failure.message);
    return startedAt;
  },
  firstPlan: async () => (await running().firstPlan()).length,
  settled: () => running().settled(),
  servers: () => running().servers(),
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
