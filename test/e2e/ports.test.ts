import assert from 'node:assert/strict';
import { connect, createServer, type Server } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { askTcp, askUdp } from '../../src/sim/world-traffic.js';
import { pause } from '../../src/sim/world-wait.js';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { assertReplacedOnce, binds, eventually, openWorld, serverName } from '../support/world.js';

async function open(t: TestContext, flags: Readonly<Record<string, string>> = {}, allocatable = 60) {
  const world = await openWorld(t, { allocatable });
  const http = `${world.ports.take()}/tcp`;
  const add = (
    name: string,
    bind: string,
    more: { env?: Record<string, string>; namespace?: string } = {},
  ): string => world.addService(name, { bind, expose: [http], instances: 1, ...more });
  const janitor = startJanitor(t, world, flags);
  return { world, http, add, janitor };
}

async function occupy(port: number, host = '0.0.0.0'): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return server;
}

describe('port conflicts', () => {
  test('named with winner and loser; the winner keeps it through its edits; it leaves, the loser is served', async (t) => {
    const { world, http, add, janitor } = await open(t);
    const port = world.ports.take();
    const winner = add('zebra', `${http}-0.0.0.0:${port}`);
    await eventually(async () =>
      assert.deepEqual(Object.keys(await binds(world)), [serverName(http, 'zebra')]),
    );
    const loser = add('aardvark', `${http}-127.0.0.1:${port}`);
    await eventually(async () => assert.equal(await janitor.problems('port-conflict'), 1));
    await eventually(() => assert.match(janitor.raised('port-conflict')[0]?.msg ?? '', /^aardvark: .*zebra/));
    assert.equal(await janitor.metric('gobtw_janitor_conflicts'), 1);

    await t.test(
      "the winner's unrelated edits, a typo and a restart of either side change nothing",
      async (t) => {
        world.cluster.set(winner, 'env.igw_gobtw_balance', 'leastconn');
        await eventually(async () =>
          assert.equal((await world.servers())[serverName(http, 'zebra')]?.['balance'], 'leastconn'),
        );
        world.setBind(winner, `${http}-8443`);
        await eventually(async () => assert.equal(await janitor.problems('bad-word'), 1));
        world.setBind(winner, `${http}-0.0.0.0:${port}`);
        await eventually(async () => assert.equal(await janitor.problems('bad-word'), 0));
        await janitor.stop();
        const next = startJanitor(t, world);
        await next.synced();
        await world.restartGoBetween();
        await eventually(async () =>
          assert.deepEqual(await binds(world), { [serverName(http, 'zebra')]: `0.0.0.0:${port}` }),
        );
        assert.equal(await next.problems('port-conflict'), 1);
        assert.equal((await next.stop()).code, 0);
      },
    );

    await t.test('the winner leaves: the loser is served, and the problem is over', async (t) => {
      const last = startJanitor(t, world);
      await last.synced();
      world.remove(winner);
      await eventually(
        async () =>
          assert.deepEqual(await binds(world), { [serverName(http, 'aardvark')]: `127.0.0.1:${port}` }),
        10_000,
      );
      assert.equal(await last.problems('port-conflict'), 0);
      assert.equal(world.bindOf(loser), `${http}-127.0.0.1:${port}`, "the user's text was never touched");
    });
  });

  test("a loser's former server keeps serving until it gets the port", async (t) => {
    const { world, http, add, janitor } = await open(t);
    const [first, second] = [world.ports.take(), world.ports.take()];
    const holder = add('holder', `${http}-127.0.0.1:${first}`);
    const mover = add('mover', `${http}-127.0.0.1:${second}`);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    await janitor.synced();
    const writes = world.writes();
    world.setBind(mover, `${http}-127.0.0.1:${first}`);
    await eventually(async () => assert.equal(await janitor.problems('port-conflict'), 1));
    await staysSilent(world, 500);
    await eventually(async () => assert.equal((await askTcp(second)).ok, true));
    world.setBind(holder, '');
    await eventually(async () =>
      assert.deepEqual(await binds(world), { [serverName(http, 'mover')]: `127.0.0.1:${first}` }),
    );
    assertReplacedOnce(world, writes, 2);
  });

  test('tcp and udp, and different addresses, do not conflict; a wildcard does', async (t) => {
    const { world, http, add, janitor } = await open(t);
    const udp = `${http.split('/')[0] ?? ''}/udp`;
    const port = world.ports.take();
    add('one', `${http}-127.0.0.1:${port}`);
    add('two', `${http}-127.0.0.2:${port}`);
    world.addService('dns', { bind: `${udp}-0.0.0.0:${port}`, expose: [udp], instances: 1 });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
    assert.equal(await janitor.problems('port-conflict'), 0);
    add('all', `${http}-0.0.0.0:${port}`);
    await eventually(async () => assert.equal(await janitor.problems('port-conflict'), 1));
    await eventually(async () => assert.equal((await askUdp(port)).ok, true));
    await eventually(async () => assert.equal((await askTcp(port, '127.0.0.2')).ok, true));
  });
});

