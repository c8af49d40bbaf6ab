/** What an operator types, against a janitor process: status, watch, the verbs, the bundle; and what is said when none runs. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Exposure } from '../../src/operator/exposures.js';
import type { GatewayView } from '../../src/operator/gateway.js';
import type { World } from '../../src/sim/world.js';
import { startJanitor, type Janitor } from '../support/janitor.js';
import { type Exit, flagsFor, runProgram, startProgram } from '../support/process.js';
import { eventually, openWorld, portOf } from '../support/world.js';

interface Desk {
  readonly world: World;
  readonly janitor: Janitor;
  readonly control: string;
  readonly dir: string;
  /** Runs a verb against the janitor, over its control socket. */
  type(...args: readonly string[]): Promise<Exit>;
}

const http = '18080/tcp';

async function open(t: TestContext, flags: Readonly<Record<string, string>> = {}): Promise<Desk> {
  const dir = mkdtempSync(join(tmpdir(), 'igw-desk-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const control = join(dir, 'janitor.sock');
  const world = await openWorld(t);
  world.addService('web', { bind: http, expose: [http], instances: 2 });
  world.addService('api', { namespace: 'shop', bind: http, expose: [http], instances: 1 });
  world.addService('typo', { bind: `${http}-18080`, expose: [http], instances: 1 });
  const janitor = startJanitor(t, world, { control, ...flags });
  await janitor.synced();
  return {
    ...{ world, janitor, control, dir },
    type: (...args) => runProgram(t, [...args, '--control', control, '--listen', 'off']),
  };
}

describe('status', () => {
  test('is the gateway in one line and what is exposed, where, and why not', async (t) => {
    const { type, world } = await open(t);
    await eventually(async () => {
      const { code, stdout, stderr } = await type('status');
      assert.equal(stderr, '');
      assert.equal(code, 0);
      assert.match(stdout, /^demo\/gw1: in sync, 2 servers; 1 problem keeps a word from being served\n/);
      assert.match(stdout, /^typo +18080\/tcp-18080 +- +spoiled +bad-word: /m);
      assert.match(stdout, /^web +18080\/tcp\S* +0\.0\.0\.0:\d+\/tcp +serving$/m);
      assert.match(stdout, /^shop\/svc\/api .* serving$/m);
      // What needs somebody stands first.
      assert.ok(stdout.indexOf('typo') < stdout.indexOf('web'));
      assert.ok(!stdout.includes('\u001b'), 'no colours in a pipe');
    });
    const port = await portOf(world, '_18080._tcp.web.');
    const json = await type('status', 'web', '--output', 'json');
    const { gateway, exposures } = JSON.parse(json.stdout) as {
      gateway: GatewayView;
      exposures: readonly Exposure[];
    };
    assert.equal(gateway.cluster, 'demo');
    assert.equal(gateway.servers.present, 2);
    assert.equal(exposures.length, 1);
    assert.equal(exposures[0]?.listen, `0.0.0.0:${port}`);
    assert.ok(Math.abs(Date.parse(exposures[0]?.since ?? '') - Date.now()) < 120_000);
    const none = await type('status', 'nosuch');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^gobtw-janitor: no service nosuch was seen in the cluster\n$/);
  });

  test('says in one line that no janitor answers, and where it was looked for', async (t) => {
    const { code, stderr } = await runProgram(t, [
      'status',
      '--control',
      '/tmp/no-such.sock',
      '--listen',
      '127.0.0.1:9',
    ]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^gobtw-janitor: no running janitor answers at \/tmp\/no-such\.sock \(ENOENT\) nor at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\); [^\n]*\n$/,
    );
  });

  test('asks the page when the control socket cannot be opened', async (t) => {
    const world = await openWorld(t);
    const listen = `127.0.0.1:${world.ports.take()}`;
    const janitor = startProgram(t, ['run', ...flagsFor(world, { listen })]);
    await eventually(async () => {
      const { code, stdout } = await runProgram(t, [
        'status',
        '--control',
        '/tmp/no-such.sock',
        '--listen',
        listen,
      ]);
      assert.equal(code, 0);
      assert.match(stdout, /nothing asks for an exposure here/);
    });
    const order = await runProgram(t, ['resync', '--control', '/tmp/no-such.sock', '--listen', listen]);
    assert.equal(order.code, 1, 'an order never goes over the page');
    assert.match(order.stderr, /no running janitor answers at \/tmp\/no-such\.sock/);
    janitor.signal('SIGTERM');
    await janitor.exited;
  });
});

