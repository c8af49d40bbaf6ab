/**
 * Memory at 10,000 services and 10,000 servers: after a storm and a sweep, with one worker and with two; and what stays a
 * minute after the cluster shrank to 100 services, against a fresh process with 100.
 */
import { pause, until } from './machine-clock.js';
import { readOptions } from './options.js';
import { type Figure, runBench } from './report.js';
import { onStage, settledJanitor, type Stage } from './stage.js';

const MIB = 2 ** 20;
const LEFT = 100;
const options = readOptions();
const services = Math.round(10_000 * options.scale);

await runBench(
  'memory',
  `${services} services and servers, after a storm and a sweep`,
  options,
  async (run) => {
    const variant = 'janitor --workers 1';
    const one = await onStage({ services, present: services }, (stage) => measure(stage, '1', run, true));
    const two = await onStage({ services, present: services }, (stage) => measure(stage, '2', run, false));
    const fresh = await onStage({ services: LEFT, present: LEFT }, async (stage) => {
      const janitor = await settledJanitor(stage, { workers: '1' });
      await pause(5000);
      return janitor.call('memory', { collect: true });
    });
    const kept = one.shrunk === null ? Number.NaN : one.shrunk.heapUsed + one.shrunk.external;
    const figures: readonly Figure[] = [
      {
        variant,
        name: 'RSS after storm and sweep, all threads',
        unit: 'MiB',
        value: one.after.rss / MIB,
        bound: { atMost: 200 },
      },
      {
        variant: 'janitor --workers 2',
        name: 'RSS more than with one',
        unit: 'MiB',
        value: (two.after.rss - one.after.rss) / MIB,
        bound: { atMost: 25 },
      },
      {
        variant,
        name: `heap and external after shrinking to ${LEFT} ÷ fresh`,
        unit: '',
        value: kept / (fresh.heapUsed + fresh.external),
        bound: { atMost: 1.1 },
      },
      { variant, name: 'RSS settled', unit: 'MiB', value: one.settled.rss / MIB },
      { variant, name: 'RSS at most', unit: 'MiB', value: one.after.maxRss / MIB },
      { variant, name: 'heap used after a collection', unit: 'MiB', value: one.collected.heapUsed / MIB },
      { variant, name: `heap and external after shrinking to ${LEFT}`, unit: 'MiB', value: kept / MIB },
      {
        variant,
        name: `RSS after shrinking to ${LEFT}`,
        unit: 'MiB',
        value: (one.shrunk?.rss ?? Number.NaN) / MIB,
      },
      {
        variant: `fresh with ${LEFT}`,
        name: 'heap and external',
        unit: 'MiB',
        value: (fresh.heapUsed + fresh.external) / MIB,
      },
      { variant: `fresh with ${LEFT}`, name: 'RSS', unit: 'MiB', value: fresh.rss / MIB },
    ];
    return { figures };
  },
);

async function measure(
  { agent, gobetween, fixture, ...stage }: Stage,
  workers: string,
  run: number,
  shrink: boolean,
) {
  const flags = { workers, 'replace-rate': '0', sweep: '10s' };
  const janitor = await settledJanitor({ agent, gobetween, fixture, ...stage }, flags);
  await pause(3000);
  const settled = await janitor.call('memory', { collect: false });
  const flapping = services / 10;
  await agent.call('storm', {
    seed: options.seed + run,
    fixture,
    events: flapping * 50,
    flapping,
    durationMs: 10_000,
    kind: 'flap',
    bystanders: 0,
    newcomers: 0,
  });
  await janitor.call('settled');
  await gobetween.call('forget');
  await until('a sweep', async () => ((await gobetween.call('counts'))['GET /servers'] ?? 0) > 0);
  await pause(2000);
  const after = await janitor.call('memory', { collect: false });
  const collected = await janitor.call('memory', { collect: true });
  if (!shrink) return { settled, after, collected, shrunk: null };
  await agent.call('shrink', LEFT);
  await until('the servers are gone', async () => (await gobetween.call('binds')).size === LEFT, {
    withinMs: 300_000,
    everyMs: 500,
  });
  await pause(60_000);
  return { settled, after, collected, shrunk: await janitor.call('memory', { collect: true }) };
}
