import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkGoRegexp } from '../../src/model/go-regexp.js';
import { parseDuration } from '../../src/model/duration.js';
import { unquote } from '../../src/model/go-string.js';
import { canonical, digest, normalise } from '../../src/model/normalise.js';
import { observeServer } from '../../src/model/observed.js';
import { bodiesOf, compileEnv } from '../support/service-config.js';
import { type RealGobetween, freePort, gobetweenBin, startGobetween } from '../support/real-gobetween.js';

const skip = gobetweenBin === '' ? 'needs the real load balancer: set GOBETWEEN_BIN' : false;
let gobetween: RealGobetween;
before(async () => {
  if (skip === false) gobetween = await startGobetween();
});
after(async () => {
  if (skip === false) await gobetween.stop();
});

async function bodies(env: Record<string, string>, more = {}): Promise<readonly string[]> {
  const [tcp, udp] = [await freePort(), await freePort()];
  const bind = `80/tcp-127.0.0.1:${tcp} 53/udp-127.0.0.1:${udp}`;
  const compiled = compileEnv({ igw_gobtw_bind: bind, ...env }, more);
  assert.equal(compiled.verdict, 'served', JSON.stringify(compiled.problems));
  return bodiesOf(compiled);
}

const asked: readonly Record<string, string>[] = [
  {},
  { igw_gobtw_balance: 'IPHASH1', igw_gobtw_max_connections: '7', igw_gobtw_client_idle_timeout: '1m30s' },
  { igw_gobtw_backend_idle_timeout: '.5h', igw_gobtw_backend_connection_timeout: '1500ms' },
  { igw_gobtw_sni: 'hostname_matching_strategy=regexp read_timeout=0.5s' },
  {
    igw_gobtw_access:
      'default=deny rules="allow 10.1.2.3/8, deny ::1, allow fe80::/10, allow ::ffff:1.2.3.4"',
  },
  { igw_gobtw_proxy_protocol: 'version=1' },
  { igw_gobtw_backends_tls: 'ignore_verify=yes min_version=tls1.2 ciphers=TLS_AES_128_GCM_SHA256' },
  { igw_gobtw_udp: '{"max_requests":1,"max_responses":999999999999999,"transparent":true}' },
  { igw_gobtw_discovery_interval: '0', igw_gobtw_discovery_timeout: '0' },
  { igw_gobtw_discovery_interval: '2562047h', igw_gobtw_discovery_failpolicy: 'setempty' },
  { igw_gobtw_discovery_srv_lookup_server: '[::1]:5300', igw_gobtw_discovery_srv_lookup_pattern: '_x.y' },
  { igw_gobtw_healthcheck_kind: 'none', igw_gobtw_healthcheck_interval: '7s' },
  {
    igw_gobtw_healthcheck_interval: '200ms',
    igw_gobtw_healthcheck_fails: '3',
    igw_gobtw_healthcheck_initial_status: 'unhealthy',
  },
  {
    igw_gobtw_healthcheck_kind: 'probe',
    igw_gobtw_healthcheck_probe_send: 'a\\"\\\\\\x00é\\u2028<&>',
    igw_gobtw_healthcheck_probe_recv: '\\101\\t\\v\\a😀',
  },
  {
    igw_gobtw_healthcheck_kind: 'probe',
    igw_gobtw_healthcheck_probe_strategy: 'regexp',
    igw_gobtw_healthcheck_probe_send: 'x',
    igw_gobtw_healthcheck_probe_recv: '^\\d+ "OK"\\.$',
    igw_gobtw_healthcheck_probe_recv_len: '9',
  },
];

for (const env of asked) {
  test(`accepted, and shown as an equal server: ${JSON.stringify(env)}`, { skip }, async () => {
    for (const body of await bodies(env)) {
      const name = '_80._tcp.web.root.svc';
      const answer = await gobetween.post(name, body);
      assert.deepEqual(answer, { status: 200, text: 'null' });
      const observed = observeServer(name, await gobetween.get(name));
      assert.equal(observed.canonical, body);
      assert.equal(observed.digest, digest(body));
      await new Promise((resolve) => setTimeout(resolve, 320));
      await gobetween.remove(name);
      assert.ok(gobetween.alive());
    }
  });
}

test('a command is checked only where it is allowed, and complete', { skip }, async () => {
  const env = { igw_gobtw_healthcheck_kind: 'exec', igw_gobtw_healthcheck_exec_command: '/bin/true' };
  const [tcp = ''] = await bodies(env, { allowExec: true });
  assert.equal((await gobetween.post('exec', tcp)).status, 200);
  assert.equal(observeServer('exec', await gobetween.get('exec')).canonical, tcp);
  await gobetween.remove('exec');
});

