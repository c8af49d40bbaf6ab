/** A real agent that stops, starts, dies, and loses and finds a config, costs no server; a target elsewhere does, at once. */
import assert from 'node:assert/strict';
import { askTcp } from '../../src/sim/world-traffic.js';
import { pause } from '../../src/sim/world-wait.js';
import {
  type RealWorld,
  realTest,
  serviceConfig,
  shareRealWorld,
  startJanitor,
} from '../support/real-world.js';
import { binds, eventually } from '../support/world.js';

/** n2 is a member that is down all along. */
const world = shareRealWorld({ nodes: ['n1', 'n2'] });
const graceMs = 10_000;
const server = (name: string): string => `_8080._tcp.${name}.ns1.svc`;
const names = ['one', 'two', 'three'];
const bindOf = new Map<string, string>();

/** Three services with a backend each, made once. */
async function populate(): Promise<RealWorld> {
  const real = await world();
  if (bindOf.size > 0) return real;
  for (const name of names) {
    bindOf.set(name, `127.0.0.1:${real.ports.take()}`);
    await real.agent.writeConfig(`ns1/svc/${name}`, await configOf(real, name));
  }
  return real;
}

const addresses = new Map<string, string>();
async function configOf(
  real: RealWorld,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const address = addresses.get(name) ?? (await real.backend(`ns1/svc/${name}`));
  addresses.set(name, address);
  return serviceConfig(address, { igw_gobtw_bind: `8080/tcp-${bindOf.get(name)}`, ...env });
}

const wanted = (): Record<string, string> =>
  Object.fromEntries([...bindOf].map(([name, bind]) => [server(name), bind]));

async function allAnswer(): Promise<void> {
  for (const [name, bind] of bindOf) {
    const reply = await askTcp(Number(bind.split(':')[1]));
    assert.equal(reply.ok ? reply.service : reply.why, `ns1/svc/${name}`);
  }
}

realTest('the agent stops, starts and is killed: no call at all', 110_000, async (t) => {
  const real = await populate();
  const janitor = startJanitor(t, real, { 'delete-grace': `${graceMs}ms` });
  await janitor.ready();
  await eventually(async () => assert.deepEqual(await binds(real), wanted()), 20_000);
  await eventually(allAnswer, 20_000);
  const writes = real.writes();

  // Of traffic meanwhile nothing is said: DNS before a stopped agent answers SERVFAIL, and GoBetween then forgets backends.
  await real.agent.stopGracefully();
  await janitor.line(/the OpenSVC agent.*waiting for it/, 20_000);
  await pause(graceMs / 2);
  await real.agent.start();
  await eventually(async () => assert.equal(await connected(janitor), 1), 30_000);
  await eventually(allAnswer, 20_000);

  await real.agent.kill();
  await pause(graceMs / 2);
  await real.agent.start();
  await eventually(async () => assert.equal(await connected(janitor), 1), 30_000);
  // Longer than the grace after the last start, in which the list stood still: nothing may be found gone.
  await pause(graceMs * 1.5);
  await eventually(allAnswer, 10_000);
  assert.deepEqual(await binds(real), wanted());
  assert.deepEqual(real.writes(), writes);
});

async function connected(janitor: ReturnType<typeof startJanitor>): Promise<number | undefined> {
  return (await janitor.metrics()).get('gobtw_janitor_event_stream_connected');
}

realTest(
  'a target that names another node removes at once, one that comes back serves again',
  60_000,
  async (t) => {
    const real = await populate();
    const janitor = startJanitor(t, real);
    await janitor.ready();
    await eventually(async () => assert.deepEqual(await binds(real), wanted()), 20_000);
    const writes = real.writes();
    const { [server('two')]: two, ...others } = wanted();

    await real.agent.om('ns1/svc/two', 'set', '--kw', 'env.igw_gobtw_target_lb=n2');
    await eventually(async () => assert.deepEqual(await binds(real), others), 20_000);
    assert.deepEqual(real.writes(), { posts: writes.posts, deletes: writes.deletes + 1 });
    assert.equal(await janitor.problems('target-unknown'), 0, 'n2 is a member');

    await real.agent.om('ns1/svc/two', 'set', '--kw', 'env.igw_gobtw_target_lb=N1.example.com n2');
    await eventually(async () => assert.equal((await binds(real))[server('two')], two), 20_000);
    assert.deepEqual(real.writes(), { posts: writes.posts + 1, deletes: writes.deletes + 1 });
  },
);
