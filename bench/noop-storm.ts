/**
 * 100,000 events that change nothing for a gateway, as fast as they are read: nothing may be asked of the agent or of
 * GoBetween for them. Five bursts, the best counts. Baselines on the same socket: JSON.parse of each frame, and splitting alone.
 */
import { join } from 'node:path';
import type { BareProcess } from './bare-process.js';
import { pause, until } from './machine-clock.js';
import { readOptions } from './options.js';
import { topFunctions } from './profile.js';
import { type Figure, runBench } from './report.js';
import { startRemote } from './remote.js';
import { onStage, settledJanitor, type Stage } from './stage.js';

const options = readOptions();
const services = Math.round(2000 * options.scale);
const BURSTS = 5;
const frames = Math.round(100_000 * options.scale);

await runBench('noop-storm', `${frames} events of nothing, ${services} services`, options, (run) =>
  onStage({ services, present: services }, async (stage) => {
    const { agent, gobetween } = stage;
    const ask = { frames, seed: options.seed + run };
    const rates = new Map<string, number>();
    for (const [name, parse] of [
      ['JSON.parse loop', true],
      ['splitting alone', false],
    ] as const) {
      rates.set(name, await bareRate(stage, parse, ask));
    }
    const janitor = await settledJanitor(stage, {});
    await pause(3000);
    await agent.call('forget');
    await gobetween.call('forget');
    if (options.cpuProf !== null) await janitor.call('profile');
    const counted = { name: 'gobtw_janitor_events_total', labels: 'outcome="irrelevant"' };
    const before = await janitor.call('metric', counted);
    await janitor.call('reset', { withDelay: true });
    const { bestMs: ms, bytes } = await bursts(stage, ask);
    const load = await janitor.call('load');
    const notes =
      options.cpuProf === null
        ? []
        : topFunctions(await janitor.call('profiled', { dir: options.cpuProf, name: `noop-${run}` }));
    await pause(1000);
    const { reads } = await agent.call('counts');
    const heard = (await janitor.call('metric', counted)) - before;
    const writes = await gobetween.call('writes');
    const rate = frames / (ms / 1000);
    const parsed = rates.get('JSON.parse loop') ?? Number.NaN;
    const variant = 'janitor';
    const figures: readonly Figure[] = [
      {
        variant,
        name: 'frames a second ÷ JSON.parse loop',
        unit: '',
        value: rate / parsed,
        bound: { atLeast: 2.5 },
      },
      { variant, name: 'config reads', unit: '', value: reads, bound: { exactly: 0 } },
      { variant, name: 'calls', unit: '', value: writes.length, bound: { exactly: 0 } },
      {
        variant,
        name: 'share of the frames counted as irrelevant',
        unit: '',
        value: Math.min(1, heard / (BURSTS * frames)),
        bound: { exactly: 1 },
      },
      { variant, name: 'frames a second', unit: '/s', value: rate },
      { variant, name: 'main loop delay max', unit: 'ms', value: load.max },
      ...[...rates].map(([name, value]) => ({ variant: name, name: 'frames a second', unit: '/s', value })),
    ];
    return { figures, notes: [`${(bytes / frames).toFixed(0)} bytes a frame`, ...notes] };
  }),
);

/** The best of several, for each follower: other work on the machine makes one burst slow, and none fast. */
async function bursts({ agent }: Stage, ask: { readonly frames: number; readonly seed: number }) {
  const all = [];
  for (let i = 0; i < BURSTS; i++) {
    all.push(await agent.call('noop', ask));
    await pause(500);
  }
  return { bestMs: Math.min(...all.map(({ ms }) => ms)), bytes: all[0]?.bytes ?? Number.NaN };
}

async function bareRate(
  stage: Stage,
  parse: boolean,
  ask: { readonly frames: number; readonly seed: number },
): Promise<number> {
  const { agent, folder } = stage;
  const bare = startRemote<BareProcess>('./bare-process.js');
  try {
    await bare.call('follow', { socketPath: join(folder, 'lsnr.sock'), parse });
    await until('the loop follows', async () => (await agent.call('subscribers')) === 1);
    const { bestMs } = await bursts(stage, ask);
    return frames / (bestMs / 1000);
  } finally {
    await bare.end();
    await until('the loop is gone', async () => (await agent.call('subscribers')) === 0);
  }
}
