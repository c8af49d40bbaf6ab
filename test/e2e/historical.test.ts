import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { World } from '../../src/sim/world.js';
import { pause } from '../../src/sim/world-wait.js';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { flagsFor, runProgram } from '../support/process.js';
import { assertReplacedOnce, binds, eventually, openWorld, serverName } from '../support/world.js';

/** What the janitor would post for `web`, under the name that the historical one gave it: `_80_web`. */
async function moved(t: TestContext, world: World, http: string, change: Record<string, unknown> = {}) {
  const name = serverName(http, 'web');
  const historical = `_${http.split('/')[0] ?? ''}_web`;
  assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
  const { ...body } = (await world.servers())[name];
  await world.dropServer(name);
  await eventually(() => world.addForeign(historical, { ...body, ...change }));
  return { name, historical, bind: String(body.bind) };
}

async function open(t: TestContext) {
  const world = await openWorld(t);
  const http = `${world.ports.take()}/tcp`;
  const web = world.addService('web', {
    bind: `${http}-0.0.0.0:${world.ports.take()}`,
    expose: [http],
    instances: 1,
  });
  return { world, http, web };
}

describe('servers of the historical janitor', () => {
  test('`_80_web` is adopted in place when equal: 0 POST, 0 DELETE', async (t) => {
    const { world, http, web } = await open(t);
    const { historical, bind } = await moved(t, world, http);
    const writes = world.writes();
    const janitor = startJanitor(t, world);
    await janitor.synced();
    await staysSilent(world, 1500);
    assert.deepEqual(world.writes(), writes);
    assert.deepEqual(await binds(world), { [historical]: bind });
    await t.test('also at the next start', async (t) => {
      await janitor.stop();
      await startJanitor(t, world).synced();
      await staysSilent(world, 1200);
      assert.deepEqual(world.writes(), writes);
    });
    await t.test('and follows its service: a change replaces it once, a deletion removes it', async (t) => {
      const next = startJanitor(t, world);
      await next.synced();
      const before = world.writes();
      world.cluster.set(web, 'env.igw_gobtw_balance', 'leastconn');
      await eventually(async () => {
        const servers = Object.values(await world.servers());
        assert.deepEqual(
          servers.map((server) => server['balance']),
          ['leastconn'],
        );
      });
      await pause(1200);
      assertReplacedOnce(world, before);
      world.remove(web);
      await eventually(async () => assert.deepEqual(await binds(world), {}));
    });
  });

  test('one that differs is replaced once, by a server with the new name', async (t) => {
    const { world, http } = await open(t);
    const { name, bind } = await moved(t, world, http, { balance: 'iphash' });
    const writes = world.writes();
    const janitor = startJanitor(t, world);
    await eventually(async () => assert.deepEqual(await binds(world), { [name]: bind }));
    await janitor.synced();
    await staysSilent(world, 1500);
    assertReplacedOnce(world, writes);
    assert.equal((await world.servers())[name]?.['balance'], 'weight');
  });

  test('one whose service is gone goes after the grace, and `_80_web2` is not taken for `_80_web`', async (t) => {
    const { world, http } = await open(t);
    const { name, bind } = await moved(t, world, http);
    const label = http.split('/')[0] ?? '';
    const orphan = `_${label}_gone`;
    const web2 = world.addService('web2', {
      bind: `${http}-127.0.0.1:${world.ports.take()}`,
      expose: [http],
      instances: 1,
    });
    for (const [extra, port] of [
      [orphan, world.ports.take()],
      [`_${label}_web2`, world.ports.take()],
    ] as const) {
      await world.addForeign(extra, {
        protocol: 'tcp',
        bind: `127.0.0.1:${port}`,
        discovery: { kind: 'static', static_list: ['127.0.0.1:1'] },
      });
    }
    const janitor = startJanitor(t, world, { 'delete-grace': '2s' });
    await eventually(async () => assert.ok(serverName(http, 'web2') in (await binds(world))));
    assert.ok(orphan in (await binds(world)), 'absence is not proven yet');
    await eventually(async () => assert.equal(orphan in (await binds(world)), false));
    await janitor.synced();
    assert.deepEqual(
      Object.keys(await binds(world)).sort(),
      [`_${label}_web`, serverName(http, 'web2')].sort(),
    );
    assert.equal((await binds(world))[`_${label}_web`], bind);
    assert.equal(name in (await binds(world)), false);
    world.remove(web2);
    await eventually(async () => assert.deepEqual(Object.keys(await binds(world)), [`_${label}_web`]));
  });
});
