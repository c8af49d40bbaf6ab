import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { askTcp } from '../../src/sim/world-traffic.js';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld, serverName } from '../support/world.js';

/** A service with three words, all served, and a neighbour. */
async function threeWords(t: TestContext) {
  const world = await openWorld(t);
  const http = `${world.ports.take()}/tcp`;
  const ports = [world.ports.take(), world.ports.take(), world.ports.take()];
  const words = ports.map((port) => `${http}-127.0.0.1:${port}`);
  const web = world.addService('web', { bind: words.join(' '), expose: [http], instances: 1 });
  world.addService('web2', { bind: `${http}-127.0.0.1:${world.ports.take()}`, expose: [http], instances: 1 });
  const janitor = startJanitor(t, world);
  await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 4));
  await janitor.synced();
  return { world, http, ports, words, web, janitor, before: await binds(world), writes: world.writes() };
}

describe('a typo', () => {
  test('A typo in one word of a served keyword, and its correction: 0 DELETE', async (t) => {
    const { world, http, ports, words, web, janitor, before, writes } = await threeWords(t);
    const [first = '', second = '', third = ''] = words;
    const typos = [
      second.replace('-127.0.0.1:', '-'),
      second.replace('tcp', 'tpc'),
      second.replace(/:\d+$/, ':99999'),
      second.replace(/^\d+/, 'http'),
      `${second},`,
      second.replace('127.0.0.1', '127.0.0.300'),
    ];
    for (const [i, typo] of typos.entries()) {
      await t.test(`${typo.replace(/\d{5}/g, 'N')}`, async () => {
        world.setBind(web, `${first} ${typo} ${third}`);
        await eventually(async () => assert.equal(await janitor.problems('bad-word'), 1));
        await staysSilent(world, 300);
        assert.deepEqual(await binds(world), before, 'the mistyped word keeps its server, too');
        world.setBind(web, words.join(' '));
        await eventually(async () => assert.equal(await janitor.problems('bad-word'), 0));
        await staysSilent(world, 200);
        assert.equal(janitor.raised('bad-word').length, i + 1, 'said once each time');
      });
    }
    assert.deepEqual(world.writes(), writes);
    for (const port of ports) assert.equal((await askTcp(port)).ok, true);
    assert.match(janitor.raised('bad-word')[0]?.msg ?? '', /^web: igw_gobtw_bind .* \[bad-word\]$/);
    // what is meant is done at once
    world.setBind(web, `${first} ${third}`);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
    assert.equal(world.writes().deletes, writes.deletes + 1);
    assert.ok(serverName(http, 'web2') in (await binds(world)));
  });

  test('a restart of the janitor, or of GoBetween, while the typo stands keeps every server', async (t) => {
    const { world, words, web, janitor, before, writes } = await threeWords(t);
    const [first = '', second = '', third = ''] = words;
    world.setBind(web, `${first} ${second.replace('-127.0.0.1:', '-')} ${third}`);
    await eventually(async () => assert.equal(await janitor.problems('bad-word'), 1));
    await janitor.stop();
    const next = startJanitor(t, world);
    await next.synced();
    await staysSilent(world, 1200);
    assert.deepEqual(await binds(world), before);
    assert.deepEqual(world.writes(), writes);
    await world.restartGoBetween();
    await eventually(async () => assert.deepEqual(await binds(world), before));
    world.setBind(web, words.join(' '));
    await eventually(async () => assert.equal(await next.problems('bad-word'), 0));
    await staysSilent(world, 500);
    assert.equal(world.writes().deletes, writes.deletes);
  });

  test('a keyword that is wrong spoils its service, which keeps its last good servers', async (t) => {
    const { world, web, janitor, before, writes } = await threeWords(t);
    world.cluster.set(web, 'env.igw_gobtw_balance', 'rounrobin');
    world.cluster.set(web, 'env.igw_gobtw_discovery_interval', '1 fortnight');
    await eventually(async () => assert.equal(await janitor.problems('bad-keyword'), 2));
    await staysSilent(world, 300);
    world.cluster.unset(web, 'env.igw_gobtw_balance');
    world.cluster.set(web, 'env.igw_gobtw_discovery_interval', '500ms');
    await eventually(async () => assert.equal(await janitor.problems('bad-keyword'), 0));
    await staysSilent(world, 300);
    assert.deepEqual(await binds(world), before);
    assert.deepEqual(world.writes(), writes);
  });
});
