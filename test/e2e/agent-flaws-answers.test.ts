/** Answers of the agent that are slow, huge, late or untrue (reference/opensvc-v2-protocol.md §2, §5, §7, §9); 200 services at once. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { SetOutcome } from '../../src/sim/agent/flaws.js';
import { pause } from '../../src/sim/world-wait.js';
import { openStage, severalGraces, severalLists, type Stage } from '../support/stage.js';
import { binds, eventually, portOf } from '../support/world.js';

const TOO_LARGE = 65 * 1024 * 1024;

interface Allocated extends Stage {
  readonly path: string;
  /** The config holds the port that GoBetween listens on. */
  written(): Promise<void>;
  /** `set` requests so far. */
  sets(): number;
}

/** A served service with an allocated port, and an agent whose `set` goes so. */
async function openAllocated(t: TestContext, outcome: SetOutcome): Promise<Allocated> {
  const stage = await openStage(t);
  const { world } = stage;
  const path = stage.add('web', { bind: stage.http });
  world.agent.flaws.setOutcome = outcome;
  await stage.serve({ 'agent-timeout': '1s' });
  const port = await portOf(world, stage.server('web'));
  return {
    ...stage,
    path,
    written: () => eventually(() => assert.equal(world.bindOf(path), `${stage.http}-0.0.0.0:${port}`)),
    sets: () => world.agent.count('object_action'),
  };
}

describe('flaws of the agent: its answers', { concurrency: 3 }, () => {
  test('slow answers: everything comes, later, and a slow agent is asked less often', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    const api = stage.add('api');
    world.agent.flaws.answerMs = 500;
    await stage.serve();
    const [lists, since] = [world.agent.count('daemon_status'), performance.now()];
    await stage.untouched(severalGraces);
    const polls = world.agent.count('daemon_status') - lists;
    assert.ok(polls <= 2 + (performance.now() - since) / 10_000, `${polls} lists`);
    await stage.move(web)();
    world.remove(api);
    await stage.servesOnly('web');
  });

  test('answers slower than --agent-timeout: nothing is deleted, and nothing piles up', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    stage.add('api');
    await stage.serve({ 'agent-timeout': '500ms' });
    let served = (): Promise<void> => Promise.resolve();
    const [lists, since] = [world.agent.count('daemon_status'), performance.now()];
    await stage.untouched(async () => {
      world.agent.flaws.answerMs = 1000;
      served = stage.move(web);
      await severalGraces();
    });
    const polls = world.agent.count('daemon_status') - lists;
    assert.ok(polls <= 4 + (performance.now() - since) / 1000, `${polls} lists`);
    world.agent.flaws.answerMs = 0;
    await served();
    await stage.servesOnly('web', 'api');
  });

  test('a list of 65 MiB is no list: what is served stays, and changes still come by events', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    const api = stage.add('api');
    const janitor = await stage.serve();
    await stage.untouched(async () => {
      world.agent.flaws.answerPadding.set('daemon_status', TOO_LARGE);
      world.cluster.delete(api, { announced: false });
      await janitor.line(/larger than 67108864 bytes/);
      await severalGraces();
    });
    await stage.move(web)();
    assert.equal(await stage.status('healthz'), 200);
    world.agent.flaws.answerPadding.clear();
    await stage.servesOnly('web');
  });

  test('a config of 65 MiB is unreadable, and spoils no other', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    const api = stage.add('api');
    await stage.serve();
    await stage.move(api)();
    world.agent.flaws.answerPadding.set('object_config', TOO_LARGE);
    let served = (): Promise<void> => Promise.resolve();
    await stage.untouched(async () => {
      served = stage.move(web);
      await stage.problems('config-unreadable', 1);
      await pause(1000);
    });
    world.agent.flaws.answerPadding.clear();
    await served();
    await stage.problems('config-unreadable', 0);
    await stage.servesOnly('web', 'api');
  });

  test('a scaler slave whose flag appears late is never served', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    await stage.serve();
    const text = (world.cluster.configText(web) ?? '')
      .replace('scale = 0', 'scale = 2')
      .replace(/igw_gobtw_bind = .*/, `igw_gobtw_bind = ${stage.http}`);
    world.cluster.create('late', text, { lateSlaveFlag: true });
    await stage.servesOnly('web', 'late');
    await pause(1500);
    await stage.servesOnly('web', 'late');
    assert.deepEqual(world.writes(), { posts: 2, deletes: 0 });
    await stage.untouched(async () => {
      world.cluster.showSlaveFlags('late');
      await severalLists(world);
    });
  });

  test('300 configs a second: 200 services converge with one read each', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const port = world.ports.take();
    const bind = (index: number, at: number): string => `${stage.http}-127.${10 + at}.0.${index}:${port}`;
    const paths = Array.from({ length: 200 }, (_, index) =>
      stage.add(`web${index}`, { bind: bind(index + 1, 0) }),
    );
    const requests = (): number => world.agent.count('object_config');
    await stage.serve({ 'write-back': 'off' });
    assert.ok(requests() <= 220, `${requests()} config reads for a start`);
    const [before, lists, since] = [requests(), world.agent.count('daemon_status'), performance.now()];
    paths.forEach((path, index) => world.setBind(path, bind(index + 1, 1)));
    await eventually(async () => {
      const moved = Object.values(await binds(world)).filter((text) => text.startsWith('127.11.'));
      assert.equal(moved.length, 200);
    });
    assert.ok(requests() - before <= 220, `${requests() - before} config reads for 200 edits`);
    const polls = world.agent.count('daemon_status') - lists;
    assert.ok(polls <= 2 + (performance.now() - since) / 1000, `${polls} lists`);
    assert.equal(world.writes().deletes, 200);
  });

  for (const outcome of ['ret', 'internal'] as const) {
    const how = outcome === 'ret' ? 'ret≠0 with status 0' : 'status 500';
    test(`set answers ${how}: it is no success, the listener does not wait, and it is tried again`, async (t) => {
      const stage = await openAllocated(t, outcome);
      const { world, path, http } = stage;
      await stage.untouched(async () => {
        await stage.problems('write-back-failed', 1);
        assert.equal(world.bindOf(path), http);
        world.agent.flaws.setOutcome = 'ok';
        await stage.written();
        await stage.problems('write-back-failed', 0);
      });
    });
  }

  for (const outcome of ['lost', 'late'] as const) {
    const how = outcome === 'lost' ? 'with the answer lost' : 'after the client left';
    test(`set is applied ${how}: found by reading, not written again`, async (t) => {
      const stage = await openAllocated(t, outcome);
      await stage.untouched(async () => {
        await stage.written();
        await pause(4000);
      });
      assert.equal(stage.sets(), 1);
      assert.equal(await stage.metric('gobtw_janitor_problems{code="write-back-failed"}'), 0);
    });
  }
});
