import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { startApiProxy } from '../support/api-proxy.js';
import { startJanitor } from '../support/janitor.js';
import { flagsFor, runProgram } from '../support/process.js';
import { binds, eventually, openWorld, serverName } from '../support/world.js';

/** A world in which everything is owed: a creation, a replacement, removals, a port to write back. */
async function owing(t: TestContext) {
  const world = await openWorld(t);
  const http = `${world.ports.take()}/tcp`;
  const explicit = (): string => `${http}-127.0.0.1:${world.ports.take()}`;
  for (const name of ['edited', 'leaving', 'shrinking']) {
    const bind = name === 'shrinking' ? `${explicit()} ${explicit()}` : explicit();
    world.addService(name, { bind, expose: [http], instances: 1 });
  }
  assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
  const allocated = world.addService('allocated', { bind: http, expose: [http], instances: 1 });
  world.cluster.set('edited', 'env.igw_gobtw_balance', 'leastconn');
  world.cluster.set('leaving', 'env.igw_gobtw_target_lb', 'gw2');
  world.setBind('shrinking', (world.bindOf('shrinking') ?? '').split(' ')[0] ?? '');
  const api = await startApiProxy(t, world.gobetweenUrl);
  return {
    world,
    http,
    api,
    allocated,
    before: await world.servers(),
    sets: world.agent.count('object_action'),
  };
}

const SUPPRESSED = 'gobtw_janitor_changes_total{kind="delete",reason="extra",result="suppressed"}';

describe('policies', () => {
  test('observe: 0 requests that change GoBetween or the agent', async (t) => {
    const { world, api, allocated, before, sets } = await owing(t);
    const janitor = startJanitor(t, world, { policy: 'observe', gobetween: api.url, 'delete-grace': '1s' });
    await janitor.line(/first plan/);
    world.remove('edited');
    await pause(3500);
    assert.deepEqual(
      api.calls.filter(({ method }) => method !== 'GET'),
      [],
    );
    assert.ok(api.count('GET', /^\/servers$/) >= 2, 'but it looks');
    assert.equal(world.agent.count('object_action'), sets);
    assert.doesNotMatch(world.bindOf(allocated) ?? '', /:/);
    assert.deepEqual(await world.servers(), before);
    assert.ok((await janitor.metric(SUPPRESSED)) >= 1);
    assert.equal((await janitor.stop()).code, 0);
    assert.deepEqual(
      api.calls.filter(({ method }) => method !== 'GET'),
      [],
    );
  });

  test('observe: not even when GoBetween restarts empty', async (t) => {
    const { world, api } = await owing(t);
    const janitor = startJanitor(t, world, { policy: 'observe', gobetween: api.url });
    await janitor.line(/first plan/);
    await world.restartGoBetween();
    await eventually(async () =>
      assert.equal(await janitor.metric('gobtw_janitor_gobetween_restarts_total'), 1),
    );
    await pause(2500);
    assert.deepEqual(
      api.calls.filter(({ method }) => method !== 'GET'),
      [],
    );
    assert.deepEqual(await binds(world), {});
  });

  test('upsert-only: creations and replacements, and no DELETE of a removal', async (t) => {
    const { world, http, api, allocated, before } = await owing(t);
    const janitor = startJanitor(t, world, {
      policy: 'upsert-only',
      gobetween: api.url,
      'delete-grace': '1s',
    });
    await eventually(async () => {
      const servers = await world.servers();
      assert.equal(servers[serverName(http, 'edited')]?.['balance'], 'leastconn');
      assert.ok(serverName(http, 'allocated') in servers);
    });
    await eventually(() => assert.match(world.bindOf(allocated) ?? '', /:\d+$/));
    world.remove('edited');
    await pause(3000);
    assert.deepEqual([api.done('POST'), api.done('DELETE')], [2, 1], 'the one DELETE begins the replacement');
    for (const name of Object.keys(before)) assert.ok(name in (await binds(world)), `${name} stays`);
    assert.ok((await janitor.metric(SUPPRESSED)) >= 1);
  });
});

describe('plan', () => {
  test('finds what is owed, exits 2, and changes neither GoBetween nor the agent', async (t) => {
    const { world, http, api, before, sets } = await owing(t);
    const configs = world.cluster.paths().map((path) => world.cluster.configText(path));
    const { code, stdout } = await runProgram(t, [
      'plan',
      '--output',
      'json',
      ...flagsFor(world, { gobetween: api.url }),
    ]);
    assert.equal(code, 2);
    const plan = JSON.parse(stdout) as {
      pending: number;
      counts: unknown;
      changes: { kind: string; server: string; reason: string }[];
    };
    assert.deepEqual(plan.counts, { create: 1, replace: 1, delete: 2, adopt: 1 });
    assert.equal(plan.pending, 4);
    const reasons = Object.fromEntries(
      plan.changes.map(({ server, kind, reason }) => [server, `${kind} ${reason}`]),
    );
    assert.equal(reasons[serverName(http, 'leaving')], 'delete target-elsewhere');
    assert.equal(reasons[serverName(http, 'allocated')], 'create new');
    assert.match(reasons[serverName(http, 'edited')] ?? '', /^replace /);
    assert.deepEqual(
      api.calls.filter(({ method }) => method !== 'GET'),
      [],
    );
    assert.equal(world.agent.count('object_action'), sets);
    assert.deepEqual(
      world.cluster.paths().map((path) => world.cluster.configText(path)),
      configs,
    );
    assert.deepEqual(await world.servers(), before);

    await t.test('apply does all of it, once; then plan exits 0', async (t) => {
      assert.equal((await runProgram(t, ['apply', ...flagsFor(world, { gobetween: api.url })])).code, 0);
      assert.deepEqual([api.done('POST'), api.done('DELETE')], [2, 3]);
      assert.equal((await runProgram(t, ['plan', ...flagsFor(world, { gobetween: api.url })])).code, 0);
    });
  });
});
