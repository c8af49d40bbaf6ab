/** The checks of what is exposed and of traffic that follows: ports, backends in turn, scaling, edits, mistakes. */
import { askMany, askTcp } from '../sim/world-traffic.js';
import { tally } from './demo-commands.js';
import { portOf } from './demo-ports.js';
import type { Check, Seen } from './demo-seen.js';
import type { Stage } from './demo-stage.js';

export async function runTrafficChecks(stage: Stage, check: Check): Promise<void> {
  const { world, cast } = stage;

  await check('services appear and are exposed', () => {
    const states = [cast.web, cast.api, cast.echo, cast.admin, cast.typo].map((path) => {
      const row = stage.rowsOf(path)[0];
      return { path, state: row?.state ?? 'absent', listen: row?.listen ?? '-' };
    });
    const wanted = ['serving', 'serving', 'serving', 'elsewhere', 'spoiled'];
    return {
      ok: states.every(({ state }, index) => state === wanted[index]),
      text: states.map(({ path, state, listen }) => `${path} ${state} ${listen}`).join(', '),
    };
  });

  await check('an allocated port is answered by different backends in turn', () =>
    answeredBy(stage, cast.web, 2),
  );

  await check("the allocated port is written back into the service's configuration", async () => {
    const bind = world.bindOf(cast.web) ?? '(none)';
    return {
      ok: bind === `${cast.http}-0.0.0.0:${portOf(stage, cast.web, 'tcp')}`,
      text: `igw_gobtw_bind = ${bind}`,
    };
  });

  await check('a udp service answers', async () => {
    const port = portOf(stage, cast.echo, 'udp');
    if (port === null) return { ok: false, text: 'no server' };
    const replies = await askMany(port, 4, 'udp');
    return { ok: replies.every(({ ok }) => ok), text: `127.0.0.1:${port}/udp: ${tally(replies)}` };
  });

  await stage.settled();
  const before = world.writes();
  world.scale(cast.web, 4);
  await check('scaling up is followed, and replaces nothing', async () => {
    const seen = await answeredBy(stage, cast.web, 4);
    return alsoQuiet(stage, before, seen);
  });

  world.scale(cast.web, 1);
  await check('scaling down is followed, and replaces nothing', async () => {
    const seen = await answeredBy(stage, cast.web, 1);
    return alsoQuiet(stage, before, seen);
  });
  world.scale(cast.web, 2);

  const oldPort = portOf(stage, cast.api, 'tcp') ?? 0;
  const newPort = world.ports.take();
  world.setBind(cast.api, `${cast.http}-127.0.0.1:${newPort}`);
  await check('a changed bind is followed', async () => {
    const [old, fresh] = [await askTcp(oldPort), await askTcp(newPort)];
    return {
      ok: !old.ok && old.why === 'ECONNREFUSED' && fresh.ok,
      text: `:${oldPort} ${old.ok ? old.who : old.why}, :${newPort} ${fresh.ok ? fresh.who : fresh.why}`,
    };
  });

  await stage.settled();
  const untouched = world.writes();
  const good = world.bindOf(cast.api) ?? '';
  world.setBind(cast.api, `${good} ${cast.http}-oops`);
  await check('a typo is named and spoils nothing', async () => {
    const rows = stage.rowsOf(cast.api);
    const bad = rows.find(({ state }) => state === 'spoiled');
    const reply = await askTcp(newPort);
    const seen = {
      ok: bad !== undefined && reply.ok,
      text: `${bad?.word ?? '?'}: ${bad?.why ?? 'not named'}`,
    };
    return alsoQuiet(stage, untouched, seen);
  });
  world.setBind(cast.api, good);
}

/** Whether exactly `count` different backends answer in turn, on the service's tcp port. */
async function answeredBy(stage: Stage, path: string, count: number): Promise<Seen> {
  const port = portOf(stage, path, 'tcp');
  if (port === null) return { ok: false, text: 'no server' };
  const replies = await askMany(port, count * 3);
  const who = new Set(replies.map((reply) => (reply.ok && reply.service === path ? reply.who : '')));
  const inTurn = replies.every(
    (reply, index) => reply.ok && (index === 0 || count === 1 || differs(replies, index)),
  );
  return { ok: who.size === count && !who.has('') && inTurn, text: `127.0.0.1:${port}: ${tally(replies)}` };
}

function differs(replies: readonly { readonly ok: boolean }[], index: number): boolean {
  const [last, now] = [replies[index - 1], replies[index]];
  return JSON.stringify(last) !== JSON.stringify(now);
}

function alsoQuiet(stage: Stage, before: { posts: number; deletes: number }, seen: Seen): Seen {
  const now = stage.world.writes();
  const calls = now.posts - before.posts + now.deletes - before.deletes;
  return { ok: seen.ok && calls === 0, text: `${seen.text}; ${calls} POST or DELETE` };
}
