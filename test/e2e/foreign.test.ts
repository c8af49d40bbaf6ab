import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { FOREIGN, NEIGHBOURS, populateNeighbours } from '../support/neighbours.js';
import { binds, eventually, serverName } from '../support/world.js';

describe('foreign servers', () => {
  test('A foreign server survives everything', async (t) => {
    const { world, web, http, janitor, before } = await populateNeighbours(t, { 'delete-grace': '1s' });
    const foreign = async (): Promise<readonly unknown[]> => {
      const servers = await world.servers();
      return FOREIGN.map((name) => servers[name]);
    };
    const asMade = await foreign();
    const path = (name: string, namespace: string): string =>
      namespace === 'root' ? name : `${namespace}/svc/${name}`;
    world.cluster.set(web, 'env.igw_gobtw_balance', 'iphash');
    // a service that wants a foreign server's port is told so, and gets it when the server leaves
    const wanted = before[FOREIGN[0] ?? ''] ?? '';
    world.addService('late', { bind: `${http}-${wanted}`, expose: [http], instances: 1 });
    await eventually(() => assert.equal(janitor.raised('port-busy').length, 1));
    assert.deepEqual(await foreign(), asMade);
    world.agent.stream.cut();
    await world.agent.kill();
    await world.agent.start();
    for (const [name, namespace] of NEIGHBOURS) world.remove(path(name, namespace));
    world.remove(web);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, FOREIGN.length));
    janitor.signal('SIGHUP');
    await pause(1200);
    assert.deepEqual(await foreign(), asMade, 'as they were made, to the last field');
    await world.dropServer(FOREIGN[0] ?? '');
    await eventually(async () => assert.equal((await binds(world))[serverName(http, 'late')], wanted));
    assert.equal((await janitor.stop()).code, 0);
    assert.deepEqual(await foreign(), [undefined, ...asMade.slice(1)]);
  });
});
