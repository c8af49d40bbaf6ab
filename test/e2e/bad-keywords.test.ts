import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld, serverName } from '../support/world.js';

type Env = Readonly<Record<string, string>>;

/** What a tenant may write, and the code that must name it. `W` stands for a good word's `<port>/tcp`. */
const hostile: readonly (readonly [what: string, code: string, env: Env])[] = [
  ['65 words', 'too-many-words', { igw_gobtw_bind: Array<string>(65).fill('W').join(' ') }],
  ['a bind of 100 KB', 'bad-word', { igw_gobtw_bind: 'x'.repeat(100_000) }],
  ['port 0', 'bad-word', { igw_gobtw_bind: 'W-:0' }],
  ['a negative port', 'bad-word', { igw_gobtw_bind: '-80/tcp' }],
  ['a port with an exponent', 'bad-word', { igw_gobtw_bind: '1e3/tcp' }],
  ['a zone', 'bad-word', { igw_gobtw_bind: 'W-[fe80::1%eth0]:1024' }],
  ['markup', 'bad-word', { igw_gobtw_bind: '<script>alert(1)</script>' }],
  ['a path', 'bad-word', { igw_gobtw_bind: '../../../etc/passwd' }],
  ['two words alike', 'duplicate-word', { igw_gobtw_bind: 'W-127.0.0.1:20009 W-127.0.0.1:20009' }],
  ['a reserved port', 'port-reserved', { igw_gobtw_bind: 'W-:1215' }],
  ['an interval that ends GoBetween', 'bad-keyword', { igw_gobtw_discovery_interval: 'abc' }],
  ['an interval without a unit', 'bad-keyword', { igw_gobtw_discovery_interval: '5' }],
  ['an interval of a nanosecond', 'bad-keyword', { igw_gobtw_discovery_interval: '1ns' }],
  ['health checks without pause', 'bad-keyword', { igw_gobtw_healthcheck_interval: '0' }],
  [
    'health checks by a command',
    'not-allowed',
    { igw_gobtw_healthcheck_kind: 'exec', igw_gobtw_healthcheck_exec_command: '/bin/sh' },
  ],
  ['static discovery', 'forced-default', { igw_gobtw_discovery_kind: 'static' }],
  ['a number that is none', 'bad-keyword', { igw_gobtw_max_connections: '-1' }],
  ['a number beyond all bounds', 'bad-keyword', { igw_gobtw_max_connections: '9'.repeat(400) }],
  ['tls without a section', 'bad-section', { igw_gobtw_protocol: 'tls' }],
  [
    'a certificate elsewhere',
    'not-allowed',
    { igw_gobtw_protocol: 'tls', igw_gobtw_tls: 'cert_path=/etc/shadow key_path=/etc/shadow' },
  ],
  [
    'a certificate by a detour',
    'bad-section',
    { igw_gobtw_protocol: 'tls', igw_gobtw_tls: 'cert_path=/tls/root/it/../../x key_path=/tls/root/it/k' },
  ],
  ['acme', 'not-allowed', { igw_gobtw_protocol: 'tls', igw_gobtw_tls: '{"acme_hosts":["example.com"]}' }],
  ['a section that is no section', 'bad-section', { igw_gobtw_access: '[1,2' }],
  ['a section of another shape', 'bad-section', { igw_gobtw_access: '{"default":["deny"],"rules":"allow"}' }],
  [
    'a section with a prototype',
    'bad-section',
    { igw_gobtw_access: '{"__proto__":{"default":"allow"},"constructor":1}' },
  ],
  [
    'a section nested without end',
    'bad-section',
    { igw_gobtw_udp: `${'['.repeat(20_000)}${']'.repeat(20_000)}` },
  ],
  [
    '257 access rules',
    'bad-section',
    { igw_gobtw_access: JSON.stringify({ default: 'deny', rules: Array(257).fill('allow 10.0.0.0/8') }) },
  ],
  [
    'a rule that is none',
    'bad-section',
    { igw_gobtw_access: '{"default":"deny","rules":["allow everybody"]}' },
  ],
  [
    'a probe of 2 KiB',
    'bad-keyword',
    {
      igw_gobtw_healthcheck_kind: 'probe',
      igw_gobtw_healthcheck_probe_send: 'x'.repeat(2048),
      igw_gobtw_healthcheck_probe_recv: 'x',
    },
  ],
  [
    'a regexp that is none',
    'bad-keyword',
    {
      igw_gobtw_healthcheck_kind: 'probe',
      igw_gobtw_healthcheck_probe_send: 'x',
      igw_gobtw_healthcheck_probe_recv: '(',
      igw_gobtw_healthcheck_probe_strategy: 'regexp',
    },
  ],
  ['a lookup server that is none', 'bad-keyword', { igw_gobtw_discovery_srv_lookup_server: 'a b:99999' }],
  ['a keyword that nobody knows', 'unknown-keyword', { igw_gobtw_balnace: 'weight' }],
  ['a reference that nothing resolves', 'unresolved-reference', { igw_gobtw_balance: '{env.nothing}' }],
  ['a loop of references', 'reference-loop', { igw_gobtw_balance: '{env.a}', a: '{env.b}', b: '{env.a}' }],
];

