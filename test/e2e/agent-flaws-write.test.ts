/** How writing an allocated port into a service's config can fail (reference/opensvc-v2-protocol.md §5, set). */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { SetOutcome } from '../../src/sim/agent/flaws.js';
import { pause } from '../../src/sim/world-wait.js';
import { openStage, type Stage } from '../support/stage.js';
import { eventually, portOf } from '../support/world.js';

interface Allocated extends Stage {
  readonly path: string;
  /** The config holds the port that GoBetween listens on. */
  written(withinMs: number): Promise<void>;
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
    written: (withinMs) =>
      eventually(() => assert.equal(world.bindOf(path), `${stage.http}-0.0.0.0:${port}`), withinMs),
    sets: () => world.agent.count('object_action'),
  };
}

describe('flaws of the agent: set', { concurrency: 4 }, () => {
  for (const outcome of ['ret', 'internal'] as const) {
    const how = outcome === 'ret' ? 'ret≠0 with status 0' : 'status 500';
    test(`set answers ${how}: it is no success, the listener does not wait, and it is tried again`, async (t) => {
      const stage = await openAllocated(t, outcome);
      const { world, path, http } = stage;
      await stage.untouched(async () => {
        await stage.problems('write-back-failed', 1);
        assert.equal(world.bindOf(path), http);
        world.agent.flaws.setOutcome = 'ok';
        await stage.written(15_000);
        await stage.problems('write-back-failed', 0);
      });
    });
  }

  for (const outcome of ['lost', 'late'] as const) {
    const how = outcome === 'lost' ? 'with the answer lost' : 'after the client left';
    test(`set is applied ${how}: found by reading, not written again`, async (t) => {
      const stage = await openAllocated(t, outcome);
      await stage.untouched(async () => {
        await stage.written(10_000);
        await pause(4000);
      });
      assert.equal(stage.sets(), 1);
      assert.equal(await stage.metric('gobtw_janitor_problems{code="write-back-failed"}'), 0);
    });
  }
});
