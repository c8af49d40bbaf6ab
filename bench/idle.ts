/** What the janitor does when nothing happens: 10,000 services, a quiet agent, `--resync 1h`, a minute of it. */
import { pause } from './machine-clock.js';
import { readOptions } from './options.js';
import { topFunctions } from './profile.js';
import { runBench } from './report.js';
import { onStage, settledJanitor } from './stage.js';

const MINUTE_MS = 60_000;
const options = readOptions();
const services = Math.round(10_000 * options.scale);

await runBench('idle', `${services} services, nothing happens, --resync 1h`, options, (run) =>
  onStage({ services, present: services }, async (stage) => {
    const { agent, gobetween } = stage;
    const janitor = await settledJanitor(stage, { resync: '1h' });
    await pause(10_000); // what the start left behind
    await agent.call('forget');
    await gobetween.call('forget');
    const framesBefore = (await agent.call('counts')).frames;
    if (options.cpuProf !== null) await janitor.call('profile');
    await janitor.call('reset', { withDelay: false });
    await pause(MINUTE_MS);
    const load = await janitor.call('load');
    const notes =
      options.cpuProf === null
        ? []
        : topFunctions(await janitor.call('profiled', { dir: options.cpuProf, name: `idle-${run}` }), 15);
    const counts = await agent.call('counts');
    const calls = await gobetween.call('counts');
    const variant = 'janitor';
    const seen = (name: string, value: number) => ({ variant, name, unit: 'a minute', value });
    return {
      figures: [
        {
          variant,
          name: 'processor, all threads',
          unit: '% of a core',
          value: load.cpuShare * 100,
          bound: { atMost: 2 },
        },
        seen('frames heard', counts.frames - framesBefore),
        ...Object.entries(counts.actions).map(([action, count]) => seen(`agent: ${action}`, count)),
        ...Object.entries(calls).map(([call, count]) => seen(`GoBetween: ${call}`, count)),
      ],
      notes: ['what remains: the requests above, a DNS probe each 10 s', ...notes],
    };
  }),
);
