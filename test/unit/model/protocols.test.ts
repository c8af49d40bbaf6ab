import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile } from '../../../src/worker/compile.js';
import { lethal } from '../../support/lethal.js';
import { bodiesOf, codesOf, compileEnv, context, input } from '../../support/service-config.js';

type Body = Readonly<Record<string, unknown>>;

function bodies(env: Record<string, string>, more = {}): readonly Body[] {
  const compiled = compileEnv(env, more);
  assert.equal(compiled.verdict, 'served', JSON.stringify(compiled.problems));
  const texts = bodiesOf(compiled);
  for (const text of texts) assert.deepEqual(lethal(text), [], text);
  return texts.map((text) => JSON.parse(text) as Body);
}

const files = 'cert_path=/t/c key_path=/t/k';

describe('protocol', () => {
  test('tls applies to tcp words only', () => {
    const [tcp, udp] = bodies({ igw_gobtw_protocol: 'TLS', igw_gobtw_tls: files });
    assert.deepEqual([tcp?.['protocol'], udp?.['protocol'], udp?.['tls']], ['tls', 'udp', null]);
  });
  test('tls wants a section', () => {
    const compiled = compileEnv({ igw_gobtw_protocol: 'tls' });
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['bad-section']]);
    assert.match(compiled.problems[0]?.mend ?? '', /igw_gobtw_tls = cert_path=/);
  });
  test('udp applies to words without a protocol, and contradicts /tcp', () => {
    const [only] = bodies({ igw_gobtw_protocol: 'udp', igw_gobtw_bind: '53-:1053' });
    const discovery = only?.['discovery'] as Body;
    assert.deepEqual(
      [only?.['protocol'], discovery['srv_lookup_pattern']],
      ['udp', '_53._udp.web.root.svc.cluster1.'],
    );
    const compiled = compileEnv({ igw_gobtw_protocol: 'udp', igw_gobtw_bind: '53 53/tcp' });
    assert.deepEqual([compiled.verdict, compiled.words.length, compiled.badWords], ['served', 1, true]);
    assert.deepEqual(codesOf(compiled), ['bad-word']);
    assert.match(compiled.problems[0]?.place ?? '', /53\/tcp/);
  });
  test('a tls section on protocol tcp ends TLS, as GoBetween does', () => {
    const [tcp] = bodies({ igw_gobtw_tls: files });
    assert.deepEqual([tcp?.['protocol'], (tcp?.['tls'] as Body)['cert_path']], ['tcp', '/t/c']);
  });
});

describe('sections that do not fit a protocol', () => {
  test('tcp sections never reach a udp word, udp never a tcp word', () => {
    const env = {
      igw_gobtw_backends_tls: 'ignore_verify=yes',
      igw_gobtw_sni: '{}',
      igw_gobtw_proxy_protocol: 'version=1',
    };
    const [tcp, udp] = bodies({ ...env, igw_gobtw_udp: 'max_responses=1' });
    assert.deepEqual(
      [udp?.['backends_tls'], udp?.['sni'], udp?.['proxy_protocol'], tcp?.['udp']],
      [null, null, null, null],
    );
    assert.notEqual(tcp?.['backends_tls'], null);
  });
  test('the proxy protocol goes with tcp, not with tls', () => {
    const compiled = compileEnv({
      igw_gobtw_protocol: 'tls',
      igw_gobtw_tls: files,
      igw_gobtw_proxy_protocol: 'version=1',
    });
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['bad-section']]);
  });
  test('a section without any word to apply to: a warning', () => {
    for (const [bind, env] of [
      ['53/udp', { igw_gobtw_backends_tls: 'ignore_verify=yes' }],
      ['53/udp', { igw_gobtw_tls: files }],
      ['53/udp', { igw_gobtw_sni: '{}' }],
      ['80/tcp', { igw_gobtw_udp: 'max_responses=1' }],
    ] as const) {
      const compiled = compileEnv({ igw_gobtw_bind: bind, ...env });
      assert.deepEqual(
        [compiled.verdict, codesOf(compiled)],
        ['served', ['bad-section?']],
        JSON.stringify(env),
      );
    }
  });
});

