import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { World } from '../../src/sim/world.js';
import { pause } from '../../src/sim/world-wait.js';
import { startAgentProxy } from '../support/agent-proxy.js';
import { startApiProxy } from '../support/api-proxy.js';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld, serverName } from '../support/world.js';

/** Services of every sort: allocated and explicit ports, several words, udp, a namespace, keywords, a spoiled one. */
function populate(world: World): { readonly servers: number; readonly paths: readonly string[] } {
  const http = `${world.ports.take()}/tcp`;
  const dns = `${world.ports.take()}/udp`;
  const one = (): number => world.ports.take();
  const paths = [
    world.addService('web', { bind: http, expose: [http], instances: 2 }),
    world.addService('web', { namespace: 'shop', bind: http, expose: [http], instances: 1 }),
    world.addService('api', {
      bind: `${http}-127.0.0.1:${one()} ${http}-127.0.0.1:${one()}`,
      expose: [http],
      instances: 1,
    }),
    world.addService('echo', { bind: dns, expose: [dns], instances: 1 }),
    world.addService('tuned', {
      bind: `${http}-0.0.0.0:${one()}`,
      expose: [http],
      instances: 1,
      env: {
        igw_gobtw_balance: 'LeastConn',
        igw_gobtw_client_idle_timeout: '60s',
        igw_gobtw_access: '{"default":"deny","rules":["allow 127.0.0.0/8"]}',
      },
    }),
  ];
  world.addService('typo', { bind: `${http}-8443`, expose: [http], instances: 1 });
  return { servers: 6, paths };
}

async function served(world: World, count: number): Promise<Readonly<Record<string, string>>> {
  await eventually(async () => assert.equal(Object.keys(await binds(world)).length, count));
  return binds(world);
}

describe('a start with everything in place', () => {
  test('A second start with everything in place: 0 POST, 0 DELETE', async (t) => {
    const world = await openWorld(t);
    const { servers, paths } = populate(world);
    const first = startJanitor(t, world);
    const before = await served(world, servers);
    await eventually(() => assert.match(world.bindOf(paths[0] ?? '') ?? '', /:\d+$/));
    await eventually(() => assert.match(world.bindOf(paths[3] ?? '') ?? '', /:\d+$/));
    const stopped = await first.stop();
    assert.equal(stopped.code, 0);
    assert.deepEqual(await binds(world), before, 'servers stay');

    await t.test('after SIGTERM', async (t) => {
      const second = startJanitor(t, world);
      const writes = world.writes();
      await second.synced();
      await staysSilent(world, 2500); // two sweeps and more
      assert.deepEqual(world.writes(), writes);
      second.signal('SIGKILL');
      await second.exited;
    });
    await t.test('after kill -9', async (t) => {
      const third = startJanitor(t, world);
      const writes = world.writes();
      await third.synced();
      await staysSilent(world, 1500);
      assert.deepEqual(world.writes(), writes);
      assert.deepEqual(await binds(world), before);
      await third.stop();
    });
    await t.test('before its ports were written back', async (t) => {
      for (const path of paths)
        world.setBind(path, (world.bindOf(path) ?? '').replace(/-0\.0\.0\.0:\d+$/, ''));
      const writes = world.writes();
      const fourth = startJanitor(t, world, { 'write-back': 'off' });
      await fourth.synced();
      await staysSilent(world, 1500);
      assert.deepEqual(world.writes(), { ...writes, posts: writes.posts + 0 });
    });
  });

  test('kill -9 at any instant: the next start converges, and no server is made twice', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const count = 30;
    for (let i = 0; i < count; i += 1)
      world.addService(`web${i}`, { bind: http, expose: [http], instances: 1 });
    // slower than the machine, so that there is something to interrupt
    for (const ms of [300, 380, 460, 540]) {
      const janitor = startJanitor(t, world, { rate: '60' });
      await pause(ms);
      janitor.signal('SIGKILL');
      await janitor.exited;
    }
    const last = startJanitor(t, world);
    const all = await served(world, count);
    await last.synced();
    assert.equal(new Set(Object.values(all)).size, count, 'no port twice');
    await eventually(() => {
      for (const path of world.cluster.paths()) {
        const bind = world.bindOf(path);
        if (/^web\d+$/.test(path)) assert.equal(bind, `${http}-${all[serverName(http, path)] ?? ''}`);
      }
    });
    assert.deepEqual(world.writes(), { posts: count, deletes: 0 });
  });
});

/** A janitor behind a proxy that holds the first DELETE until told. */
async function halfWay(t: TestContext, flags: Readonly<Record<string, string>> = {}) {
  const world = await openWorld(t);
  const api = await startApiProxy(t, world.gobetweenUrl);
  const http = `${world.ports.take()}/tcp`;
  const web = world.addService('web', {
    bind: `${http}-127.0.0.1:${world.ports.take()}`,
    expose: [http],
    instances: 1,
  });
  const janitor = startJanitor(t, world, { gobetween: api.url, ...flags });
  await served(world, 1);
  await janitor.synced();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    api.hook = async (call, forward) => {
      const answer = await forward();
      if (call.method === 'DELETE') {
        resolve();
        await held;
      }
      return answer;
    };
  });
  world.cluster.set(web, 'env.igw_gobtw_balance', 'leastconn');
  await reached;
  return { world, api, janitor, web, http, release };
}

/** 10 s are promised; the machine may be busy. */
const STOP_WITHIN_MS = 20_000;

describe('SIGTERM', () => {
  test('a replacement half-way is finished, and nothing else is begun', async (t) => {
    const { world, api, janitor, http, release } = await halfWay(t);
    assert.deepEqual(Object.keys(await world.servers()), [], 'the DELETE has happened');
    janitor.signal('SIGTERM');
    world.addService('late', {
      bind: `${http}-127.0.0.1:${world.ports.take()}`,
      expose: [http],
      instances: 1,
    });
    await pause(500);
    assert.equal(janitor.child.exitCode, null);
    release();
    assert.equal((await janitor.exited).code, 0);
    const servers = await world.servers();
    assert.deepEqual(Object.keys(servers), [serverName(http, 'web')]);
    assert.equal(servers[serverName(http, 'web')]?.['balance'], 'leastconn');
    assert.deepEqual([api.done('POST'), api.done('DELETE')], [2, 1]);
  });

  test('exits within 10 s although GoBetween never answers again', async (t) => {
    const { janitor } = await halfWay(t);
    const { code, ms } = await janitor.stop();
    assert.ok(ms < STOP_WITHIN_MS, `took ${ms} ms`);
    assert.ok(code === 0 || code === 1, `exit code ${code}`);
  });

  test('exits 0 at once when the agent and GoBetween are silent', async (t) => {
    const world = await openWorld(t);
    const { servers } = populate(world);
    const agent = await startAgentProxy(t, world.socketPath);
    const janitor = startJanitor(t, world, { socket: agent.socketPath });
    await served(world, servers);
    agent.hook = () => new Promise(() => undefined);
    world.hangGoBetween();
    await pause(1500);
    const { code, ms } = await janitor.stop();
    assert.deepEqual({ code, quick: ms < STOP_WITHIN_MS }, { code: 0, quick: true });
    world.resumeGoBetween();
    assert.equal(Object.keys(await binds(world)).length, servers);
  });
});
