/**
 * GoBetween comes back empty while 5,000 servers are due: from its first breath to the last server, against the bare loop that
 * posts the same bodies. What passes before the first creation (the loss has to be noticed) is in it, and shown apart.
 */
import { readOptions } from './options.js';
import { topFunctions } from './profile.js';
import { bareLoop, onPushStage } from './push-run.js';
import { type Figure, runBench, unbound } from './report.js';
import { nowMs, pause } from './machine-clock.js';

const options = readOptions();
const services = Math.round(5000 * options.scale);

await runBench('restart', `GoBetween comes back empty with ${services} servers due`, options, (run) =>
  onPushStage(services, options, async (stage, balancer) => {
    const bare = await bareLoop(stage.fixture, balancer);
    const figures: Figure[] = [];
    const notes = [`against ${balancer.name}`];
    for (const [variant, flags] of [
      ['janitor', {}],
      ...(options.only ? [] : [['janitor --workers 0', { workers: '0' }] as const]),
    ] as const) {
      await balancer.fresh();
      const janitor = stage.janitor();
      await janitor.call('start', stage.flags({ gobetween: balancer.url, ...flags }));
      await janitor.call('hasServers', services);
      await janitor.call('settled');
      await pause(5000); // the second look is over, and the next status is anywhere in its second
      const isProfiled = variant === 'janitor' && options.cpuProf !== null;
      if (isProfiled) await janitor.call('profile');
      await janitor.call('reset', { withDelay: true });
      const backAt = await balancer.fresh();
      const firstAt = await janitor.call('lost', services);
      const endedAt = await janitor.call('hasServers', services);
      const load = await janitor.call('load');
      if (isProfiled) {
        notes.push(
          ...topFunctions(
            await janitor.call('profiled', { dir: options.cpuProf ?? '', name: `restart-${run}` }),
          ),
        );
      }
      const own: readonly Figure[] = [
        {
          variant,
          name: 'wall ÷ best bare loop',
          unit: '',
          value: (endedAt - backAt) / bare.bestMs,
          bound: { atMost: 1.15 },
        },
        {
          variant,
          name: 'servers missing at the end',
          unit: '',
          value: services - (await balancer.servers()),
          bound: { exactly: 0 },
        },
        { variant, name: 'wall', unit: 'ms', value: endedAt - backAt },
        { variant, name: 'noticed after', unit: 'ms', value: firstAt - backAt },
        { variant, name: 'main loop delay p99', unit: 'ms', value: load.p99 },
        { variant, name: 'main loop delay max', unit: 'ms', value: load.max },
      ];
      figures.push(...(variant === 'janitor' ? own : own.map(unbound)));
      await janitor.call('stop');
      await janitor.end();
      await pause(nowMs() % 7);
    }
    return { figures: [...figures, ...bare.figures], notes };
  }),
);