describe('bad keywords', () => {
  test('each is named, and touches no other service, and GoBetween lives', async (t) => {
    const world = await openWorld(t, { singles: 80 });
    const http = `${world.ports.take()}/tcp`;
    const bind = `${http}-127.0.0.1:${world.ports.take()}`;
    world.addService('good', { bind, expose: [http], instances: 1 });
    const it = world.addService('it', {
      bind: `${http}-127.0.0.1:${world.ports.take()}`,
      expose: [http],
      instances: 1,
    });
    const janitor = startJanitor(t, world, { 'tls-dir': '/tls', 'log-level': 'warn' });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    await janitor.synced();
    const [good, before] = [world.cluster.configText(it) ?? '', await binds(world)];
    const spawned = (await (await fetch(world.gobetweenUrl)).json()) as { pid: number };

    for (const [what, code, env] of hostile) {
      await t.test(`${what}: ${code}`, async () => {
        const writes = world.writes();
        let text = good;
        for (const [keyword, value] of Object.entries(env)) {
          const line = `${keyword} = ${value.replaceAll('W', http)}`;
          text = text.includes(`\n${keyword} =`)
            ? text.replace(new RegExp(`^${keyword} =.*$`, 'm'), () => line)
            : `${text}${line}\n`;
        }
        world.cluster.edit(it, text);
        await eventually(async () => assert.ok((await janitor.problems(code)) >= 1, `${code} is not raised`));
        assert.deepEqual(world.cluster.spinning, [], 'no loop is sent for evaluation');
        world.cluster.edit(it, good);
        await eventually(async () => assert.equal(await janitor.problems(code), 0));
        await eventually(async () => assert.deepEqual(await binds(world), before));
        // some of it is served with a warning; never is the server deleted for good
        assert.ok(world.writes().deletes - writes.deletes <= 2);
        const line = janitor.raised(code).at(-1);
        assert.ok((line?.msg ?? '').startsWith('it: '), line?.msg);
      });
    }
    await staysSilent(world, 1200);
    const now = (await (await fetch(world.gobetweenUrl)).json()) as { pid: number };
    assert.equal(now.pid, spawned.pid, 'GoBetween was never ended');
    const servers = await world.servers();
    assert.equal(servers[serverName(http, 'good')]?.bind, before[serverName(http, 'good')]);
    assert.equal(janitor.child.exitCode, null);
    assert.ok(janitor.stderr().length < 200_000, 'and nothing huge was logged');
    assert.equal((await janitor.stop()).code, 0);
  });

  test('services named to hurt are named in turn, and the others are served', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const add = (name: string): string =>
      world.addService(name, {
        bind: `${http}-127.0.0.1:${world.ports.take()}`,
        expose: [http],
        instances: 1,
      });
    for (const name of [
      '__proto__',
      'constructor',
      'toString',
      '_80._tcp',
      'a..b',
      `${'l'.repeat(63)}`,
      'ünï',
      'a b',
      'x%2f..',
      '80._tcp.web',
    ])
      add(name);
    const janitor = startJanitor(t, world);
    add('web');
    await eventually(async () => assert.ok(serverName(http, 'web') in (await binds(world))));
    await janitor.synced();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      assert.ok(
        Object.keys(await binds(world)).some((server) => server.includes(`.${name}.`)),
        `${name} is served`,
      );
    }
    const ours = Object.keys(await binds(world)).length + (await janitor.problems('name-unusable'));
    assert.equal(ours, 11, 'each is served or named');
    assert.equal((await janitor.stop()).code, 0);
  });
});
