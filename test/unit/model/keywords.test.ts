import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type KeywordName, keywordTable, keywords } from '../../../src/model/keywords.js';
import { nearestKeyword } from '../../../src/model/nearest-keyword.js';
import { bodiesOf, codesOf, compileEnv } from '../../support/service-config.js';
import { lethal } from '../../support/lethal.js';

type Row = readonly [keyword: string, value: string, path: string, expected: unknown];

/** The value at a path of the body of the tcp word (`udp:` in front: of the udp word). */
function at(env: Record<string, string>, path: string): unknown {
  const compiled = compileEnv(env);
  assert.equal(compiled.verdict, 'served', JSON.stringify(compiled.problems));
  const udp = path.startsWith('udp:');
  const bodies = bodiesOf(compiled).map((body) => JSON.parse(body) as Record<string, unknown>);
  const body = bodies.find(({ protocol }) => (protocol === 'udp') === udp);
  let value: unknown = body;
  for (const name of path.replace('udp:', '').split('.')) value = (value as Record<string, unknown>)[name];
  return value;
}

describe('each keyword sets its field', () => {
  const rows: readonly Row[] = [
    ['igw_gobtw_balance', 'IPHash1', 'balance', 'iphash1'],
    ['igw_gobtw_max_connections', '100', 'max_connections', 100],
    ['igw_gobtw_client_idle_timeout', '1m30s', 'client_idle_timeout', '90s'],
    ['igw_gobtw_client_idle_timeout', '10s', 'udp:client_idle_timeout', '10s'],
    ['igw_gobtw_backend_idle_timeout', '1h', 'backend_idle_timeout', '1h'],
    ['igw_gobtw_backend_connection_timeout', '3s', 'backend_connection_timeout', '3s'],
    ['igw_gobtw_sni', 'read_timeout=1s', 'sni.read_timeout', '1s'],
    ['igw_gobtw_tls', 'cert_path=/t/c key_path=/t/k', 'tls.cert_path', '/t/c'],
    ['igw_gobtw_backends_tls', 'ignore_verify=true', 'backends_tls.ignore_verify', true],
    ['igw_gobtw_udp', 'max_responses=2', 'udp:udp.max_responses', 2],
    ['igw_gobtw_access', 'default=deny', 'access.default', 'deny'],
    ['igw_gobtw_access', 'default=deny', 'udp:access.default', 'deny'],
    ['igw_gobtw_proxy_protocol', 'version=1', 'proxy_protocol.version', '1'],
    ['igw_gobtw_discovery_srv_dns_protocol', 'UDP', 'discovery.srv_dns_protocol', 'udp'],
    ['igw_gobtw_discovery_srv_lookup_server', '10.9.9.9', 'discovery.srv_lookup_server', '10.9.9.9:53'],
    ['igw_gobtw_discovery_srv_lookup_server', '[::1]:5300', 'discovery.srv_lookup_server', '[::1]:5300'],
    ['igw_gobtw_discovery_srv_lookup_pattern', '_1._tcp.x.c', 'discovery.srv_lookup_pattern', '_1._tcp.x.c.'],
    ['igw_gobtw_discovery_failpolicy', 'SetEmpty', 'discovery.failpolicy', 'setempty'],
    ['igw_gobtw_discovery_interval', '500ms', 'discovery.interval', '500ms'],
    ['igw_gobtw_discovery_interval', '0', 'discovery.interval', '0'],
    ['igw_gobtw_discovery_timeout', '1s', 'discovery.timeout', '1s'],
    ['igw_gobtw_healthcheck_kind', 'None', 'healthcheck.kind', 'none'],
    ['igw_gobtw_healthcheck_interval', '1m', 'healthcheck.interval', '1m'],
    ['igw_gobtw_healthcheck_timeout', '100ms', 'healthcheck.timeout', '100ms'],
    ['igw_gobtw_healthcheck_fails', '3', 'healthcheck.fails', 3],
    ['igw_gobtw_healthcheck_passes', '2', 'healthcheck.passes', 2],
    ['igw_gobtw_healthcheck_initial_status', 'Unhealthy', 'healthcheck.initial_status', 'unhealthy'],
  ];
  for (const [name, value, path, expected] of rows) {
    test(`${name} = ${value}`, () => {
      assert.deepEqual(at({ [name]: value }, path), expected);
      const { template } = compileEnv({ [name]: value });
      const field = keywords[name as KeywordName].field;
      assert.ok(template?.setFields.includes(field), `${field} counts as set`);
    });
  }
});

