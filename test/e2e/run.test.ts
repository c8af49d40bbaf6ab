import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { askMany, askTcp, askUdp } from '../../src/sim/world-traffic.js';
import { flagsFor, readMetrics, runProgram, startProgram } from '../support/process.js';
import { binds, eventually, openWorld, portOf } from '../support/world.js';

const lively = { sweep: '1s', 'quiet-wait': '200ms', 'log-level': 'warn' };

describe('run', () => {
  test('serves what services ask for, and writes allocated ports back', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const udp = `${world.ports.take()}/udp`;
    const env = { igw_gobtw_balance: 'roundrobin' };
    const web = world.addService('web', { bind: http, expose: [http], instances: 2, env });
    const explicit = world.ports.take();
    world.addService('api', {
      namespace: 'shop',
      bind: `${http}-127.0.0.1:${explicit}`,
      expose: [http],
      instances: 1,
    });
    world.addService('echo', { bind: udp, expose: [udp], instances: 1 });
    startProgram(t, ['run', ...flagsFor(world, lively)]);

    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
    const port = await portOf(world, `_${http.replace('/', '._')}.web.`);
    assert.ok(port >= world.ports.range.from && port <= world.ports.range.to, `port ${port}`);
    await eventually(async () => {
      const replies = await askMany(port, 4);
      assert.deepEqual(new Set(replies.map((reply) => (reply.ok ? reply.who : reply.why))).size, 2);
    });
    await eventually(async () => assert.equal((await askTcp(explicit)).ok, true));
    const udpPort = await portOf(world, `_${udp.replace('/', '._')}.echo.`);
    await eventually(async () => assert.equal((await askUdp(udpPort)).ok, true));
    await eventually(() => assert.equal(world.bindOf(web), `${http}-0.0.0.0:${port}`));
  });

  test('SIGTERM leaves the servers, and a second start costs no call', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web', { bind: http, expose: [http], instances: 1 });
    const first = startProgram(t, ['run', ...flagsFor(world, lively)]);
    await eventually(() => assert.match(world.bindOf(web) ?? '', /-0\.0\.0\.0:\d+$/));
    const before = await binds(world);
    first.signal('SIGTERM');
    assert.deepEqual(await first.exited.then(({ code, signal }) => ({ code, signal })), {
      code: 0,
      signal: null,
    });
    assert.deepEqual(await binds(world), before);

    const writes = world.writes();
    const metrics = `127.0.0.1:${world.ports.take()}`;
    startProgram(t, ['run', ...flagsFor(world, { ...lively, listen: metrics })]);
    await eventually(async () => assert.equal((await fetch(`http://${metrics}/readyz`)).status, 200));
    await pause(2500); // long enough for its second look at GoBetween
    assert.deepEqual(world.writes(), writes);
    assert.deepEqual(await binds(world), before);
    const samples = await readMetrics(metrics);
    assert.equal(samples.get('gobtw_janitor_gobetween_up'), 1);
    assert.equal(samples.get('gobtw_janitor_servers{state="in-sync"}'), 1);
  });

  test('after kill -9 the next start converges with no needless call', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    for (let index = 0; index < 20; index += 1) {
      world.addService(`web${index}`, { bind: http, expose: [http], instances: 1 });
    }
    const first = startProgram(t, ['run', ...flagsFor(world, lively)]);
    await eventually(async () => assert.ok(Object.keys(await binds(world)).length > 0));
    first.signal('SIGKILL');
    await first.exited;
    const standing = Object.keys(await binds(world)).length;
    const writes = world.writes();
    startProgram(t, ['run', ...flagsFor(world, lively)]);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 20));
    await pause(500);
    assert.deepEqual(world.writes(), { posts: writes.posts + 20 - standing, deletes: writes.deletes });
  });

  test('waits for an agent and a GoBetween that come later, and says so once', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    world.addService('web', { bind: http, expose: [http], instances: 1 });
    await world.stopGoBetween();
    await world.agent.stop();
    const janitor = startProgram(t, ['run', ...flagsFor(world, { ...lively, 'log-level': 'info' })]);
    await pause(1500);
    assert.equal(janitor.child.exitCode, null);
    const lines = janitor
      .stderr()
      .split('\n')
      .filter((line) => line !== '');
    assert.ok(lines.length <= 8, `waiting must not fill the log:\n${lines.join('\n')}`);
    await world.startGoBetween();
    await world.agent.start();
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 1));
  });

  test('a GoBetween that restarts gets everything back', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    for (const name of ['web', 'api', 'blog'])
      world.addService(name, { bind: http, expose: [http], instances: 1 });
    startProgram(t, ['run', ...flagsFor(world, lively)]);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
    const before = await binds(world);
    await world.restartGoBetween();
    await eventually(async () => assert.deepEqual(await binds(world), before));
  });

  test('a port of its own that is taken ends it with one clear line', async (t) => {
    const world = await openWorld(t);
    const taken = await world.listenForeign();
    const { code, stderr } = await runProgram(t, [
      'run',
      ...flagsFor(world, { listen: `127.0.0.1:${taken}`, 'log-level': 'error' }),
    ]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^gobtw-janitor: cannot listen on 127\\.0\\.0\\.1:${taken}: .*\\n$`));
  });
});
