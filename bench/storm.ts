/**
 * 100,000 relevant events over 2,000 services in 10 s, 20,000 servers present, `--replace-rate 0`, an agent that answers at
 * once: does the main thread stay calm, does a bystander go live in time, are the flapping ones right soon after, and what
 * did it cost. Baseline: the same without workers.
 */
import { type Figure, runBench, unbound } from './report.js';
import { readOptions } from './options.js';
import { type StormOutcome, liveAfter, p99, plainFigures, playStorm, writesByService } from './storm-run.js';
import { onStage } from './stage.js';

const options = readOptions();
const services = Math.round(20_000 * options.scale);
const flapping = Math.round(2000 * options.scale);
const events = Math.round(100_000 * options.scale);
const bystanders = 100;

const variants: readonly (readonly [string, Readonly<Record<string, string>>, viewers?: number])[] = [
  ['janitor', {}],
  ['janitor, 5 viewers', {}, 5],
  ...(options.only ? [] : [['janitor --workers 0', { workers: '0' }] as const]),
];

await runBench(
  'storm',
  `${events} relevant events over ${flapping} services in 10 s, ${services} servers present`,
  options,
  async (run) => {
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const [variant, flags, viewers] of variants) {
      const outcome = await onStage({ services, present: services }, (stage) =>
        playStorm(stage, {
          flags: { 'replace-rate': '0', ...flags },
          plan: {
            seed: options.seed + run,
            events,
            flapping,
            durationMs: 10_000,
            kind: 'flap',
            bystanders,
            newcomers: 0,
          },
          readsPerSecond: 0,
          withinMs: 40_000,
          cpuProf: variant === 'janitor' ? options.cpuProf : null,
          label: `storm-${run}`,
          ...(viewers === undefined ? {} : { viewers }),
        }),
      );
      figures.push(...figuresOf(variant, outcome));
      notes.push(...outcome.wrong.slice(0, 5), ...outcome.profile);
    }
    return { figures, notes };
  },
);

function figuresOf(variant: string, outcome: StormOutcome): readonly Figure[] {
  const writes = writesByService(outcome.writes);
  const live = (role: string): number[] =>
    outcome.storm.changes.filter((change) => change.role === role).map((change) => liveAfter(change, writes));
  const flapped = live('flapping');
  const calls = outcome.writes.length;
  const differing = outcome.storm.changes.length;
  const held: readonly Figure[] = [
    { variant, name: 'main loop delay p99', unit: 'ms', value: outcome.load.p99, bound: { atMost: 15 } },
    { variant, name: 'main loop delay max', unit: 'ms', value: outcome.load.max, bound: { atMost: 50 } },
    {
      variant,
      name: 'bystander live p99',
      unit: 'ms',
      value: p99(live('bystander')),
      bound: { atMost: 1000 },
    },
    {
      variant,
      name: 'flapping right after the last event, max',
      unit: 'ms',
      value: Math.max(...flapped),
      bound: { atMost: 6000 },
    },
    {
      variant,
      name: 'calls per server whose outcome differs',
      unit: '',
      value: calls / differing,
      bound: { atMost: 16 },
    },
    {
      variant,
      name: 'servers wrong at the end',
      unit: '',
      value: outcome.wrong.length,
      bound: { exactly: 0 },
    },
  ];
  return [
    ...(variant === 'janitor' ? held : held.map((figure) => (isViewed(figure) ? figure : unbound(figure)))),
    {
      variant,
      name: 'bystander live p50',
      unit: 'ms',
      value: live('bystander').sort((a, b) => a - b)[Math.floor(bystanders / 2)] ?? Number.NaN,
    },
    { variant, name: 'flapping right p99', unit: 'ms', value: p99(flapped) },
    ...(outcome.viewed.viewers === 0
      ? []
      : [
          {
            variant,
            name: 'told each viewer',
            unit: 'KiB',
            value: outcome.viewed.bytes / outcome.viewed.viewers / 1024,
          },
        ]),
    ...plainFigures(variant, outcome),
  ];
}

/** The bound that holds while people look at the page. */
function isViewed({ variant, name }: Figure): boolean {
  return variant.endsWith('viewers') && name === 'main loop delay p99';
}