test('explain fails while something is broken, and shows the chain', async (t) => {
  const { type } = await open(t);
  const typo = await type('explain', 'typo');
  assert.equal(typo.code, 1);
  assert.match(typo.stdout, /To mend: .*18080\/tcp-:18080/);
  assert.match(typo.stdout, /BROKEN +keywords/);
  await eventually(async () => {
    const { code, stdout } = await type('explain', 'web');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^web is served on 0\.0\.0\.0:\d+\/tcp\n/);
    for (const step of [
      'agent',
      'service',
      'config',
      'keywords',
      'gateway',
      'port',
      'gobetween',
      'server',
      'record',
      'backends',
      'listener',
    ])
      assert.match(stdout, new RegExp(`^ {2}ok +${step} `, 'm'));
    assert.match(stdout, /dig \+tcp @127\.0\.0\.1 -p \d+ SRV _18080\._tcp\.web\.root\.svc\.demo\./);
  });
  const json = JSON.parse((await type('explain', 'port-conflict', '--output', 'json')).stdout) as {
    kind: string;
  };
  assert.equal(json.kind, 'code');
});

test('pause, resume and policy: over the control socket, shown while in force', async (t) => {
  const { type, world, janitor } = await open(t);
  const paused = await type('pause', 'web', '--for', '10m');
  assert.equal(paused.code, 0, paused.stderr);
  assert.match(paused.stdout, /^web is paused/);
  const port = await portOf(world, '_18080._tcp.web.');
  const other = world.ports.take();
  world.setBind('web', `${http}-127.0.0.1:${other}`);
  world.setBind('shop/svc/api', `${http}-127.0.0.1:${world.ports.take()}`);
  await eventually(async () => {
    assert.match((await type('status')).stdout, /^web +.* pending +to be replaced: this service is paused/m);
    assert.match((await world.servers())['_18080._tcp.api.shop.svc']?.bind ?? '', /^127\.0\.0\.1:/);
  });
  assert.equal(await portOf(world, '_18080._tcp.web.'), port);
  assert.match((await type('status')).stdout, /^web is paused by an operator until \d{4}-/m);
  assert.match(
    (await type('explain', 'web')).stdout,
    /BROKEN +server +.* To mend: say gobtw-janitor resume web/,
  );
  assert.match((await type('resume', 'web')).stdout, /^web goes on/);
  await eventually(async () => assert.equal(await portOf(world, '_18080._tcp.web.'), other));
  assert.equal((await type('pause', '--for', 'soon')).code, 64);
  assert.match((await type('policy', 'upsert-only')).stdout, /^the policy is upsert-only until/);
  assert.equal(await janitor.metric('gobtw_janitor_policy{policy="upsert-only"}'), 1);
  assert.equal((await type('resync')).code, 0);
  assert.match((await type('confirm-deletes')).stdout, /nothing was confirmed/);
});

test('watch tells what happens, line by line, until it is stopped', async (t) => {
  const { world, control } = await open(t);
  const watch = startProgram(t, ['watch', '--control', control, '--listen', 'off']);
  await watch.line(/in sync, 2 servers/);
  world.addService('blog', { bind: http, expose: [http], instances: 1 });
  await watch.line(/blog: _18080\._tcp\.blog\.root\.svc created on tcp 0\.0\.0\.0:\d+ \(new\)/);
  world.setBind('blog', `${http}-x`);
  await watch.line(/blog: igw_gobtw_bind 18080\/tcp-x: bad-word: /);
  watch.signal('SIGINT');
  assert.equal((await watch.exited).code, 0);
});

