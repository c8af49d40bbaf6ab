/**
 * 5,000 services and an empty GoBetween, default rate: from the janitor's start to its last server, cold (nothing is known)
 * and warm (`--state-dir` of the run before), against the bare loop that posts the same bodies. `--gobetween-bin` runs the
 * real GoBetween. Node's own start is not in the figures.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { YOUNG_MS } from '../src/source/config-cache.js';
import type { BenchBalancer } from './balancer.js';
import { nowMs, pause } from './machine-clock.js';
import { readOptions } from './options.js';
import { topFunctions } from './profile.js';
import { bareLoop, onPushStage } from './push-run.js';
import { type Bound, type Figure, runBench, unbound } from './report.js';
import type { Stage } from './stage.js';

const options = readOptions();
const services = Math.round(5000 * options.scale);

await runBench(
  'initial',
  `${services} services, empty GoBetween, from start to the last server`,
  options,
  (run) =>
    onPushStage(services, options, async (stage, balancer) => {
      const bare = await bareLoop(stage.fixture, balancer);
      const bound = { atMost: 1.15 };
      const figures: Figure[] = [];
      const notes = [`against ${balancer.name}`];
      for (const [variant, flags] of [
        ['janitor', {}],
        ...(options.only ? [] : [['janitor --workers 0', { workers: '0' }] as const]),
      ] as const) {
        const dir = join(stage.folder, `state-${variant.replaceAll(' ', '')}`);
        mkdirSync(dir);
        const cold = await start(stage, balancer, { ...flags, 'state-dir': dir }, null, YOUNG_MS + 1000);
        const profile = variant === 'janitor' ? `initial-${run}` : null;
        const warm = await start(stage, balancer, { ...flags, 'state-dir': dir }, profile, 0);
        notes.push(...warm.notes);
        const own = [
          held(variant, 'warm: wall ÷ best bare loop', '', warm.ms / bare.bestMs, bound),
          held(variant, 'warm: config reads', '', warm.reads, { exactly: 0 }),
          held(variant, 'cold: config reads per service', '', cold.reads / services, { exactly: 1 }),
          held(variant, 'servers missing at the end', '', warm.missing + cold.missing, { exactly: 0 }),
          { variant, name: 'warm: wall', unit: 'ms', value: warm.ms },
          { variant, name: 'cold: wall', unit: 'ms', value: cold.ms },
        ];
        figures.push(...(variant === 'janitor' ? own : own.map(unbound)));
      }
      return { figures: [...figures, ...bare.figures], notes };
    }),
);

function held(variant: string, name: string, unit: string, value: number, bound: Bound): Figure {
  return { variant, name, unit, value, bound };
}

async function start(
  { agent, flags, janitor }: Stage,
  balancer: BenchBalancer,
  more: Readonly<Record<string, string>>,
  profile: string | null,
  stayMs: number,
) {
  await balancer.fresh();
  await agent.call('forget');
  const process = janitor();
  if (profile !== null && options.cpuProf !== null) await process.call('profile');
  const startedAt = await process.call('start', flags({ gobetween: balancer.url, ...more }));
  const ended = process.call('hasServers', services);
  const endedAt = await Promise.race([ended, late(startedAt)]);
  const { reads } = await agent.call('counts');
  const notes =
    profile === null || options.cpuProf === null
      ? []
      : topFunctions(await process.call('profiled', { dir: options.cpuProf, name: profile }));
  const missing = services - (await balancer.servers());
  await pause(stayMs);
  await process.call('stop');
  await process.end();
  return { ms: endedAt - startedAt, reads, missing, notes };
}

function late(startedAt: number): Promise<number> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(Infinity), 120_000 - (nowMs() - startedAt)).unref();
  });
}
