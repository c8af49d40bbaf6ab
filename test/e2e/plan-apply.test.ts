import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flagsFor, runProgram, startProgram } from '../support/process.js';
import { binds, eventually, openWorld } from '../support/world.js';

interface PlanJson {
  readonly pending: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly changes: readonly { readonly kind: string; readonly service: string; readonly reason: string }[];
  readonly left: readonly { readonly service: string; readonly state: string; readonly why: string }[];
}

describe('plan', () => {
  test('shows what would change and why, changes nothing, and exits 2', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const explicit = world.ports.take();
    const web = world.addService('web', { bind: http, expose: [http], instances: 1 });
    world.addService('api', { bind: `${http}-127.0.0.1:${explicit}`, expose: [http], instances: 1 });
    world.addService('typo', { bind: `${http}-8443`, expose: [http], instances: 1 });
    const { code, stdout, stderr } = await runProgram(t, ['plan', ...flagsFor(world)]);
    assert.equal(code, 2, stderr);
    const label = http.replace('/', '._');
    assert.match(
      stdout,
      new RegExp(
        `^\\+ _${label}\\.api\\.root\\.svc on 127\\.0\\.0\\.1:${explicit}/tcp for api \\(new\\)$`,
        'm',
      ),
    );
    assert.match(
      stdout,
      new RegExp(`^\\+ _${label}\\.web\\.root\\.svc on 0\\.0\\.0\\.0:\\d+/tcp for web \\(new\\)$`, 'm'),
    );
    assert.match(stdout, /^2 to create, 0 to replace, 0 to delete/m);
    assert.match(stdout, /typo .*spoiled/);
    assert.deepEqual(world.writes(), { posts: 0, deletes: 0 });
    assert.equal(world.bindOf(web), http);
  });

  test('as JSON, with the fields of a replacement', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const bind = `${http}-127.0.0.1:${world.ports.take()}`;
    const web = world.addService('web', { bind, expose: [http], instances: 1 });
    assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
    world.cluster.set(web, 'env.igw_gobtw_balance', 'leastconn');
    const { code, stdout } = await runProgram(t, ['plan', '--output', 'json', ...flagsFor(world)]);
    assert.equal(code, 2);
    const plan = JSON.parse(stdout) as PlanJson;
    assert.deepEqual(plan.counts, { create: 0, replace: 1, delete: 0, adopt: 0 });
    const fields = [{ field: 'balance', before: '"weight"', after: '"leastconn"' }];
    assert.deepEqual(
      plan.changes.map((change) => ({ ...change, reason: '' })),
      [
        {
          kind: 'replace',
          server: `_${http.replace('/', '._')}.web.root.svc`,
          service: 'web',
          listen: `${bind.split('-')[1] ?? ''}/tcp`,
          reason: '',
          fields,
          heldBack: null,
          connections: 0,
        },
      ],
    );
  });

  test('exits 0 beside a janitor that has done everything, and does not disturb it', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web', { bind: http, expose: [http], instances: 1 });
    startProgram(t, ['run', ...flagsFor(world, { 'log-level': 'error' })]);
    await eventually(() => assert.match(world.bindOf(web) ?? '', /-0\.0\.0\.0:\d+$/));
    const before = { servers: await binds(world), writes: world.writes() };
    const { code, stdout, stderr } = await runProgram(t, ['plan', ...flagsFor(world)]);
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^Nothing to change\.$/m);
    assert.deepEqual({ servers: await binds(world), writes: world.writes() }, before);
  });

  test('says who does not answer, and exits 1', async (t) => {
    const world = await openWorld(t);
    await world.stopGoBetween();
    const noBalancer = await runProgram(t, ['plan', ...flagsFor(world, { 'req-timeout': '1' })]);
    assert.equal(noBalancer.code, 1);
    assert.match(noBalancer.stderr, /GoBetween .*127\.0\.0\.1.*unreachable: .*--gobetween/);
    await world.startGoBetween();
    await world.agent.stop();
    const noAgent = await runProgram(t, ['plan', ...flagsFor(world, { 'req-timeout': '1' })]);
    assert.equal(noAgent.code, 1);
    assert.match(noAgent.stderr, /agent: \/.*: .*check that the agent runs/);
  });
});

