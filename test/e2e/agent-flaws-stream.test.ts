/** Flaws of the agent's event stream (reference/opensvc-v2-protocol.md §4): what they leave of the servers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/world.js';
import { follow, pause } from '../support/raw-client.js';
import { openStage, severalLists, type Stage } from '../support/stage.js';

const gaps = (stage: Stage, reason: string): Promise<number> =>
  stage.metric(`gobtw_janitor_event_gaps_total{reason="${reason}"}`);

describe('flaws of the agent: its stream', { concurrency: 3 }, () => {
  test('held patches (§4.1): the last of a burst is served, though its patch is kept back', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    stage.add('api');
    await stage.serve();
    world.agent.flaws.holdPatches = true;
    const { holdMs } = world.agent.flaws;
    await pause(holdMs);
    stage.move(web);
    const lastId = world.agent.stream.lastId();
    world.agent.flaws.holdMs = 60_000; // however long the test takes from here to the next line but one
    const served = stage.move(web);
    assert.equal(world.agent.stream.lastId(), lastId, 'this change must be held, or nothing is tested');
    world.agent.flaws.holdMs = holdMs;
    await served();
    const { deletes } = world.writes();
    world.remove(web);
    await stage.servesOnly('api');
    assert.equal(world.writes().deletes, deletes + 1);
  });

  test('a large patch cuts the stream in mid-frame (§4.3): nothing is lost, nothing is deleted', async (t) => {
    const stage = await openStage(t, { nodes: ['gw1', 'n2'] });
    const { world } = stage;
    const web = stage.add('web');
    for (const name of ['a', 'b', 'c', 'd']) stage.add(name);
    stage.add('far', { nodes: ['n2'] });
    await stage.serve();
    world.agent.flaws.frameLimitBytes = 3000;
    await stage.untouched(async () => {
      world.cluster.loseNode('n2');
      world.cluster.rejoinNode('n2');
      await eventually(async () => assert.ok((await gaps(stage, 'cut-frame')) > 0));
      await severalLists(world);
    });
    const served = stage.move(web);
    await served();
    world.agent.flaws.frameLimitBytes = 212_992;
    await eventually(async () => assert.equal(await stage.metric('gobtw_janitor_event_stream_connected'), 1));
  });

  test('silent unsubscribe (§4.4): a deaf stream costs time, not services', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    stage.add('api');
    const elder = [await follow(world.socketPath), await follow(world.socketPath)];
    await stage.serve();
    world.agent.flaws.latencyMs = 1000; // both have to die between two drains, for the agent to forget the third one
    await pause(100);
    for (const { close } of elder) close();
    await eventually(() => assert.equal(world.agent.stream.subscribers(), 1));
    world.cluster.set(web, 'env.unrelated', 'text');
    await eventually(() => assert.equal(world.agent.stream.subscribers(), 0));
    world.agent.flaws.latencyMs = 2;
    const served = stage.move(web);
    stage.add('late');
    await served();
    await stage.servesOnly('web', 'api', 'late');
    world.remove(web);
    await stage.servesOnly('api', 'late');
    assert.equal(await stage.metric('gobtw_janitor_event_stream_connected'), 1, 'it was deaf, not closed');
  });

  test('id restart (§4, daemon restart) and ids left out: listed again, not a call', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    stage.add('api');
    await stage.serve();
    await stage.untouched(async () => {
      world.agent.stream.skipIds(3);
      world.cluster.set(web, 'env.unrelated', 'one');
      await eventually(async () => assert.ok((await gaps(stage, 'id-gap')) > 0));
      world.agent.stream.restartIds();
      world.cluster.set(web, 'env.unrelated', 'two');
      await eventually(async () => assert.ok((await gaps(stage, 'restarted')) > 0));
      await severalLists(world);
    });
    const served = stage.move(web);
    await served();
  });

  test('event paths as 2.0 wrote them are understood', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    const web = stage.add('web');
    world.agent.flaws.oldEventPaths = true;
    await stage.serve();
    const understood = 'gobtw_janitor_events_total{kind="config",outcome="queued"}';
    const before = await stage.metric(understood);
    const [lists, since] = [world.agent.count('daemon_status'), performance.now()];
    await eventually(async () => {
      const served = stage.move(web);
      await served(); // by a list, when one is on its way just now
      assert.ok((await stage.metric(understood)) > before);
    });
    const polls = world.agent.count('daemon_status') - lists;
    assert.ok(polls <= 2 + (performance.now() - since) / 1000, `${polls} lists`);
    world.remove(web);
    await stage.servesOnly();
  });
});
