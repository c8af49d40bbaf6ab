/**
 * Two storms whose events cost nothing they need not: each checksum changes and no server does; and each service changes
 * five times within one window, and ends elsewhere.
 */
import { readOptions } from './options.js';
import { type Figure, runBench } from './report.js';
import { onStage } from './stage.js';
import { plainFigures, playStorm, type StormOutcome } from './storm-run.js';

const options = readOptions();
const services = Math.round(20_000 * options.scale);
const flapping = Math.round(2000 * options.scale);

await runBench(
  'storm-same',
  `${flapping} of ${services} services: checksums only, and five changes inside one window`,
  options,
  async (run) => {
    const seed = options.seed + run;
    const common = { readsPerSecond: 0, withinMs: 60_000, cpuProf: null, label: '' };
    const play = (
      flags: Readonly<Record<string, string>>,
      plan: { events: number; durationMs: number; kind: 'flap' | 'same' },
    ) =>
      onStage({ services, present: services }, (stage) =>
        playStorm(stage, {
          ...common,
          flags,
          plan: { seed, flapping, bystanders: 0, newcomers: 0, ...plan },
        }),
      );
    const same = await play(
      { 'replace-rate': '0' },
      { events: flapping * 50, durationMs: 10_000, kind: 'same' },
    );
    const burst = await play(
      { 'replace-rate': '0', window: '1s' },
      { events: flapping * 5, durationMs: 0, kind: 'flap' },
    );
    return {
      figures: [...sameFigures(same), ...burstFigures(burst)],
      notes: [...same.wrong, ...burst.wrong].slice(0, 5),
    };
  },
);

function sameFigures(outcome: StormOutcome): readonly Figure[] {
  const variant = 'checksums only';
  return [
    { variant, name: 'calls', unit: '', value: outcome.writes.length, bound: { exactly: 0 } },
    {
      variant,
      name: 'servers wrong at the end',
      unit: '',
      value: outcome.wrong.length,
      bound: { exactly: 0 },
    },
    { variant, name: 'main loop delay p99', unit: 'ms', value: outcome.load.p99 },
    { variant, name: 'main loop delay max', unit: 'ms', value: outcome.load.max },
    ...plainFigures(variant, outcome),
  ];
}

function burstFigures(outcome: StormOutcome): readonly Figure[] {
  const variant = 'burst in one window';
  const differing = outcome.storm.changes.length;
  return [
    {
      variant,
      name: 'calls per differing server',
      unit: '',
      value: outcome.writes.length / differing,
      bound: { exactly: 2 },
    },
    {
      variant,
      name: 'servers wrong at the end',
      unit: '',
      value: outcome.wrong.length,
      bound: { exactly: 0 },
    },
    { variant, name: 'config reads', unit: '', value: outcome.reads.length },
  ];
}
