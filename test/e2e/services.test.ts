import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { askTcp } from '../../src/sim/world-traffic.js';
import { pause } from '../../src/sim/world-wait.js';
import type { World } from '../../src/sim/world.js';
import { flagsFor, startProgram } from '../support/process.js';
import { binds, eventually, openWorld } from '../support/world.js';

interface Scene {
  readonly world: World;
  readonly http: string;
  /** Name of the server of a root service. */
  readonly server: (service: string) => string;
  readonly add: (name: string, bind: string, env?: Record<string, string>) => string;
}

/** A world with a janitor that serves it. */
async function open(t: TestContext): Promise<Scene> {
  const world = await openWorld(t);
  const http = `${world.ports.take()}/tcp`;
  startProgram(t, ['run', ...flagsFor(world, { sweep: '1s', 'quiet-wait': '200ms', 'log-level': 'error' })]);
  return {
    world,
    http,
    server: (service) => `_${http.replace('/', '._')}.${service}.root.svc`,
    add: (name, bind, env = {}) => world.addService(name, { bind, expose: [http], instances: 1, env }),
  };
}

describe('services', () => {
  test('a conflict goes to who holds the port, and ends when that one leaves', async (t) => {
    const { world, http, server, add } = await open(t);
    const port = world.ports.take();
    const winner = add('zebra', `${http}-0.0.0.0:${port}`);
    await eventually(async () => assert.deepEqual(Object.keys(await binds(world)), [server('zebra')]));
    add('aardvark', `${http}-127.0.0.1:${port}`);
    await pause(800);
    assert.deepEqual(Object.keys(await binds(world)), [server('zebra')]);
    world.remove(winner);
    await eventually(async () =>
      assert.deepEqual(await binds(world), { [server('aardvark')]: `127.0.0.1:${port}` }),
    );
  });

  test('a typo removes nothing and spoils nothing else', async (t) => {
    const { world, http, server, add } = await open(t);
    const web = add('web', `${http}-127.0.0.1:${world.ports.take()}`);
    add('web2', `${http}-127.0.0.1:${world.ports.take()}`);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    const [before, writes] = [await binds(world), world.writes()];
    world.setBind(web, `${http}-8443`);
    add('late', `${http}-127.0.0.1:${world.ports.take()}`);
    await eventually(async () => assert.ok(server('late') in (await binds(world))));
    const after = await binds(world);
    assert.equal(after[server('web')], before[server('web')]);
    assert.equal(after[server('web2')], before[server('web2')]);
    assert.deepEqual(world.writes(), { posts: writes.posts + 1, deletes: writes.deletes });
  });

  test('a service that goes takes its own servers only, and foreign ones stay', async (t) => {
    const { world, http, server, add } = await open(t);
    const foreign = `127.0.0.1:${world.ports.take()}`;
    await world.addForeign('web-by-hand', {
      protocol: 'tcp',
      bind: foreign,
      discovery: { kind: 'static', static_list: ['127.0.0.1:1'] },
    });
    const web = add('web', `${http}-127.0.0.1:${world.ports.take()}`);
    for (const name of ['web2', 'web-api']) add(name, `${http}-127.0.0.1:${world.ports.take()}`);
    world.addService('web', {
      namespace: 'shop',
      bind: `${http}-127.0.0.1:${world.ports.take()}`,
      expose: [http],
      instances: 1,
    });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 5));
    const before = await binds(world);
    world.remove(web);
    await eventually(async () => assert.equal(server('web') in (await binds(world)), false));
    await pause(300);
    const rest = Object.entries(before).filter(([name]) => name !== server('web'));
    assert.deepEqual(await binds(world), Object.fromEntries(rest));
  });

  test('a word that leaves and a target that moves act at once', async (t) => {
    const { world, http, server, add } = await open(t);
    const [one, two] = [world.ports.take(), world.ports.take()];
    const web = add('web', `${http}-127.0.0.1:${one}`);
    const api = add('api', `${http}-127.0.0.1:${two}`);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    world.cluster.set(api, 'env.igw_gobtw_target_lb', 'gw2');
    await eventually(async () => assert.deepEqual(Object.keys(await binds(world)), [server('web')]));
    const three = world.ports.take();
    world.setBind(web, `${http}-127.0.0.1:${three}`);
    await eventually(async () =>
      assert.deepEqual(await binds(world), { [server('web')]: `127.0.0.1:${three}` }),
    );
    assert.deepEqual(await askTcp(one), { ok: false, why: 'ECONNREFUSED' });
    await eventually(async () => assert.equal((await askTcp(three)).ok, true));
  });

  test('a change that changes no server costs no call', async (t) => {
    const { world, http, server, add } = await open(t);
    const [one, two] = [world.ports.take(), world.ports.take()];
    const web = add('web', `${http}-127.0.0.1:${one} ${http}-127.0.0.1:${two}`);
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    const writes = world.writes();
    world.setBind(web, `${http}-127.0.0.1:${two}   ${http}-127.0.0.1:${one}`);
    world.cluster.set(web, 'env.unrelated', 'text');
    world.scale(web, 3);
    await world.agent.kill();
    await world.agent.start();
    await pause(2500);
    assert.deepEqual(world.writes(), writes);
    assert.ok(server('web') in (await binds(world)));
  });
});