test('nothing set: the documented defaults', () => {
  const [udp, tcp] = [...bodiesOf(compileEnv({}))]
    .map((body) => JSON.parse(body) as Record<string, unknown>)
    .sort((a) => (a['protocol'] === 'udp' ? -1 : 1));
  const common = {
    max_connections: 0,
    backend_idle_timeout: '0',
    backend_connection_timeout: '0',
    balance: 'weight',
    sni: null,
    tls: null,
    backends_tls: null,
    access: null,
    proxy_protocol: null,
  };
  const discovery = {
    kind: 'srv',
    failpolicy: 'keeplast',
    interval: '5s',
    timeout: '5s',
    srv_lookup_server: '10.0.0.1:53',
  };
  assert.deepEqual(tcp, {
    ...common,
    bind: '0.0.0.0:1080',
    protocol: 'tcp',
    client_idle_timeout: '0',
    udp: null,
    discovery: {
      ...discovery,
      srv_lookup_pattern: '_80._tcp.web.root.svc.cluster1.',
      srv_dns_protocol: 'tcp',
    },
    healthcheck: {
      kind: 'ping',
      interval: '2s',
      timeout: '500ms',
      fails: 1,
      passes: 1,
      initial_status: null,
    },
  });
  assert.deepEqual(udp, {
    ...common,
    bind: '0.0.0.0:1053',
    protocol: 'udp',
    client_idle_timeout: '60s'.replace('60s', '1m'),
    udp: { max_requests: 0, max_responses: 0, transparent: false },
    discovery: {
      ...discovery,
      srv_lookup_pattern: '_53._udp.web.root.svc.cluster1.',
      srv_dns_protocol: 'tcp',
    },
    healthcheck: { kind: 'none', interval: '0', timeout: '0', fails: 1, passes: 1, initial_status: null },
  });
});

describe('values that are refused, with a line to write', () => {
  const rows: readonly [string, ...string[]][] = [
    ['igw_gobtw_balance', 'source', 'weight,iphash'],
    ['igw_gobtw_protocol', 'http', 'sctp'],
    ['igw_gobtw_max_connections', '-1', '1.5', 'many', '1e3', '99999999999'],
    ['igw_gobtw_client_idle_timeout', '5', '-1s', 'abc', '1d', '9999999h'],
    ['igw_gobtw_backend_idle_timeout', '10'],
    ['igw_gobtw_backend_connection_timeout', '10'],
    ['igw_gobtw_discovery_srv_dns_protocol', 'tcp-tls'],
    [
      'igw_gobtw_discovery_srv_lookup_server',
      '10.0.0.1:0',
      '10.0.0.1:99999',
      '10.0.0',
      'a b',
      '[::1',
      'ho/st',
      '::1:x',
    ],
    ['igw_gobtw_discovery_srv_lookup_pattern', '.', 'a..b', 'a b', 'é.', `${'a'.repeat(64)}.x`],
    ['igw_gobtw_discovery_failpolicy', 'keep'],
    ['igw_gobtw_discovery_interval', '499ms', '-5s', '5', 'abc', '1ns'],
    ['igw_gobtw_discovery_timeout', '-1s', '5'],
    ['igw_gobtw_healthcheck_kind', 'http'],
    ['igw_gobtw_healthcheck_interval', '0', '100ms', '2', '-2s'],
    ['igw_gobtw_healthcheck_timeout', '-1s', '5'],
    ['igw_gobtw_healthcheck_fails', '0', '-1', 'x'],
    ['igw_gobtw_healthcheck_passes', '0'],
    ['igw_gobtw_healthcheck_initial_status', 'up'],
    ['igw_gobtw_healthcheck_probe_protocol', 'http'],
    ['igw_gobtw_healthcheck_probe_strategy', 'contains'],
    ['igw_gobtw_healthcheck_probe_send', 'a"b', '\\q', '\\xff', 'x'.repeat(1025), 'a\u0000b', '\ud800'],
    ['igw_gobtw_healthcheck_probe_recv_len', '-1', '1025', '4294967296'],
    ['igw_gobtw_healthcheck_exec_command', 'x'.repeat(1025), 'a\u0007'],
    ['dns_port', '0', '65536', 'domain'],
  ];
  for (const [name, ...values] of rows) {
    for (const value of values) {
      test(`${name} = ${JSON.stringify(value).slice(0, 40)}`, () => {
        const compiled = compileEnv({ [name]: value });
        assert.equal(compiled.verdict, 'spoiled');
        assert.deepEqual(codesOf(compiled), ['bad-keyword']);
        assert.equal(compiled.problems[0]?.place, name);
        assert.equal(compiled.words.length, 2, 'its ports stay reserved');
      });
    }
  }
});

