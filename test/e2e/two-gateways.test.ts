import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startRealBalancer, startStandIn } from '../../src/sim/world-balancer.js';
import { showServers } from '../../src/sim/world-rest.js';
import { pause } from '../../src/sim/world-wait.js';
import type { World } from '../../src/sim/world.js';
import { startApiProxy } from '../support/api-proxy.js';
import { type Janitor, startJanitor } from '../support/janitor.js';
import { eventually, openWorld } from '../support/world.js';

interface Gateway {
  readonly janitor: Janitor;
  /** `name -> address:port` as the janitor sees it. */
  binds(): Promise<Readonly<Record<string, string>>>;
  writes(): readonly [posts: number, deletes: number];
}

/** One more gateway on this machine: on the wire to its GoBetween, 0.0.0.0 is an address of its own. */
async function openGateway(t: TestContext, world: World, name: string, own: string): Promise<Gateway> {
  const bin = process.env['GOBETWEEN_BIN'];
  const dir = await mkdtemp(join(tmpdir(), 'igw-gateway-'));
  const balancer = await (bin ? startRealBalancer(bin, dir, world.ports.take()) : startStandIn());
  t.after(async () => {
    await balancer.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const api = await startApiProxy(t, balancer.url);
  api.hook = async (call, forward) => {
    const answer = await forward(call.body.replaceAll('"0.0.0.0:', `"${own}:`));
    return { ...answer, body: answer.body.replaceAll(`"${own}:`, '"0.0.0.0:') };
  };
  const janitor = startJanitor(t, world, { gobetween: api.url, hostname: name });
  return {
    janitor,
    binds: async () =>
      Object.fromEntries(
        Object.entries(await showServers(api.url)).map(([server, { bind }]) => [server, bind]),
      ),
    writes: () => [api.count('POST'), api.count('DELETE')],
  };
}

/** How often the text of each service changed. */
function countConfigChanges(world: World): () => readonly number[] {
  const last = new Map<string, string>();
  const changes = new Map<string, number>();
  world.cluster.dataset.subscribe(([path]) => {
    const service = String(path[5] ?? '');
    if (path[4] !== 'config' || !/^(shop\/svc\/)?web\d+$/.test(service)) return;
    const text = world.cluster.configText(service) ?? '';
    if (last.has(service) && last.get(service) !== text)
      changes.set(service, (changes.get(service) ?? 0) + 1);
    last.set(service, text);
  });
  for (const path of world.cluster.paths()) last.set(path, world.cluster.configText(path) ?? '');
  return () =>
    world.cluster
      .paths()
      .filter((path) => /^(shop\/svc\/)?web\d+$/.test(path))
      .map((path) => changes.get(path) ?? 0);
}

describe('two gateways', () => {
  test('Two janitors, two GoBetweens, one agent: the same allocated ports, each config changes once, then silence', async (t) => {
    const world = await openWorld(t, { allocatable: 120 });
    const http = `${world.ports.take()}/tcp`;
    const count = 12;
    for (let i = 0; i < count; i += 1) {
      const namespace = i % 3 === 0 ? 'shop' : 'root';
      world.addService(`web${i}`, {
        namespace,
        bind: http,
        expose: [http],
        instances: 1,
      });
    }
    const changes = countConfigChanges(world);
    const [one, two] = await Promise.all([
      openGateway(t, world, 'gw1', '127.1.0.1'),
      openGateway(t, world, 'gw2', '127.1.0.2'),
    ]);
    await eventually(async () => {
      assert.equal(Object.keys(await one.binds()).length, count);
      assert.equal(Object.keys(await two.binds()).length, count);
    });
    await eventually(() => assert.deepEqual(changes(), Array<number>(count).fill(1)));
    await Promise.all([one.janitor.synced(), two.janitor.synced()]);
    const settled = await one.binds();
    assert.deepEqual(await two.binds(), settled, 'the same ports');
    assert.deepEqual(
      [one.writes(), two.writes()],
      [
        [count, 0],
        [count, 0],
      ],
      'nobody had to follow the other',
    );

    const before = [one.writes(), two.writes(), world.agent.count('object_action')];
    await pause(5500);
    assert.deepEqual([one.writes(), two.writes(), world.agent.count('object_action')], before);
    assert.deepEqual(changes(), Array<number>(count).fill(1));

    await t.test('a service that comes later gets one port, and one write', async () => {
      const late = world.addService('web99', { bind: http, expose: [http], instances: 1 });
      await eventually(() => assert.match(world.bindOf(late) ?? '', /-0\.0\.0\.0:\d+$/));
      await eventually(async () => {
        assert.equal(Object.keys(await one.binds()).length, count + 1);
        assert.deepEqual(await two.binds(), await one.binds());
      });
      await pause(2000);
      assert.deepEqual(changes(), Array<number>(count + 1).fill(1));
    });

    await t.test('a gateway that starts again agrees with what it finds', async (t) => {
      await two.janitor.stop();
      const [posts, deletes] = two.writes();
      const again = startJanitor(t, world, {
        gobetween: two.janitor.child.spawnargs.find((arg) => arg.startsWith('http:')) ?? '',
        hostname: 'gw2',
      });
      await again.synced();
      await pause(1200);
      assert.deepEqual(two.writes(), [posts, deletes]);
    });
  });

  test('gateways with different port ranges: the first write wins, and the other follows it once', async (t) => {
    const world = await openWorld(t, { allocatable: 60 });
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web1', { bind: http, expose: [http], instances: 1 });
    const changes = countConfigChanges(world);
    const { from, to } = world.ports.range;
    const flags = world.flags as Record<string, string>;
    flags['port-range'] = `${from}-${from + 20}`;
    const one = await openGateway(t, world, 'gw1', '127.1.0.1');
    flags['port-range'] = `${to - 20}-${to}`;
    const two = await openGateway(t, world, 'gw2', '127.1.0.2');
    await eventually(() => assert.match(world.bindOf(web) ?? '', /:\d+$/));
    await eventually(async () => {
      const bind = (world.bindOf(web) ?? '').split('-')[1];
      assert.deepEqual(Object.values(await one.binds()), [bind]);
      assert.deepEqual(Object.values(await two.binds()), [bind]);
    });
    await pause(5000);
    assert.deepEqual(changes(), [1]);
    assert.deepEqual([one.writes()[1] + two.writes()[1]], [1], 'one replacement in total');
  });
});
