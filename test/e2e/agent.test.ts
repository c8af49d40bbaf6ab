import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld } from '../support/world.js';

const SERVICES = 24;

describe('an agent that comes and goes', () => {
  test('stop, start, slow start, partial list, kill -9, lost node: 0 DELETE', async (t) => {
    const world = await openWorld(t, { singles: SERVICES + 10 });
    const http = `${world.ports.take()}/tcp`;
    for (let i = 0; i < SERVICES; i += 1) {
      world.addService(`web${i}`, {
        bind: `${http}-127.0.0.1:${world.ports.take()}`,
        expose: [http],
        instances: 1,
      });
    }
    // a grace so short that every lie would delete if it were believed
    const janitor = startJanitor(t, world, { 'delete-grace': '1s' });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, SERVICES));
    await janitor.synced();
    await pause(1500);
    const [before, writes] = [await binds(world), world.writes()];
    const unharmed = async (): Promise<void> => {
      assert.deepEqual(world.writes(), writes);
      assert.deepEqual(await binds(world), before);
      assert.equal(janitor.child.exitCode, null);
    };
    const story: readonly (readonly [string, () => Promise<unknown>])[] = [
      [
        'stopped for longer than the grace, started',
        async () => {
          await world.agent.stop();
          await pause(2500);
          await world.agent.start();
        },
      ],
      [
        'killed, started slowly',
        async () => {
          await world.agent.kill();
          await world.agent.start({ emptyMs: 1500, stepMs: 150, perStep: 6, rejoinMs: 1500 });
          await world.agent.settled();
        },
      ],
      [
        'a peer lost for longer than the grace, and back',
        async () => {
          world.cluster.loseNode('gw2');
          await pause(2000);
          world.cluster.rejoinNode('gw2');
        },
      ],
      [
        'in maintenance while its list is empty',
        async () => {
          world.cluster.setNodeStatus('gw1', 'maintenance');
          world.agent.show({ name: 'init', statuses: 2 });
          await pause(2000);
          world.agent.show({ name: 'idle' });
        },
      ],
      [
        'upgraded: stopped and started three times in a row',
        async () => {
          for (let i = 0; i < 3; i += 1) {
            await world.agent.stop();
            await pause(300);
            await world.agent.start({ emptyMs: 200, stepMs: 30, perStep: 8, rejoinMs: 200 });
            await pause(500);
          }
          await world.agent.settled();
        },
      ],
    ];
    for (const [what, tell] of story) {
      await t.test(what, async () => {
        await tell();
        await janitor.synced();
        await pause(1500); // longer than the grace
        await unharmed();
      });
    }
  });
});