describe('plan and apply', () => {
  test('warn of what is served and hardly meant', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const bind = `${http}-127.0.0.1:${world.ports.take()}`;
    const env = { igw_gobtw_balanse: 'weight' };
    world.addService('web', { bind, expose: [], instances: 1, env });
    for (const verb of ['plan', 'apply']) {
      const { stdout } = await runProgram(t, [verb, ...flagsFor(world)]);
      assert.match(stdout, /^To look at:$/m);
      assert.match(stdout, /^web +igw_gobtw_bind .*not-exposed: .*; write expose = /m);
      assert.match(stdout, /^web +igw_gobtw_balanse .*unknown-keyword: .*igw_gobtw_balance\?$/m);
    }
  });
});

describe('apply', () => {
  test('makes the changes once, writes ports back, and lists what it left', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web', { bind: http, expose: [http], instances: 1 });
    world.addService('typo', { bind: `${http}-8443`, expose: [http], instances: 1 });
    const absent = `_${http.replace('/', '._')}.absent.root.svc`;
    const orphan = `127.0.0.1:${world.ports.take()}`;
    await world.addForeign(absent, {
      protocol: 'tcp',
      bind: orphan,
      discovery: { kind: 'static', static_list: ['127.0.0.1:1'] },
    });
    const { code, stdout, stderr } = await runProgram(t, ['apply', ...flagsFor(world)]);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const servers = await binds(world);
    assert.equal(servers[absent], orphan, 'absence deletes nothing');
    assert.equal(Object.keys(servers).length, 2);
    assert.match(world.bindOf(web) ?? '', /-0\.0\.0\.0:\d+$/);
    assert.match(stdout, /absent .*kept/);
    assert.match(stdout, /typo .*spoiled/);
    const writes = world.writes();
    assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
    assert.deepEqual(world.writes(), writes);
  });

  test('adopts a server with a former default; --refresh replaces it', async (t) => {
    const world = await openWorld(t);
    const dns = `${world.ports.take()}/udp`;
    const bind = `127.0.0.1:${world.ports.take()}`;
    world.addService('web', { bind: `${dns}-${bind}`, expose: [dns], instances: 1 });
    assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
    const name = `_${dns.replace('/', '._')}.web.root.svc`;
    const { ...body } = (await world.servers())[name];
    await world.dropServer(name);
    await eventually(() => world.addForeign(name, { ...body, client_idle_timeout: '0' }));
    const idle = async (): Promise<unknown> => (await world.servers())[name]?.['client_idle_timeout'];
    assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
    assert.equal(await idle(), '0');
    const plan = await runProgram(t, ['plan', '--refresh', ...flagsFor(world)]);
    assert.equal(plan.code, 2);
    assert.match(plan.stdout, /stale-default/);
    assert.equal((await runProgram(t, ['apply', '--refresh', ...flagsFor(world)])).code, 0);
    assert.equal(await idle(), body['client_idle_timeout']);
    assert.equal((await runProgram(t, ['plan', '--refresh', ...flagsFor(world)])).code, 0);
  });

  test('with the policy upsert-only, what is not deleted is named, and no failure', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const bind = `127.0.0.1:${world.ports.take()}`;
    const web = world.addService('web', { bind: `${http}-${bind}`, expose: [http], instances: 1 });
    assert.equal((await runProgram(t, ['apply', ...flagsFor(world)])).code, 0);
    world.setBind(web, '');
    const before = await binds(world);
    const flags = flagsFor(world, { policy: 'upsert-only' });
    const { code, stdout } = await runProgram(t, ['apply', ...flags]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /web .*kept: .*policy\s+upsert-only/s);
    assert.deepEqual(await binds(world), before);
  });

  test('fails when something that should be served is not', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const taken = await world.listenForeign();
    world.addService('web', { bind: `${http}-127.0.0.1:${taken}`, expose: [http], instances: 1 });
    const { code, stdout, stderr } = await runProgram(t, ['apply', ...flagsFor(world)]);
    assert.equal(code, 1);
    assert.match(stdout, /^1 to create, .*: 1 not done, see below$/m);
    assert.match(stdout, /web .*port-busy/);
    assert.match(stderr, /tries nothing again/);
  });
});
