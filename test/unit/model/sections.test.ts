import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bodiesOf, codesOf, compileEnv } from '../../support/service-config.js';
import { lethal } from '../../support/lethal.js';

type Name = 'sni' | 'tls' | 'backends_tls' | 'udp' | 'access' | 'proxy_protocol';

function sectionOf(name: Name, text: string, more = {}): unknown {
  const bind = name === 'udp' ? '53/udp' : '80/tcp';
  const compiled = compileEnv({ igw_gobtw_bind: bind, [`igw_gobtw_${name}`]: text }, more);
  assert.equal(compiled.verdict, 'served', JSON.stringify(compiled.problems));
  const [body = '{}'] = bodiesOf(compiled);
  assert.deepEqual(lethal(body), []);
  return (JSON.parse(body) as Record<string, unknown>)[name];
}

describe('both shapes give the same section', () => {
  const rows: readonly [Name, string, string, Record<string, unknown>][] = [
    [
      'access',
      '{"default":"deny","rules":["allow 10.0.0.0/8","Allow  ::1"]}',
      ' default=DENY  rules="allow 10.0.0.0/8, allow ::1"',
      { default: 'deny', rules: ['allow 10.0.0.0/8', 'allow ::1'] },
    ],
    ['access', '{}', 'rules=""', { default: 'allow', rules: null }],
    [
      'udp',
      '{"max_requests":3,"transparent":true,"max_responses":null}',
      "max_requests='3' transparent=yes",
      { max_requests: 3, max_responses: 0, transparent: true },
    ],
    ['proxy_protocol', '{"version":"1"}', 'version=1', { version: '1' }],
    ['proxy_protocol', '{"version":1}', 'VERSION="1"', { version: '1' }],
    [
      'sni',
      '{"hostname_matching_strategy":"regexp"}',
      'hostname_matching_strategy=Regexp',
      { hostname_matching_strategy: 'regexp', unexpected_hostname_strategy: 'default', read_timeout: '2s' },
    ],
    [
      'tls',
      '{"cert_path":"/t/my cert","key_path":"/t/k","ciphers":["tls_aes_128_gcm_sha256"],"min_version":"tls1.2"}',
      'cert_path="/t/my cert" key_path=/t/k ciphers=TLS_AES_128_GCM_SHA256 min_version=TLS1.2',
      {
        acme_hosts: null,
        cert_path: '/t/my cert',
        key_path: '/t/k',
        ciphers: ['TLS_AES_128_GCM_SHA256'],
        min_version: 'tls1.2',
        max_version: '',
        session_tickets: false,
      },
    ],
    [
      'backends_tls',
      '{"ignore_verify":true,"root_ca_cert_path":"/t/ca"}',
      "ignore_verify=1 root_ca_cert_path='/t/'ca",
      {
        ignore_verify: true,
        root_ca_cert_path: '/t/ca',
        cert_path: null,
        key_path: null,
        ciphers: null,
        min_version: '',
        max_version: '',
        session_tickets: false,
      },
    ],
  ];
  for (const [name, json, pairs, expected] of rows) {
    test(`${name} ${pairs}`, () => {
      assert.deepEqual(sectionOf(name, json), expected);
      assert.deepEqual(sectionOf(name, pairs), expected);
    });
  }
});

