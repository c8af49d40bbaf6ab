import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { populateNeighbours, type Scene } from '../support/neighbours.js';
import { binds, eventually, serverName } from '../support/world.js';

/** Within the time the server of `web` goes, and nothing else does. */
async function onlyWebIsGone({ world, http, before }: Scene): Promise<void> {
  const { [serverName(http, 'web')]: _gone, ...rest } = before;
  await eventually(async () => assert.equal(serverName(http, 'web') in (await binds(world)), false));
  await pause(1200); // a sweep
  assert.deepEqual(await binds(world), rest);
}

describe('a deleted service', () => {
  test("A deleted `web` leaves `web2` and another namespace's `web` alone: announced", async (t) => {
    const scene = await populateNeighbours(t);
    const { world, web } = scene;
    const deletes = world.writes().deletes;
    const startedAt = performance.now();
    world.remove(web);
    await onlyWebIsGone(scene);
    assert.ok(
      performance.now() - startedAt < 120_000,
      'the announcement does not wait for the grace of 5 minutes',
    );
    assert.equal(world.writes().deletes, deletes + 1);
  });

  test("A deleted `web` leaves `web2` and another namespace's `web` alone: absent for the grace", async (t) => {
    const scene = await populateNeighbours(t, { 'delete-grace': '2s' });
    const { world, web, http, janitor } = scene;
    await pause(2500); // the list stands still for the grace first
    const deletes = world.writes().deletes;
    const goneAt = performance.now();
    world.cluster.delete(web, { announced: false });
    await eventually(async () => assert.equal(serverName(http, 'web') in (await binds(world)), false));
    const waited = performance.now() - goneAt;
    assert.ok(waited >= 2000, `gone after ${waited} ms, before the grace had passed`);
    await onlyWebIsGone(scene);
    assert.equal(world.writes().deletes, deletes + 1);
    assert.equal(
      await janitor.metric('gobtw_janitor_changes_total{kind="delete",reason="absent",result="applied"}'),
      1,
    );
  });

  test('one that comes back within the grace keeps its server', async (t) => {
    const { world, web, before, janitor } = await populateNeighbours(t, { 'delete-grace': '2s' });
    await pause(2500);
    const writes = world.writes();
    const text = world.cluster.configText(web) ?? '';
    for (let i = 0; i < 3; i += 1) {
      world.cluster.delete(web, { announced: false });
      await pause(1000);
      world.cluster.create(web, text);
      await pause(400);
    }
    await janitor.synced();
    assert.deepEqual(world.writes(), writes);
    assert.deepEqual(await binds(world), before);
  });

  test('one that disappears while nobody looks is found and waits for the grace', async (t) => {
    const scene = await populateNeighbours(t, { 'delete-grace': '2s' });
    const { world, web, http } = scene;
    world.agent.stream.silence();
    await world.agent.kill();
    world.cluster.delete(web, { announced: false });
    await pause(1000);
    assert.ok(serverName(http, 'web') in (await binds(world)));
    await world.agent.start();
    await onlyWebIsGone(scene);
  });
});
