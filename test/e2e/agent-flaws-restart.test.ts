/** The agent starts, stops and dies (reference/opensvc-v2-protocol.md §6): no server goes, and what changed meanwhile comes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { GRACE_MS, openStage, severalGraces, severalLists, type Stage } from '../support/stage.js';
import { eventually } from '../support/world.js';

/** Empty for so long that absence would be believed of an agent that is not starting. */
const SLOW = { emptyMs: 3 * GRACE_MS, stepMs: 0.5 * GRACE_MS, perStep: 2, rejoinMs: 1.5 * GRACE_MS };

async function populate(stage: Stage): Promise<void> {
  for (const name of ['web', 'api', 'blog', 'shop']) stage.add(name);
}

/** The system's word for a connection to the agent's socket. */
function refusal(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve('connected'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
}

describe('flaws of the agent: its starts and ends', { concurrency: 3 }, () => {
  test('slow and partial start (§6 Start-up): what is served stays', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    await populate(stage);
    await stage.serve();
    await stage.untouched(async () => {
      await world.agent.kill();
      await world.agent.start(SLOW);
      await world.agent.settled();
      await severalLists(world);
    });
    const served = stage.move('web');
    await served();
  });

  test('slow and partial start (§6 Start-up): a janitor that starts meanwhile waits for the whole list', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    await populate(stage);
    const first = await stage.serve();
    first.signal('SIGTERM');
    await first.exited;
    await world.agent.kill();
    await world.agent.start(SLOW);
    await stage.untouched(async () => {
      stage.start();
      await eventually(async () => assert.equal(await stage.status('readyz'), 503));
      await world.agent.settled();
      await eventually(async () => assert.equal(await stage.status('readyz'), 200));
      await severalLists(world);
    });
  });

  test('graceful restart: the socket file stays and refuses', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    await populate(stage);
    await stage.serve();
    let served = (): Promise<void> => Promise.resolve();
    await stage.untouched(async () => {
      await world.agent.stop();
      assert.ok(existsSync(world.socketPath));
      assert.equal(await refusal(world.socketPath), 'ECONNREFUSED');
      served = stage.move('web');
      world.remove('shop');
      await severalGraces();
      assert.equal(await stage.status('healthz'), 200);
    });
    await world.agent.start();
    await served();
    // its deletion was announced while nobody listened, so absence has to prove it
    await stage.servesOnly('web', 'api', 'blog');
  });

  test('SIGKILL of the agent, and a start that takes its time', async (t) => {
    const stage = await openStage(t);
    const { world } = stage;
    await populate(stage);
    await stage.serve();
    await stage.untouched(async () => {
      await world.agent.kill();
      assert.equal(await refusal(world.socketPath), 'ECONNREFUSED');
      await severalGraces();
      assert.equal(await stage.metric('gobtw_janitor_event_stream_connected'), 0);
    });
    const served = stage.move('web');
    const { deletes } = world.writes();
    await world.agent.start(SLOW);
    await world.agent.settled();
    await served();
    await severalLists(world);
    await stage.servesOnly('web', 'api', 'blog', 'shop');
    assert.equal(world.writes().deletes, deletes + 1);
  });

  test('node loss: the aggregates of its services vanish, their servers do not', async (t) => {
    const stage = await openStage(t, { nodes: ['gw1', 'n2'] });
    const { world } = stage;
    stage.add('near', { nodes: ['gw1'] });
    stage.add('far', { nodes: ['n2'] });
    await stage.serve();
    await stage.untouched(async () => {
      world.cluster.loseNode('n2');
      assert.equal(world.cluster.dataset.get(['monitor', 'services', 'far']), undefined);
      await severalLists(world);
      world.cluster.rejoinNode('n2');
      await severalLists(world);
    });
    const served = stage.move('far');
    await served();
    world.cluster.setMembers(['gw1']);
    await stage.servesOnly('near');
  });

  test('node in maintenance, or stopping: what it may have stays', async (t) => {
    const stage = await openStage(t, { nodes: ['gw1', 'n2'] });
    const { world } = stage;
    stage.add('near', { nodes: ['gw1'] });
    stage.add('far', { nodes: ['n2'] });
    await stage.serve();
    await stage.untouched(async () => {
      world.cluster.setNodeStatus('n2', 'maintenance');
      world.cluster.delete('far', { announced: false });
      await severalLists(world);
      world.cluster.setNodeStatus('n2', 'shutting');
      await severalLists(world);
    });
    world.cluster.setNodeStatus('n2', 'idle');
    await stage.servesOnly('near');
    await stage.untouched(async () => {
      world.cluster.setNodeStatus('gw1', 'maintenance');
      world.cluster.delete('near', { announced: false });
      await severalLists(world);
    });
    world.cluster.setNodeStatus('gw1', 'idle');
    await stage.servesOnly();
  });
});
