import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { World } from '../../src/sim/world.js';
import { pause } from '../../src/sim/world-wait.js';
import { startJanitor } from '../support/janitor.js';
import { binds, CLOSE_RACE_TRIES, eventually, openWorld, serverName } from '../support/world.js';

const SERVICES = 30;
const EVENTS = 10_000;

/** What changes a service and none of its servers; `turn` is how often this was done to the service before. */
const kinds: readonly ((world: World, path: string, turn: number) => void)[] = [
  function statusChange({ cluster }, path, turn) {
    cluster.setUp(path, turn % 2 === 0);
  },
  function comment({ cluster }, path, turn) {
    const text = (cluster.configText(path) ?? '').replace(/\n# note \d+\n/, '\n');
    cluster.edit(path, text.replace('\n[env]', `\n# note ${turn}\n[env]`));
  },
  function anotherKeyword({ cluster }, path, turn) {
    cluster.set(path, 'env.unrelated', `value ${turn}`);
  },
  function changeAndReversal(world, path, turn) {
    const bind = world.bindOf(path) ?? '';
    world.setBind(path, `${bind}${turn % 10}`);
    world.setBind(path, bind);
  },
  function targetAwayAndBack({ cluster }, path) {
    cluster.set(path, 'env.igw_gobtw_target_lb', 'gw2');
    cluster.set(path, 'env.igw_gobtw_target_lb', 'gw1');
  },
  function reorderedWords(world, path) {
    const words = (world.bindOf(path) ?? '').trim().split(/\s+/);
    world.setBind(path, words.reverse().join('  '));
  },
  function sameMeaning({ cluster }, path, turn) {
    cluster.set(path, 'env.igw_gobtw_balance', turn % 2 === 0 ? 'weight' : 'Weight');
    cluster.set(path, 'env.igw_gobtw_client_idle_timeout', turn % 2 === 0 ? '60s' : '1m');
  },
  function frozenAndThawed({ cluster }, path, turn) {
    cluster.setFrozen(path, turn % 2 === 0);
  },
];

describe('events that change no server', () => {
  test('10,000 events that change no server: 0 POST, 0 DELETE', async (t) => {
    const world = await openWorld(t, { singles: 2 * SERVICES + 20 });
    world.agent.flaws.configsPerSecond = 0;
    const http = `${world.ports.take()}/tcp`;
    const paths = Array.from({ length: SERVICES }, (_, i) =>
      world.addService(`web${i}`, {
        bind: `${http}-127.0.0.1:${world.ports.take()} ${http}-127.0.0.1:${world.ports.take()}`,
        expose: [http],
        instances: 1,
        env: { igw_gobtw_balance: 'weight', igw_gobtw_client_idle_timeout: '1m', igw_gobtw_target_lb: 'gw1' },
      }),
    );
    const janitor = startJanitor(t, world, { 'log-level': 'warn' });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2 * SERVICES));
    await janitor.synced();
    const [before, writes] = [await binds(world), world.writes()];
    const readsBefore = world.agent.count('object_config');

    for (let i = 0; i < EVENTS; i += 1) {
      const service = Math.floor(i / kinds.length);
      kinds[i % kinds.length]?.(world, paths[service % SERVICES] ?? '', Math.floor(service / SERVICES));
      if (i % 40 === 39) await pause(15);
    }

    await janitor.synced();
    await pause(1500); // a sweep
    assert.deepEqual(world.writes(), writes);
    assert.deepEqual(await binds(world), before);
    assert.ok(world.agent.stream.lastId() > 200, `only ${world.agent.stream.lastId()} patches were sent`);
    assert.ok(world.agent.count('object_config') - readsBefore > 200, 'the configs were read again');
    assert.deepEqual(janitor.log(), [], 'and nothing was said');

    // it is not deaf: the next real change costs exactly its own calls
    const port = world.ports.take();
    world.setBind(paths[0] ?? '', `${http}-127.0.0.1:${port}`);
    await eventually(async () =>
      assert.equal((await binds(world))[serverName(http, 'web0')], `127.0.0.1:${port}`),
    );
    assert.ok(world.writes().posts - writes.posts <= 2 && world.writes().deletes - writes.deletes <= 2);
  });

  test('many edits of one service end in its last state, with few calls', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web', {
      bind: `${http}-127.0.0.1:${world.ports.take()}`,
      expose: [http],
      instances: 1,
    });
    const janitor = startJanitor(t, world);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 1));
    await janitor.synced();
    const startedAt = performance.now();
    const policies = ['leastconn', 'roundrobin', 'iphash', 'weight'];
    for (let i = 0; i < 200; i += 1) {
      world.cluster.set(web, 'env.igw_gobtw_balance', policies[i % 4] ?? '');
      await pause(10);
    }
    world.cluster.set(web, 'env.igw_gobtw_balance', 'iphash1');
    await eventually(async () =>
      assert.equal((await world.servers())[serverName(http, 'web')]?.['balance'], 'iphash1'),
    );
    const { posts, deletes } = world.writes();
    assert.ok(
      posts >= deletes + 1 && posts <= deletes * CLOSE_RACE_TRIES + 1,
      `${posts} POSTs, ${deletes} DELETEs`,
    );
    const mostChanges = changesWithin(performance.now() - startedAt);
    assert.ok(deletes <= mostChanges, `${deletes} replacements, not ${mostChanges} at most`);
    // it flaps until it was calm for 10 s: that is said once, and not that it ended while it goes on
    assert.equal(await janitor.problems('flapping'), 1);
    const said = (): readonly unknown[] =>
      janitor.log().flatMap(({ code, transition }) => (code === 'flapping' ? [transition] : []));
    assert.deepEqual(said(), ['raised']);
    await eventually(() => assert.deepEqual(said(), ['raised', 'cleared']));
    assert.equal(await janitor.problems('flapping'), 0);
  });
});

/** How often one server may change within `ms` (SPEC §4): 0.2 s after the first, then 0.4 s, doubling to 5 s. */
function changesWithin(ms: number): number {
  let count = 1;
  for (let [atMs, gapMs] = [200, 200]; atMs <= ms; atMs += gapMs) {
    count += 1;
    gapMs = Math.min(5000, gapMs * 2);
  }
  return count;
}
