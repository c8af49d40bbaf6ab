/**
 * The storm with the default rates and an agent of 200 config reads a second, while new services appear. A new one waits for
 * its config to be read like every other changed service, once, and for nothing else: replacements that wait for their budget
 * (some 2,000 at 50 a second) must not delay it.
 */
import { percentile } from './machine.js';
import { readOptions } from './options.js';
import { type Figure, runBench } from './report.js';
import { liveAfter, plainFigures, playStorm, type StormOutcome, writesByService } from './storm-run.js';
import { onStage } from './stage.js';

const READS_A_SECOND = 200;
const options = readOptions();
const services = Math.round(20_000 * options.scale);
const flapping = Math.round(2000 * options.scale);
const newcomers = 50;

await runBench(
  'storm-defaults',
  `${flapping * 50} events over ${flapping} of ${services} services in 10 s, ${newcomers} new services, default rates, ${READS_A_SECOND} reads/s`,
  options,
  async (run) => {
    const outcome = await onStage({ services, present: services }, (stage) =>
      playStorm(stage, {
        flags: {},
        plan: {
          seed: options.seed + run,
          events: flapping * 50,
          flapping,
          durationMs: 10_000,
          kind: 'flap',
          bystanders: 0,
          newcomers,
        },
        readsPerSecond: READS_A_SECOND,
        withinMs: 120_000,
        cpuProf: options.cpuProf,
        label: `storm-defaults-${run}`,
      }),
    );
    return { figures: figuresOf(outcome), notes: [...outcome.wrong.slice(0, 5), ...outcome.profile] };
  },
);

function figuresOf(outcome: StormOutcome): readonly Figure[] {
  const variant = 'janitor';
  const writes = writesByService(outcome.writes);
  const fresh = outcome.storm.changes.filter(({ role }) => role === 'newcomer');
  const live = fresh.map((change) => liveAfter(change, writes));
  // how much later than the reads of other services allow
  const late = fresh.map((change, i) => {
    const until = change.at + (live[i] ?? Infinity);
    const meanwhile = outcome.reads.filter(({ at }) => at >= change.at && at <= until);
    const different = new Set(meanwhile.map(({ service }) => service)).size;
    return (live[i] ?? Infinity) - (different / READS_A_SECOND) * 1000;
  });
  const readAfter = fresh.map(
    ({ service, at }) => (outcome.reads.find((read) => read.service === service)?.at ?? Infinity) - at,
  );
  const afterRead = live.map((ms, i) => ms - (readAfter[i] ?? Infinity));
  const flapped = outcome.storm.changes
    .filter(({ role }) => role === 'flapping')
    .map((change) => liveAfter(change, writes));
  return [
    {
      variant,
      name: 'new service live, beyond services read ÷ 200, max',
      unit: 'ms',
      value: Math.max(...late),
      bound: { atMost: 1000 },
    },
    {
      variant,
      name: 'servers wrong at the end',
      unit: '',
      value: outcome.wrong.length,
      bound: { exactly: 0 },
    },
    { variant, name: 'new service live p50', unit: 'ms', value: percentile(live, 0.5) },
    { variant, name: 'new service live max', unit: 'ms', value: Math.max(...live) },
    { variant, name: 'new service: event to read p50', unit: 'ms', value: percentile(readAfter, 0.5) },
    { variant, name: 'new service: event to read max', unit: 'ms', value: Math.max(...readAfter) },
    { variant, name: 'new service: read to live p50', unit: 'ms', value: percentile(afterRead, 0.5) },
    { variant, name: 'new service: read to live max', unit: 'ms', value: Math.max(...afterRead) },
    { variant, name: 'flapping right after the last event, max', unit: 'ms', value: Math.max(...flapped) },
    { variant, name: 'calls', unit: '', value: outcome.writes.length },
    { variant, name: 'main loop delay p99', unit: 'ms', value: outcome.load.p99 },
    { variant, name: 'main loop delay max', unit: 'ms', value: outcome.load.max },
    ...plainFigures(variant, outcome),
  ];
}
