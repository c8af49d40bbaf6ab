/** Configs that the agent cannot parse, evaluate or give (reference/opensvc-v2-protocol.md §2, §6): each its own service only. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConfigFailure } from '../../src/sim/agent/flaws.js';
import { pause } from '../../src/sim/world-wait.js';
import { GRACE_MS, openStage, severalLists, type Stage } from '../support/stage.js';
import { binds, eventually } from '../support/world.js';

const SHAPES: readonly ConfigFailure[] = [
  'key-error',
  'unknown-service',
  'unknown-keyword',
  'delete-in-progress',
  'internal',
  'forbidden',
  'not-supported',
  'closed',
  'silent',
  'cut',
];

async function bindOfServer(stage: Stage, service: string): Promise<string | undefined> {
  return (await binds(stage.world))[stage.server(service)];
}

describe('flaws of the agent: configs', { concurrency: 3 }, () => {
  test('a live file with a syntax error, mended within the grace: 0 DELETEs', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    stage.add('api');
    await stage.serve({ 'delete-grace': '4s' });
    await stage.untouched(async () => {
      world.cluster.breakConfig(web);
      assert.equal(world.cluster.dataset.get(['monitor', 'services', web]), undefined);
      await pause(2000);
      world.cluster.repairConfig(web);
      await pause(4500);
    });
    const served = stage.move(web);
    await served();
  });

  test('a live file that stays broken goes after the grace, not before, and comes back mended', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web', { env: { igw_gobtw_balanse: 'iphash' } });
    stage.add('api');
    await stage.serve();
    await stage.problems('unknown-keyword', 1);
    await severalLists(world); // the list has to stand still once
    const before = await binds(world);
    const brokenAt = performance.now();
    world.cluster.breakConfig(web);
    await stage.servesOnly('api');
    assert.ok(performance.now() - brokenAt >= GRACE_MS);
    await stage.problems('unknown-keyword', 0);
    world.cluster.repairConfig(web);
    await eventually(async () => assert.deepEqual(await binds(world), before));
  });

  test('a service that comes back while its config does not answer keeps the server it has', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    const first = await stage.serve();
    first.signal('SIGTERM');
    await first.exited;
    world.cluster.breakConfig(web);
    await stage.untouched(async () => {
      stage.start({ 'delete-grace': '1m' });
      await eventually(async () => assert.equal(await stage.status('readyz'), 200));
      world.agent.flaws.configFailures.set(web, 'silent');
      world.cluster.repairConfig(web);
      await pause(2500);
    });
    const servers = await binds(world);
    await world.restartGoBetween();
    await eventually(async () => assert.deepEqual(await binds(world), servers));
  });

  test('a file that is broken on this node only stays, and is read elsewhere', async (t) => {
    const stage = await openStage(t, { nodes: ['gw1', 'n2'] });
    const { world } = stage;
    const web = stage.add('web');
    await stage.serve();
    const text = world.cluster.configText(web) ?? '';
    await stage.untouched(async () => {
      world.cluster.edit(web, `${text}no keyword at all\n`, { nodes: ['gw1'] });
      await severalLists(world);
    });
    const port = world.ports.take();
    const bind = `${stage.http}-127.0.0.1:${port}`;
    world.cluster.edit(web, text.replace(/igw_gobtw_bind = .*/, `igw_gobtw_bind = ${bind}`), {
      nodes: ['n2'],
    });
    await eventually(async () => assert.equal(await bindOfServer(stage, web), `127.0.0.1:${port}`));
  });

  test('a config that never evaluates is never sent for evaluation', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const loop = { a: '{env.b}', b: '{env.a}' };
    const live = stage.add('live', { env: { b: 'iphash', igw_gobtw_balance: '{env.b}' } });
    stage.add('beside', { env: loop });
    stage.add('born', { env: { ...loop, igw_gobtw_balance: '{env.a}' } });
    stage.start();
    await stage.servesOnly('live', 'beside');
    await stage.problems('reference-loop', 2);
    await stage.untouched(async () => {
      world.cluster.set(live, 'env.b', '{env.igw_gobtw_balance}');
      await stage.problems('reference-loop', 3);
      await pause(1000);
    });
    assert.deepEqual(world.cluster.spinning, []);
    world.cluster.set('born', 'env.a', 'leastconn');
    await stage.servesOnly('live', 'beside', 'born');
    assert.deepEqual(world.cluster.spinning, []);
  });

  test('one keyword in an unknown section: only what needs evaluation is held back', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const plain = stage.add('plain');
    const needy = stage.add('needy', { env: { way: 'iphash', igw_gobtw_balance: '{env.way}' } });
    stage.add('other');
    await stage.serve();
    await stage.untouched(async () => {
      for (const path of [plain, needy]) world.cluster.set(path, 'nosuch#1.foo', 'bar');
      await stage.problems('config-unreadable', 1);
    });
    await stage.move(plain)();
    await stage.move('other')();
    const held = await bindOfServer(stage, needy);
    const served = stage.move(needy);
    await pause(1500);
    assert.equal(await bindOfServer(stage, needy), held);
    world.cluster.unset(needy, 'nosuch#1.foo');
    await served();
    await stage.problems('config-unreadable', 0);
  });

  test('answers in each of the recorded error shapes hold back their own service, and no other', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    for (const shape of SHAPES) stage.add(shape);
    stage.add('web');
    await stage.serve({ 'agent-timeout': '1s' });
    for (const shape of SHAPES) world.agent.flaws.configFailures.set(shape, shape);
    let served: readonly (() => Promise<void>)[] = [];
    await stage.untouched(async () => {
      served = SHAPES.map((shape) => stage.move(shape));
      await stage.problems('config-unreadable', SHAPES.length);
      await pause(1000);
    });
    await stage.move('web')();
    assert.equal(await stage.status('readyz'), 200);
    world.agent.flaws.configFailures.clear();
    await Promise.all(served.map((each) => each()));
    await stage.problems('config-unreadable', 0);
  });

  test('configs that cannot be read when the janitor starts hold back neither the first plan nor /readyz', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    for (const shape of SHAPES) {
      world.agent.flaws.configFailures.set(shape, shape);
      stage.add(shape);
    }
    stage.add('web');
    stage.start({ 'agent-timeout': '2s' });
    await stage.servesOnly('web');
    await eventually(async () => assert.equal(await stage.status('readyz'), 200));
    await stage.problems('config-unreadable', SHAPES.length);
    world.agent.flaws.configFailures.clear();
    await stage.servesOnly(...SHAPES, 'web');
  });

  test('unresolved references: the last good server stays', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web', { env: { way: 'iphash', igw_gobtw_balance: '{env.way}' } });
    const api = stage.add('api');
    stage.add('born', { bind: `${stage.http}-127.0.0.1:{env.nope}` });
    stage.start();
    await stage.servesOnly('web', 'api');
    await stage.problems('unresolved-reference', 1);
    await stage.untouched(async () => {
      world.cluster.unset(web, 'env.way');
      await stage.problems('unresolved-reference', 2);
      await pause(1000);
    });
    await stage.move(api)();
    world.cluster.set(web, 'env.way', 'leastconn');
    world.cluster.set('born', 'env.nope', String(world.ports.take()));
    await stage.servesOnly('web', 'api', 'born');
    await stage.problems('unresolved-reference', 0);
  });
});