describe('udp sessions always end', () => {
  const idle = (env: Record<string, string>): unknown =>
    bodies({ igw_gobtw_bind: '53/udp', ...env })[0]?.['client_idle_timeout'];
  test('60s where nothing else ends them, an explicit 0 included', () => {
    assert.equal(idle({}), '1m');
    assert.equal(idle({ igw_gobtw_client_idle_timeout: '0s' }), '1m');
    assert.equal(idle({ igw_gobtw_udp: 'transparent=true' }), '1m');
  });
  test('not where something does', () => {
    assert.equal(idle({ igw_gobtw_client_idle_timeout: '5s' }), '5s');
    assert.equal(idle({ igw_gobtw_backend_idle_timeout: '5s' }), '0');
    assert.equal(idle({ igw_gobtw_udp: 'max_responses=1' }), '0');
    assert.equal(idle({ igw_gobtw_udp: '{"max_requests":1}' }), '0');
  });
  test('more requests than one are a limit that GoBetween does not keep', () => {
    assert.equal(idle({ igw_gobtw_udp: 'max_requests=2' }), '1m');
  });
});

describe('health checks', () => {
  const prefix = 'igw_gobtw_healthcheck_';
  const env = (values: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
  const check = (values: Record<string, string>, more = {}): Body =>
    bodies({ igw_gobtw_bind: '80/tcp', ...env(values) }, more)[0]?.['healthcheck'] as Body;
  test('a probe that compares text sends it in Go’s escapes', () => {
    const probe = check({ kind: 'probe', probe_send: 'PING\\r\\n', probe_recv: '+PONG\\x21' });
    assert.deepEqual(
      [
        probe['probe_protocol'],
        probe['probe_strategy'],
        probe['probe_send'],
        probe['probe_recv'],
        probe['probe_recv_len'],
      ],
      ['tcp', 'starts_with', 'PING\\r\\n', '+PONG!', 0],
    );
  });
  test('a probe speaks the protocol of its word', () => {
    const [udp] = bodies({
      igw_gobtw_bind: '53/udp',
      ...env({ kind: 'probe', probe_send: 'a', probe_recv: 'b' }),
    });
    assert.equal((udp?.['healthcheck'] as Body)['probe_protocol'], 'udp');
  });
  test('a probe with a regular expression, whose counts are no references', () => {
    const values = env({
      kind: 'probe',
      probe_strategy: 'regexp',
      probe_send: 'a',
      probe_recv: '^\\d{3} OK{1,2}',
      probe_recv_len: '6',
    });
    const all = { igw_gobtw_bind: '80/tcp', ...values };
    const compiled = compile(input(all, { evaluatedEnv: all }), context);
    assert.equal(compiled.verdict, 'served', JSON.stringify(compiled.problems));
    const [body = '{}'] = bodiesOf(compiled);
    assert.deepEqual(lethal(body), []);
    const probe = (JSON.parse(body) as Body)['healthcheck'] as Body;
    assert.deepEqual([probe['probe_recv'], probe['probe_recv_len']], ['^\\d{3} OK{1,2}', 6]);
  });
  const spoiled: readonly Record<string, string>[] = [
    { kind: 'probe' },
    { kind: 'probe', probe_send: 'a' },
    { kind: 'probe', probe_recv: 'a' },
    { kind: 'probe', probe_send: 'a', probe_recv: 'a"' },
    { kind: 'probe', probe_send: 'a', probe_recv: 'b', probe_recv_len: '1' },
    { kind: 'probe', probe_send: 'a', probe_recv: '(', probe_recv_len: '3', probe_strategy: 'regexp' },
    { kind: 'probe', probe_send: 'a', probe_recv: 'x', probe_strategy: 'regexp' },
    { kind: 'probe', probe_send: 'a', probe_recv: 'x', probe_recv_len: '0', probe_strategy: 'regexp' },
    { kind: 'probe', probe_send: 'a', probe_recv: '\\1', probe_recv_len: '3', probe_strategy: 'regexp' },
  ];
  for (const values of spoiled) {
    test(`refused: ${JSON.stringify(values)}`, () => {
      const compiled = compileEnv({ igw_gobtw_bind: '80/tcp', ...env(values) });
      assert.equal(compiled.verdict, 'spoiled');
      assert.ok(codesOf(compiled).every((code) => code === 'bad-keyword'));
    });
  }
  test('exec only where the gateway allows it, and with a command', () => {
    const exec = env({ kind: 'exec', exec_command: '/usr/bin/check' });
    const refused = compileEnv(exec);
    assert.deepEqual([refused.verdict, codesOf(refused)], ['spoiled', ['not-allowed']]);
    const [tcp] = bodies(exec, { allowExec: true });
    assert.equal((tcp?.['healthcheck'] as Body)['exec_command'], '/usr/bin/check');
    assert.equal(compileEnv(env({ kind: 'exec' }), { allowExec: true }).verdict, 'spoiled');
  });
});
