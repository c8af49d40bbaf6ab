import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { askTcp } from '../../src/sim/world-traffic.js';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld } from '../support/world.js';

describe('an absent peer', () => {
  test('GoBetween absent at start: waits, says so once, starts when it comes', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    world.addService('web', { bind: http, expose: [http], instances: 1 });
    await world.stopGoBetween();
    const janitor = startJanitor(t, world);
    await janitor.line(/GoBetween at .*waiting for it/);
    await pause(3000);
    const said = janitor.log().filter(({ msg }) => /GoBetween at/.test(msg));
    assert.equal(said.length, 1, JSON.stringify(said));
    assert.equal(await janitor.metric('gobtw_janitor_gobetween_up'), 0);
    await world.startGoBetween();
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 1));
    await janitor.synced();
    assert.equal(await janitor.metric('gobtw_janitor_gobetween_up'), 1);
    assert.equal(janitor.log().filter(({ msg }) => /GoBetween at .* answers/.test(msg)).length, 1);
  });

  test('the agent absent at start: waits, says so once, starts when it comes', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    world.addService('web', { bind: http, expose: [http], instances: 1 });
    await world.agent.stop();
    const janitor = startJanitor(t, world);
    await janitor.line(/the OpenSVC agent: .*waiting for it/);
    await pause(3000);
    const said = janitor.log().filter(({ msg }) => /OpenSVC agent/.test(msg));
    assert.equal(said.length, 1, JSON.stringify(said));
    assert.deepEqual(world.writes(), { posts: 0, deletes: 0 });
    await world.agent.start();
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 1));
    await janitor.synced();
  });
});

describe('a GoBetween that restarts', () => {
  test('GoBetween restart: everything back', async (t) => {
    const world = await openWorld(t, { allocatable: 80 });
    const http = `${world.ports.take()}/tcp`;
    const port = world.ports.take();
    world.addService('fixed', { bind: `${http}-127.0.0.1:${port}`, expose: [http], instances: 1 });
    for (let i = 0; i < 40; i += 1) world.addService(`web${i}`, { bind: http, expose: [http], instances: 0 });
    const janitor = startJanitor(t, world, { sweep: '30s' });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 41));
    await janitor.synced();
    const before = await binds(world);
    for (let i = 1; i <= 3; i += 1) {
      await world.restartGoBetween();
      await eventually(async () => assert.deepEqual(await binds(world), before));
      await eventually(async () => assert.equal((await askTcp(port)).ok, true));
      await janitor.synced();
      assert.deepEqual(world.writes(), { posts: 41 * (i + 1), deletes: 0 }, 'each server once');
    }
    // a look at the servers may find them missing, and mend that, before the next status tells why
    await eventually(async () =>
      assert.equal(await janitor.metric('gobtw_janitor_gobetween_restarts_total'), 3),
    );
  });

  test('GoBetween killed while the agent is down: the last good servers are pushed again', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const bind = (): string => `${http}-127.0.0.1:${world.ports.take()}`;
    for (const name of ['web', 'api', 'typo', 'unread'])
      world.addService(name, { bind: bind(), expose: [http], instances: 1 });
    const janitor = startJanitor(t, world);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 4));
    await janitor.synced();
    const before = await binds(world);
    world.setBind('typo', `${http}-8443`);
    world.agent.flaws.configFailures.set('unread', 'internal');
    world.cluster.set('unread', 'env.touched', 'yes');
    await eventually(async () => assert.equal(await janitor.problems('config-unreadable'), 1));
    await eventually(async () => assert.equal(await janitor.problems('bad-word'), 1));
    await world.agent.kill();
    await world.stopGoBetween();
    await pause(1500);
    await world.startGoBetween();
    await eventually(async () => assert.deepEqual(await binds(world), before));
    await world.agent.start();
    await staysSilent(world, 2000);
    assert.equal(world.writes().deletes, 0);
  });

  test('a GoBetween that hangs costs no pile-up, and gets what was missed when it answers again', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const bind = (): string => `${http}-127.0.0.1:${world.ports.take()}`;
    for (const name of ['web', 'api']) world.addService(name, { bind: bind(), expose: [http], instances: 1 });
    const janitor = startJanitor(t, world, { 'req-timeout': '1' });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    await janitor.synced();
    const before = await binds(world);
    world.hangGoBetween();
    for (let i = 0; i < 5; i += 1)
      world.addService(`late${i}`, { bind: bind(), expose: [http], instances: 1 });
    await eventually(async () => assert.equal(await janitor.metric('gobtw_janitor_gobetween_up'), 0));
    await pause(2000);
    world.resumeGoBetween();
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 7));
    await janitor.synced();
    const now = await binds(world);
    for (const [name, listen] of Object.entries(before)) assert.equal(now[name], listen);
    assert.equal(world.writes().deletes, 0);
    assert.ok(world.writes().posts <= 2 + 5 * 3, `${world.writes().posts} POSTs`);
  });
});
