/**
 * The ports of many claims chosen at the same time: 100 shuffles of their order and split for each load and number of worker
 * threads, against choosing one after another; and from how many claims on that pays. Threads are those of the product.
 */
import { type Crew, createCrew, decideAll, homesOf, medians, placeHere, placeInline } from './claim-run.js';
import { median } from './machine.js';
import { readOptions } from './options.js';
import { createRandom } from './random.js';
import { type Figure, runBench } from './report.js';

const LOADS = [20_000, 36_000, 50_000];
const WORKERS = [1, 2, 3, 4];
const SHUFFLES = 100;
const FEW = [500, 1000, 2000, 4000, 8000, 12_000, 16_000, 24_000];
const TIMES = 15;

const options = readOptions();
const shuffles = Math.max(1, Math.round(SHUFFLES * options.scale));

await runBench(
  'claim',
  `${shuffles} shuffles of ${LOADS.join(', ')} claims on ${WORKERS.join(', ')} worker threads`,
  options,
  async (run) => {
    const figures: Figure[] = [];
    for (const load of LOADS) figures.push(...(await measureLoad(load, options.seed + run)));
    return { figures: [...figures, ...(await measureCrossover(options.seed + run))] };
  },
);

async function measureLoad(load: number, seed: number): Promise<readonly Figure[]> {
  const homes = homesOf(load);
  const random = createRandom(seed);
  const variant = `${load} claims`;
  const perClaim = (ms: number): number => (ms * 1000) / load;
  const layouts = new Set([placeInline(homes).layout]);
  const inline = await medians(TIMES, () => placeInline(homes));
  const alone = await medians(TIMES, () => placeHere(homes));
  const figures: Figure[] = [
    { variant, name: 'one after another', unit: 'µs a claim', value: perClaim(inline.ms) },
    { variant, name: 'in shared memory, no workers', unit: 'µs a claim', value: perClaim(alone.ms) },
  ];
  const whole: Figure[] = [];
  for (const workers of WORKERS) {
    const crew = await createCrew(workers);
    const placed = [];
    for (let shuffle = 0; shuffle < shuffles; shuffle++) placed.push(await crew.place(homes, random));
    if (workers === 2) whole.push(...(await measureWhole(crew)));
    await crew.close();
    for (const { layout } of placed) layouts.add(layout);
    const name = `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
    const figure = (what: string, unit: string, value: number): Figure => ({
      variant,
      name: `${name}: ${what}`,
      unit,
      value,
    });
    figures.push(
      {
        ...figure('wall', 'µs a claim', perClaim(median(placed.map(({ ms }) => ms)))),
        bound: { atMost: 10 },
      },
      figure('wall, the worst', 'µs a claim', perClaim(Math.max(...placed.map(({ ms }) => ms)))),
      figure('main thread busy', 'ms', median(placed.map(({ busyMs }) => busyMs))),
      {
        ...figure('least placed by a worker', 'of its share', Math.min(...placed.map((p) => p.leastShare))),
        bound: { atLeast: 0.5 },
      },
    );
  }
  return [
    {
      variant,
      name: 'distinct layouts, with that of one after another',
      unit: '',
      value: layouts.size,
      bound: { exactly: 1 },
    },
    ...figures,
    ...whole,
  ];

  /** The arbiter's decision around it, which stays on the main thread. */
  async function measureWhole(crew: Crew): Promise<readonly Figure[]> {
    const found: Figure[] = [];
    for (const [name, by] of [
      ['the whole decision, one after another', null],
      ['the whole decision, 2 workers', crew],
    ] as const) {
      const decided = await medians(TIMES, async () => {
        const each = await decideAll(homes, random, by);
        layouts.add(each.layout);
        return each;
      });
      found.push({ variant, name, unit: 'µs a claim', value: perClaim(decided.ms) });
    }
    return found;
  }
}

/** How small a load may be and still be done sooner, or with less of the main thread, by two workers. */
async function measureCrossover(seed: number): Promise<readonly Figure[]> {
  const random = createRandom(seed);
  const crew = await createCrew(2);
  const figures: Figure[] = [];
  const sooner: number[] = [];
  const calmer: number[] = [];
  for (const claims of FEW) {
    const homes = homesOf(claims);
    const variant = `crossover, ${claims} claims`;
    const inline = await medians(TIMES, () => placeInline(homes));
    const shared = await medians(TIMES, () => crew.place(homes, random));
    if (shared.ms < inline.ms) sooner.push(claims);
    if (shared.busyMs < inline.busyMs) calmer.push(claims);
    figures.push(
      { variant, name: 'one after another', unit: 'ms', value: inline.ms },
      { variant, name: '2 workers: wall', unit: 'ms', value: shared.ms },
      { variant, name: '2 workers: main thread busy', unit: 'ms', value: shared.busyMs },
    );
  }
  await crew.close();
  const from = (better: readonly number[]): number => {
    const worse = FEW.filter((claims) => !better.includes(claims));
    return FEW.find((claims) => claims > (worse.at(-1) ?? 0)) ?? Number.NaN;
  };
  const variant = 'crossover';
  return [
    ...figures,
    { variant, name: '2 workers are sooner from', unit: 'claims', value: from(sooner) },
    { variant, name: '2 workers keep main calmer from', unit: 'claims', value: from(calmer) },
  ];
}