describe('allocated ports', () => {
  test('avoid every explicit port of the cluster, also of services served elsewhere', async (t) => {
    const { world, http, add } = await open(t, {}, 12);
    const { from } = world.ports.range;
    // two thirds of the range are somebody's explicit ports, here and on another gateway
    for (let i = 0; i < 4; i += 1) add(`here${i}`, `${http}-127.0.0.1:${from + i}`);
    for (let i = 4; i < 8; i += 1)
      add(`there${i}`, `${http}-0.0.0.0:${from + i}`, { env: { igw_gobtw_target_lb: 'gw2' } });
    const allocated = ['a', 'b', 'c'].map((name) => add(name, http));
    await eventually(() => {
      for (const path of allocated) assert.match(world.bindOf(path) ?? '', /:\d+$/);
    });
    const ports = allocated.map((path) => Number(/:(\d+)$/.exec(world.bindOf(path) ?? '')?.[1]));
    assert.ok(
      ports.every((port) => port >= from + 8 && port < from + 12),
      `${String(ports)} of ${from}+8..11`,
    );
    assert.equal(new Set(ports).size, 3);
  });

  test('exhaustion is named, and ends when a port comes free', async (t) => {
    const { world, http, add, janitor } = await open(t, {}, 2);
    const names = ['a', 'b', 'c'];
    for (const name of names) add(name, http);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    await eventually(async () => assert.equal(await janitor.problems('port-exhausted'), 1));
    assert.equal(await janitor.metric('gobtw_janitor_ports{proto="tcp",state="free"}'), 0);
    const served = Object.keys(await binds(world));
    const held = names.find((name) => !served.includes(serverName(http, name))) ?? '';
    world.remove(names.find((name) => name !== held) ?? '');
    await eventually(async () => assert.ok(serverName(http, held) in (await binds(world))));
    assert.equal(await janitor.problems('port-exhausted'), 0);
  });

  test('one that a foreign process has is passed over', async (t) => {
    const world = await openWorld(t, { allocatable: 3 });
    const { from, to } = world.ports.range;
    const squatters = await Promise.all([occupy(from), occupy(to)]);
    t.after(() => squatters.forEach((server) => server.close()));
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web', { bind: http, expose: [http], instances: 1 });
    const janitor = startJanitor(t, world);
    await eventually(() => assert.equal(world.bindOf(web), `${http}-0.0.0.0:${from + 1}`));
    await eventually(async () => assert.equal((await askTcp(from + 1)).ok, true));
    await janitor.synced();
  });
});

