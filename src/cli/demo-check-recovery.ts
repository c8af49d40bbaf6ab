/** The checks of conflicts, of what is not ours, and of restarts on either side. */
import { sleep, systemClock } from '../clock.js';
import { askMany, askTcp } from '../sim/world-traffic.js';
import type { Check } from './demo-seen.js';
import { runCommand, tally } from './demo-commands.js';
import { portOf } from './demo-ports.js';
import type { Stage } from './demo-stage.js';

const SECOND_LOOK_MS = 2500;

export async function runRecoveryChecks(stage: Stage, check: Check): Promise<void> {
  const { world, cast } = stage;
  const port = portOf(stage, cast.web, 'tcp') ?? 0;

  await runCommand(stage, 'conflict');
  await check('a conflict is named, and who holds the port keeps it', async () => {
    const row = stage.rowsOf('rival')[0];
    const reply = await askTcp(port);
    const named = row?.state === 'held' && row.why.startsWith('port-conflict') && row.why.includes(cast.web);
    const who = reply.ok ? reply.who : reply.why;
    return {
      ok: named && reply.ok && reply.service === cast.web,
      text: `rival ${row?.state ?? 'absent'} (${row?.why ?? ''}); :${port} is answered by ${who}`,
    };
  });

  world.remove(cast.web);
  await check('the conflict ends when the winner leaves', async () => {
    const row = stage.rowsOf('rival')[0];
    const replies = await askMany(port, 3);
    return {
      ok: row?.state === 'serving' && replies.every((reply) => reply.ok && reply.service === 'rival'),
      text: `rival ${row?.state ?? 'absent'}; :${port}: ${tally(replies)}`,
    };
  });

  await check('a server that is not ours is untouched', async () => {
    const server = (await world.servers())[cast.foreign];
    return { ok: server?.bind === cast.foreignListen, text: `${cast.foreign} ${server?.bind ?? 'is gone'}` };
  });

  await stage.settled();
  const quiet = world.writes();
  await stage.restartJanitor();
  await stage.settled();
  await check('a second start of the janitor changes nothing', async () => {
    await sleep(systemClock, SECOND_LOOK_MS); // long enough for its second look at GoBetween
    const now = world.writes();
    const [posts, deletes] = [now.posts - quiet.posts, now.deletes - quiet.deletes];
    const serving = stage.rows().filter(({ state }) => state === 'serving').length;
    return {
      ok: posts === 0 && deletes === 0 && serving > 0,
      text: `${posts} POST, ${deletes} DELETE, ${serving} serving`,
    };
  });

  const kept = listens(stage);
  await world.restartGoBetween();
  await check('after a restart of GoBetween everything is back on the same ports', async () => {
    const shown = Object.values(await world.servers()).map(({ bind }) => bind);
    const replies = await askMany(port, 3);
    const back = listens(stage);
    return {
      ok: kept === back && shown.length === back.split(' ').length && replies.every(({ ok }) => ok),
      text: `${shown.length} servers; :${port}: ${tally(replies)}`,
    };
  });

  const victim = stage.rowsOf(cast.api).find(({ state }) => state === 'serving')?.server ?? '';
  await world.dropServer(victim);
  await check('a server removed behind our back is mended', async () => {
    const server = (await world.servers())[victim];
    return {
      ok: server !== undefined,
      text: server === undefined ? `${victim} is gone` : `${victim} is back`,
    };
  });
}

function listens(stage: Stage): string {
  const serving = stage.rows().filter(({ state }) => state === 'serving');
  return serving
    .map(({ listen, proto }) => `${listen ?? ''}/${proto}`)
    .sort()
    .join(' ');
}
