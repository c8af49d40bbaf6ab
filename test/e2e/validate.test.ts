import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flagsFor, runProgram } from '../support/process.js';
import { openWorld } from '../support/world.js';

interface Told {
  readonly service: string;
  readonly verdict: string;
  readonly problems: readonly { readonly code: string; readonly place: string }[];
  readonly exposes: readonly { readonly server: string; readonly record: string }[];
}

describe('validate', () => {
  test('--service: as the agent has it, evaluated; nothing is changed', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const web = world.addService('web', { bind: '{env.ports}', expose: [http], instances: 1 });
    world.cluster.set(web, 'env.ports', http);
    const good = await runProgram(t, [
      'validate',
      '--service',
      'web',
      '--output',
      'json',
      ...flagsFor(world),
    ]);
    assert.equal(good.code, 0, `${good.stdout}${good.stderr}`);
    const told = JSON.parse(good.stdout) as Told;
    assert.deepEqual([told.service, told.verdict, told.problems], ['web', 'served', []]);
    const [server] = told.exposes;
    assert.equal(server?.server, `_${http.replace('/', '._')}.web.root.svc`);
    assert.match(server?.record ?? '', /^_\d+\._tcp\.web\.root\.svc\.[^<>]+\.$/);

    world.cluster.set(web, 'env.igw_gobtw_balance', 'roundrobbin');
    const bad = await runProgram(t, ['validate', '--service', 'web', ...flagsFor(world)]);
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^problem: igw_gobtw_balance \[bad-keyword\]$/m);
    assert.match(bad.stdout, /To mend: write one of: .*roundrobin/);

    world.cluster.set(web, 'env.igw_gobtw_balance', '{env.nope}');
    const left = await runProgram(t, ['validate', '--service', 'web', ...flagsFor(world)]);
    assert.equal(left.code, 1);
    assert.match(left.stdout, /\[unresolved-reference\]/);

    assert.deepEqual(world.writes(), { posts: 0, deletes: 0 });
    assert.equal(world.bindOf(web), '{env.ports}');
  });

  test('says who does not answer, or does not exist, and exits 1', async (t) => {
    const world = await openWorld(t);
    const absent = await runProgram(t, ['validate', '--service', 'ns1/svc/web', ...flagsFor(world)]);
    assert.deepEqual([absent.code, absent.stdout], [1, '']);
    assert.match(absent.stderr, /^gobtw-janitor: the cluster \S+ has no service ns1\/svc\/web$/m);
    await world.stopGoBetween();
    const other = await runProgram(t, ['validate', '--service', 'x', ...flagsFor(world)]);
    assert.match(other.stderr, /has no service x/, 'GoBetween is not asked');
    await world.agent.stop();
    const silent = await runProgram(t, ['validate', '--service', 'x', ...flagsFor(world)]);
    assert.equal(silent.code, 1);
    assert.match(silent.stderr, /^gobtw-janitor: .*(agent|socket|lsnr)/m);
  });

  test('keywords need nobody', async (t) => {
    const { code, stdout } = await runProgram(t, ['validate', 'igw_gobtw_bind=80/tcp-:8080']);
    assert.equal(code, 0);
    assert.match(stdout, /_80\._tcp\.NAME\.root\.svc\.<cluster>\./);
    const nothing = await runProgram(t, ['validate']);
    assert.equal(nothing.code, 64);
  });
});