describe('ports that are not to be had', () => {
  test('busy by a foreign process: named, retried, and served when it is free', async (t) => {
    const { world, http, add, janitor } = await open(t);
    const port = world.ports.take();
    const squatter = await occupy(port);
    t.after(() => squatter.close());
    const web = add('web', `${http}-127.0.0.1:${port}`);
    add('other', `${http}-127.0.0.1:${world.ports.take()}`);
    await eventually(async () => assert.equal(await janitor.problems('port-busy'), 1));
    await eventually(() =>
      assert.match(
        janitor.raised('port-busy')[0]?.msg ?? '',
        new RegExp(`^web: .*127\\.0\\.0\\.1:${port}.*ss -lntup`),
      ),
    );
    assert.ok(serverName(http, 'other') in (await binds(world)));
    await pause(3000);
    assert.equal(janitor.raised('port-busy').length, 1, 'said once, however often it is tried');
    await new Promise((resolve) => squatter.close(resolve));
    const freeAt = performance.now();
    await eventually(async () => assert.ok(serverName(http, 'web') in (await binds(world))));
    assert.ok(performance.now() - freeAt < 20_000, 'tried every 2 s');
    await eventually(async () => assert.equal(await janitor.problems('port-busy'), 0));
    assert.equal(world.bindOf(web), `${http}-127.0.0.1:${port}`);
  });

  test('a word that moves there is served at its old place, with its connections, until the new one is free', async (t) => {
    const { world, http, add, janitor } = await open(t);
    const [old, port] = [world.ports.take(), world.ports.take()];
    const squatter = await occupy(port);
    t.after(() => squatter.close());
    const web = add('web', `${http}-127.0.0.1:${old}`);
    const at = (place: number) => ({ [serverName(http, 'web')]: `127.0.0.1:${place}` });
    await eventually(async () => assert.deepEqual(await binds(world), at(old)));
    world.setBind(web, `${http}-127.0.0.1:${port}`);
    await eventually(async () => assert.equal(await janitor.problems('port-busy'), 1));
    await eventually(async () => assert.deepEqual(await binds(world), at(old)));
    const client = connect({ host: '127.0.0.1', port: old });
    t.after(() => client.destroy());
    let answer = '';
    client.on('data', (chunk) => (answer += String(chunk)));
    await pause(5000);
    client.write('GET / HTTP/1.0\r\n\r\n');
    await eventually(() => assert.match(answer, /web/, 'the tries cost no connection'));
    await new Promise((resolve) => squatter.close(resolve));
    await eventually(async () => assert.deepEqual(await binds(world), at(port)));
    await eventually(async () => assert.equal(await janitor.problems('port-busy'), 0));
  });

  test('an address that is not here: named, and nothing else is held up', async (t) => {
    const { world, http, add, janitor } = await open(t);
    const web = add('web', `${http}-192.0.2.7:${world.ports.take()}`);
    add('other', `${http}-127.0.0.1:${world.ports.take()}`);
    await eventually(async () => assert.equal(await janitor.problems('no-address'), 1));
    await eventually(() => assert.match(janitor.raised('no-address')[0]?.msg ?? '', /^web: .*192\.0\.2\.7/));
    assert.deepEqual(Object.keys(await binds(world)), [serverName(http, 'other')]);
    const port = world.ports.take();
    world.setBind(web, `${http}-127.0.0.1:${port}`);
    await eventually(async () =>
      assert.equal((await binds(world))[serverName(http, 'web')], `127.0.0.1:${port}`),
    );
    await eventually(async () => assert.equal(await janitor.problems('no-address'), 0));
  });

  test('a reserved port: named, and never asked for', async (t) => {
    const { world, http, add, janitor } = await open(t, { reserve: '28999' });
    for (const [i, port] of [28_999, 1214, 9284].entries()) add(`web${i}`, `${http}-127.0.0.1:${port}`);
    add('api', `${http}-127.0.0.1:${new URL(world.gobetweenUrl).port}`);
    await eventually(async () => assert.equal(await janitor.problems('port-reserved'), 4));
    await janitor.synced();
    assert.deepEqual(world.writes(), { posts: 0, deletes: 0 });
  });
});