test('the support bundle has what helps and no secret', async (t) => {
  const password = 'p4ssw0rd-that-must-not-leak';
  const { dir, type, world } = await open(t);
  world.cluster.set('typo', 'env.igw_gobtw_healthcheck_probe_send', 'AUTH hunter2');
  const file = join(dir, 'bundle.json.gz');
  const { code, stdout, stderr } = await runProgram(
    t,
    [
      ...['support-bundle', '--file', file, '--control', join(dir, 'janitor.sock'), '--listen', 'off'],
      ...['--gobetween-user', 'admin', '--gobetween', `http://u:${password}@127.0.0.1:1`],
    ],
    { GOBTW_JANITOR_GOBETWEEN_PASSWORD: password },
  );
  assert.equal(code, stderr === '' ? 0 : 64, stderr);
  if (code === 0) {
    assert.match(stdout, /bundle\.json\.gz is written/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = gunzipSync(readFileSync(file)).toString();
    assert.ok(!text.includes(password) && !text.includes('hunter2'));
  }
  const plain = join(dir, 'plain.json');
  await eventually(async () => {
    rmSync(plain, { force: true });
    assert.equal((await type('support-bundle', '--file', plain)).code, 0);
    const text = readFileSync(plain, 'utf8');
    const bundle = JSON.parse(text) as Record<string, unknown>;
    for (const part of [
      'settings',
      'gateway',
      'exposures',
      'problems',
      'events',
      'ports',
      'metrics',
      'services',
    ])
      assert.ok(bundle[part] !== undefined, part);
    assert.match(text, /igw_gobtw_healthcheck_probe_send/);
    assert.ok(!text.includes('hunter2'));
  });
  const again = await type('support-bundle', '--file', plain);
  assert.equal(again.code, 1, 'what is there is not overwritten');
  assert.match(again.stderr, /EEXIST/);
});

test('kill -9 leaves a stale control file, and the next janitor takes its place', async (t) => {
  const { world, control, janitor, type } = await open(t);
  janitor.signal('SIGKILL');
  await janitor.exited;
  assert.equal(existsSync(control), true);
  const next = startJanitor(t, world, { control });
  await next.synced();
  assert.equal((await type('status')).code, 0);
  const rival = startJanitor(t, world, {
    control,
    listen: `127.0.0.1:${world.ports.take()}`,
    policy: 'observe',
  });
  await rival.line(/another living process answers on .*control-unavailable/);
  assert.equal((await type('status')).code, 0, 'the first one still has it');
});

test('plan says how many connections it would drop', async (t) => {
  const world = await openWorld(t);
  const port = world.ports.take();
  world.addService('web', { bind: `${http}-127.0.0.1:${port}`, expose: [http], instances: 2 });
  const janitor = startJanitor(t, world);
  await janitor.synced();
  await janitor.stop();
  const clients = await Promise.all(
    [1, 2, 3].map(async () => {
      const { connect } = await import('node:net');
      return new Promise<{ destroy(): void }>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => resolve(socket));
        socket.on('error', reject);
      });
    }),
  );
  t.after(() => clients.forEach((socket) => socket.destroy()));
  world.cluster.set('web', 'env.igw_gobtw_balance', 'leastconn');
  await eventually(async () => {
    const { code, stdout } = await runProgram(t, ['plan', ...flagsFor(world)]);
    assert.equal(code, 2);
    assert.match(stdout, /^~ _18080\._tcp\.web\.root\.svc .*, drops 3 connections$/m);
    assert.match(stdout, /^It would drop 3 client connections\.$/m);
  });
});