describe('warnings', () => {
  const rows: readonly [Record<string, string>, string][] = [
    [{ igw_gobtw_discovery_kind: 'static' }, 'forced-default?'],
    [{ igw_gobtw_discovery_interval: '0' }, 'discovery-once?'],
    [{ igw_gobtw_discovery_timeout: '0' }, 'forced-default?'],
    [{ igw_gobtw_discovery_srv_lookup_server: 'dns.example.com' }, 'lookup-host-name?'],
    [{ igw_gobtw_healthcheck_kind: 'ping' }, 'forced-default?'],
    [{ igw_gobtw_healthcheck_timeout: '2s' }, 'hc-timeout?'],
    [{ igw_gobtw_healthcheck_timeout: '0' }, 'hc-timeout?'],
    [{ igw_gobtw_client_idle_timeout: '0' }, 'forced-default?'],
  ];
  for (const [env, code] of rows) {
    test(JSON.stringify(env), () => {
      const compiled = compileEnv(env);
      assert.deepEqual([compiled.verdict, codesOf(compiled)], ['served', [code]]);
      for (const body of bodiesOf(compiled)) assert.deepEqual(lethal(body), []);
    });
  }
});

describe('the lookup server', () => {
  test("is the cluster's on dns_port, which an own server without a port takes too", () => {
    assert.deepEqual(compileEnv({ dns_port: '5300' }).template?.lookup, { kind: 'cluster', port: 5300 });
    assert.deepEqual(compileEnv({}).template?.lookup, { kind: 'cluster', port: 53 });
    const own = { igw_gobtw_discovery_srv_lookup_server: '10.0.0.9', dns_port: '5300' };
    assert.deepEqual(compileEnv(own).template?.lookup, { kind: 'own', server: '10.0.0.9:5300' });
    const ported = { igw_gobtw_discovery_srv_lookup_server: '10.0.0.9:99', dns_port: '5300' };
    assert.deepEqual(compileEnv(ported).template?.lookup, { kind: 'own', server: '10.0.0.9:99' });
  });
});

test('the table for README has every keyword', () => {
  const table = keywordTable();
  for (const name of Object.keys(keywords)) assert.ok(table.includes(`| \`${name}\` |`), name);
  const [head, , ...rows] = table.split('\n');
  for (const row of rows) assert.equal(row.split(' | ').length, head?.split(' | ').length, row);
});

test('the nearest keyword', () => {
  assert.equal(nearestKeyword('igw_gobtw_binds'), 'igw_gobtw_bind');
  assert.equal(nearestKeyword('IGW_GOBTW_TARGET'), 'igw_gobtw_target_lb');
  assert.equal(nearestKeyword('igw_gobtw_healthcheck_timout'), 'igw_gobtw_healthcheck_timeout');
});
