/** What `initial` and `restart` share: a GoBetween of either kind, and the bare loop at its best number of connections. */
import { type BenchBalancer, startLeanBalancer, startRealBalancer } from './balancer.js';
import type { BareProcess } from './bare-process.js';
import type { Fixture } from './fixture.js';
import type { BenchOptions } from './options.js';
import type { Figure } from './report.js';
import { startRemote } from './remote.js';
import { type Stage, onStage } from './stage.js';

export const CONNECTIONS = [1, 4, 8, 16] as const;

/** Listeners of a real GoBetween must be free: below the range of outgoing connections, on loopback. */
export const REAL_PLACE = { addr: '127.0.0.1', firstPort: 20_000 } as const;

/** A stage on which the GoBetween of the options is empty. */
export function onPushStage<T>(
  services: number,
  { gobetweenBin }: BenchOptions,
  play: (stage: Stage, balancer: BenchBalancer) => Promise<T>,
): Promise<T> {
  return onStage({ services, present: 0, ...REAL_PLACE }, async (stage) => {
    const balancer =
      gobetweenBin === null ? await startLeanBalancer() : await startRealBalancer(gobetweenBin, stage.folder);
    try {
      return await play(stage, balancer);
    } finally {
      await balancer.end();
    }
  });
}

/** Each number of connections against an empty GoBetween; the best, and all of them as figures. */
export async function bareLoop(
  fixture: Fixture,
  balancer: BenchBalancer,
): Promise<{ readonly bestMs: number; readonly figures: readonly Figure[] }> {
  const figures: Figure[] = [];
  for (const connections of CONNECTIONS) {
    await balancer.fresh();
    const bare = startRemote<BareProcess>('./bare-process.js');
    try {
      const value = await bare.call('post', { fixture, url: balancer.url, connections });
      figures.push({ variant: 'bare loop', name: `${connections} connections`, unit: 'ms', value });
    } finally {
      await bare.end();
    }
  }
  return { bestMs: Math.min(...figures.map(({ value }) => value)), figures };
}
