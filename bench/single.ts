/**
 * One change in a cluster of 200, 2,000 and 20,000 services: a service gets one more word; from the agent's event to the POST
 * at GoBetween, both seen from outside, polls of the whole status included. With the default window and without one.
 */
import { firstState, pathOf, serversOf, wordFor } from './fixture.js';
import { percentile } from './machine.js';
import { pause } from './machine-clock.js';
import { readOptions } from './options.js';
import { createRandom } from './random.js';
import { type Bound, type Figure, runBench } from './report.js';
import { onStage, settledJanitor } from './stage.js';

const SIZES = [200, 2000, 20_000] as const;
const WINDOWS = [20, 0] as const;
/** Of the changes' own ports: nobody else's. */
const FIRST_PORT = 4000;
const options = readOptions();
const samples = Math.round(1000 * options.scale);

await runBench('single', `one change, ${samples} samples at each size`, options, async (run) => {
  const figures: Figure[] = [];
  for (const windowMs of WINDOWS) {
    const medians = new Map<number, number>();
    for (const size of SIZES) {
      const { taken, delayMax } = await measure(size, windowMs, options.seed + run);
      const middle = percentile(taken, 0.5);
      medians.set(size, middle);
      const variant = `window ${windowMs} ms, ${size} services`;
      const atMost = (value: number): { readonly bound: Bound } => ({ bound: { atMost: value } });
      figures.push(
        { variant, name: 'median', unit: 'ms', value: middle, ...atMost(windowMs + 8) },
        {
          variant,
          name: 'p99',
          unit: 'ms',
          value: percentile(taken, 0.99),
          ...(windowMs === 0 ? {} : atMost(windowMs + 30)),
        },
        { variant, name: 'max', unit: 'ms', value: Math.max(...taken) },
        { variant, name: 'main loop delay max', unit: 'ms', value: delayMax },
      );
    }
    const ratio = (medians.get(20_000) ?? Number.NaN) / (medians.get(200) ?? Number.NaN);
    const variant = `window ${windowMs} ms`;
    figures.push({ variant, name: '20,000 services ÷ 200', unit: '', value: ratio, bound: { atMost: 1.3 } });
  }
  return { figures };
});

function measure(size: number, windowMs: number, seed: number) {
  return onStage({ services: size, present: size }, async (stage) => {
    const { agent, gobetween, fixture } = stage;
    const janitor = await settledJanitor(stage, { window: `${windowMs}ms`, 'write-back': 'off' });
    await pause(3000);
    await janitor.call('reset', { withDelay: true });
    const random = createRandom(seed);
    const binds = new Map<number, string>();
    const taken: number[] = [];
    for (let i = 0; i < samples; i++) {
      const service = i % size;
      const label = 9000 + i;
      const word = wordFor(label, fixture.addr, FIRST_PORT + i);
      const bind = `${binds.get(service) ?? firstState(fixture, service).bind} ${word}`;
      binds.set(service, bind);
      const name = serversOf(fixture, service, { bind: word, rev: 0 })[0]?.name ?? '';
      await gobetween.call('expect', name);
      const created = gobetween.call('created', name);
      const changedAt = await agent.call('change', { service, bind });
      const late = setTimeout(() => {
        throw new Error(`${pathOf(service)}: no server within a minute`);
      }, 60_000);
      taken.push((await created) - changedAt);
      clearTimeout(late);
      await pause(10 + random.below(40));
    }
    const { max } = await janitor.call('load');
    await janitor.call('stop');
    return { taken, delayMax: max };
  });
}