describe('a wrong shape gets a problem that shows the right line', () => {
  const rows: readonly [Name, ...string[]][] = [
    [
      'sni',
      'none',
      '[]',
      '"x"',
      '{"x":1}',
      'read_timeout=2',
      'read_timeout=0',
      'hostname_matching_strategy=glob',
      '{',
    ],
    [
      'tls',
      'cert_path=/t/c',
      '{}',
      'cert_path=c key_path=k',
      'cert_path=/t/../c key_path=/t/k',
      'cert_path=/t/c/ key_path=/t/k',
      // Reading these may never end, and GoBetween reads under its one lock.
      'cert_path=/proc/kmsg key_path=/t/k',
      'cert_path=/t/c key_path=/dev/zero',
      'cert_path=/sys/x key_path=/t/k',
      'cert_path=/var/run/systemd/x key_path=/t/k',
      'cert_path=/run/initctl key_path=/t/k',
    ],
    [
      'tls',
      '{"cert_path":"/t/c","key_path":"/t/k","ciphers":["BOGUS"]}',
      'cert_path=/t/c key_path=/t/k min_version=ssl3',
    ],
    [
      'tls',
      'cert_path=/t/c key_path=/t/k min_version=tls1.3 max_version=tls1.2',
      '{"cert_path":["/t/c"],"key_path":"/t/k"}',
    ],
    [
      'backends_tls',
      'cert_path=/t/c',
      'key_path=/t/k',
      'root_ca_cert_path=/dev/stdin',
      'ignore_verify=maybe',
      'ignore_verify',
      'ignore_verify=true ignore_verify=false',
    ],
    [
      'udp',
      'max_requests=-1',
      'max_requests=1.5',
      'max_requests="a',
      '{"max_requests":[1]}',
      'x=1',
      '{"__proto__":1}',
      '{"constructor":1}',
    ],
    [
      'access',
      'default=maybe',
      'rules="permit 1.2.3.4"',
      'rules=allow',
      'rules="allow host"',
      'rules="allow 1.2.3.0/33"',
    ],
    [
      'access',
      '{"rules":"allow 1.2.3.4 x"}',
      '{"rules":[1]}',
      '{"rules":{}}',
      'rules="allow 010.0.0.1"',
      'rules="allow fe80::1%eth0"',
    ],
    ['proxy_protocol', 'version=2', '{}', 'version=', '1', 'version=1 x=2'],
  ];
  for (const [name, ...values] of rows) {
    for (const value of values) {
      test(`${name} = ${value}`, () => {
        const compiled = compileEnv({ igw_gobtw_bind: '80/tcp 53/udp', [`igw_gobtw_${name}`]: value });
        assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['bad-section']]);
        assert.notEqual(compiled.problems[0]?.mend, '');
      });
    }
  }
});

describe('limits', () => {
  const rules = (count: number): string =>
    JSON.stringify({ rules: Array.from({ length: count }, (_, i) => `deny 10.0.${i >> 8}.${i & 255}`) });
  test('256 access rules, not 257', () => {
    assert.equal((sectionOf('access', rules(256)) as { rules: unknown[] }).rules.length, 256);
    assert.equal(compileEnv({ igw_gobtw_access: rules(257) }).verdict, 'spoiled');
  });
  test('control characters and endless texts', () => {
    for (const value of ['default=al\u0000low', `default=${'a'.repeat(40_000)}`, 'default=allow\ud800']) {
      assert.equal(compileEnv({ igw_gobtw_access: value }).verdict, 'spoiled');
    }
  });
  test('deeply nested JSON', () => {
    assert.equal(compileEnv({ igw_gobtw_access: `{"rules":${'['.repeat(15_000)}` }).verdict, 'spoiled');
  });
});

describe('certificates', () => {
  test('acme only where the gateway allows it', () => {
    const refused = compileEnv({ igw_gobtw_tls: 'acme_hosts=www.example.com' });
    assert.deepEqual([refused.verdict, codesOf(refused)], ['spoiled', ['not-allowed']]);
    const tls = sectionOf('tls', 'acme_hosts="WWW.example.com, b.example.com"', { allowAcme: true });
    assert.deepEqual((tls as { acme_hosts: unknown }).acme_hosts, ['www.example.com', 'b.example.com']);
    assert.equal(compileEnv({ igw_gobtw_tls: 'acme_hosts="a b"' }, { allowAcme: true }).verdict, 'spoiled');
  });
  test("with --tls-dir only below the service's own folder", () => {
    const tlsDir = '/etc/tls/';
    const own = 'cert_path=/etc/tls/root/web/c key_path=/etc/tls/root/web/sub/k';
    assert.equal(
      (sectionOf('tls', own, { tlsDir }) as { cert_path: string }).cert_path,
      '/etc/tls/root/web/c',
    );
    for (const path of [
      '/etc/tls/root/web2/c',
      '/etc/tls/c',
      '/etc/tls/root/web/../api/c',
      '/etc/tls/root/web',
      '/x',
    ]) {
      for (const line of [`cert_path=${path} key_path=${path}`]) {
        assert.equal(compileEnv({ igw_gobtw_tls: line }, { tlsDir }).verdict, 'spoiled', path);
      }
      assert.equal(
        compileEnv({ igw_gobtw_backends_tls: `root_ca_cert_path=${path}` }, { tlsDir }).verdict,
        'spoiled',
        path,
      );
    }
  });
});