/** Answers what GoBetween says to a health check, and never lets the check run. */
async function checkStatus(healthcheck: Record<string, unknown>): Promise<number> {
  const discovery = { kind: 'static', static_list: [] };
  const body = {
    bind: `127.0.0.1:${await freePort()}`,
    discovery,
    healthcheck: { interval: '1h', timeout: '1s', ...healthcheck },
  };
  const { status } = await gobetween.post('check', JSON.stringify(body));
  await gobetween.remove('check');
  return status;
}

test('every regular expression we let through compiles in Go', { skip }, async () => {
  const parts = [
    'a',
    '.',
    '\\d',
    '[a-z]',
    '[^x-]',
    '(a|b)',
    '(?:c)',
    '^',
    '$',
    '\\.',
    '{',
    '}',
    '{2}',
    '{1,}',
    '{,3}',
    '*',
    '+',
    '?',
    '|',
    '(',
    ')',
    '(?i)',
    '\\b',
    '[',
    ']',
    'é',
    '\\x41',
    '{01}',
    '-',
  ];
  let accepted = 0;
  for (let round = 0; round < 400; round += 1) {
    const length = 1 + (round % 5);
    const text = Array.from(
      { length },
      (_, index) => parts[(round * 7 + index * (round + 3) * 11) % parts.length],
    ).join('');
    if (checkGoRegexp(text) !== null) continue;
    accepted += 1;
    const probe = {
      kind: 'probe',
      probe_protocol: 'tcp',
      probe_strategy: 'regexp',
      probe_send: 'x',
      probe_recv: text || 'a',
      probe_recv_len: 3,
    };
    assert.equal(await checkStatus(probe), 200, text);
  }
  assert.ok(accepted > 50, `${accepted} accepted`);
});

test('what we unquote is what Go unquotes', { skip }, async () => {
  for (const text of [
    'a',
    '\\n',
    '\\q',
    "\\'",
    '\\"',
    '\\08',
    '\\377',
    '\\400',
    '\\101',
    '\\x4',
    '\\u00e9',
    '\\ud800',
    '\\U0010ffff',
    '\\U00110000',
    '"',
    '\\',
    '\t',
    '\u0001',
    '\r',
  ]) {
    const status = await checkStatus({
      kind: 'probe',
      probe_protocol: 'tcp',
      probe_send: text,
      probe_recv: 'x',
    });
    // \377 is fine in Go, but no text: ours is the narrower rule.
    assert.equal(status === 200, unquote(text) !== null || text === '\\377', JSON.stringify(text));
  }
});

test('what we parse as a duration is what Go parses', { skip }, async () => {
  const texts = [
    '1s',
    '+1s',
    '1.s',
    '.5s',
    '1h1m',
    '1',
    '1d',
    '',
    '0',
    '+0',
    '1µs',
    '1μs',
    '9223372036854775807ns',
    '9223372036854775808ns',
    '2562047h47m16.854775807s',
    '2562047h47m16.854775808s',
    '1e3s',
    ' 1s',
    '0.00000000000000000000001s',
    '1..s',
    '9999999999999999999.5s',
  ];
  for (const text of texts) {
    const status = await checkStatus({ kind: 'none', timeout: text === '' ? 'x' : text });
    assert.equal(status === 200, text !== '' && parseDuration(text) !== null, JSON.stringify(text));
  }
});

test('a foreign body of any shape is shown as our normalisation says', { skip }, async () => {
  const bodiesToTry: readonly Record<string, unknown>[] = [
    { discovery: { kind: 'static', static_list: ['127.0.0.1:1'] }, ACCESS: { Default: 'deny' } },
    {
      discovery: { kind: 'static', static_list: [], interval: '60s', srv_lookup_server: 'x' },
      protocol: '',
      udp: { max_requests: 2 },
    },
    {
      discovery: { kind: 'static', static_list: [] },
      protocol: 'udp',
      client_idle_timeout: '1s',
      sni: {},
      healthcheck: null,
    },
    {
      discovery: { kind: 'static', static_list: [] },
      healthcheck: { kind: 'ping', interval: '1h', fails: -1, probe_send: 'x' },
    },
  ];
  for (const more of bodiesToTry) {
    const body = { bind: `127.0.0.1:${await freePort()}`, ...more };
    assert.equal((await gobetween.post('foreign', JSON.stringify(body))).status, 200);
    assert.equal(
      canonical(normalise(body, 'post')),
      observeServer('foreign', await gobetween.get('foreign')).canonical,
    );
    await new Promise((resolve) => setTimeout(resolve, 320));
    await gobetween.remove('foreign');
  }
  assert.ok(gobetween.alive());
});
