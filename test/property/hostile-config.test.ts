import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeName } from '../../src/model/name.js';
import { canonical, digest, normalise } from '../../src/model/normalise.js';
import { type KeywordName, keywords } from '../../src/model/keywords.js';
import type { ServiceKey } from '../../src/model/service.js';
import { compile } from '../../src/worker/compile.js';
import { assignNames } from '../../src/model/assign-names.js';
import { lethal } from '../support/lethal.js';
import { context, input, renderWord } from '../support/service-config.js';

/** Values that are right somewhere, and wrong, lethal or sly elsewhere. */
const pool = [
  ...[
    'tcp',
    'udp',
    'tls',
    'TLS',
    'weight',
    'iphash1',
    'srv',
    'static',
    'ping',
    'none',
    'probe',
    'exec',
    'keeplast',
    'healthy',
  ],
  ...[
    '0',
    '1',
    '-1',
    '64',
    '1024',
    '1e9',
    '0x10',
    '٣',
    '5s',
    '0s',
    '499ms',
    '1ns',
    '-5s',
    '5',
    'abc',
    '1h',
    '9e9h',
    '.5s',
  ],
  ...[
    'starts_with',
    'regexp',
    '^\\d+$',
    '(',
    'a{1001}',
    'PING\\r\\n',
    '\\xff',
    'a"b',
    '\\',
    '+PONG',
    '(?=x)',
    '[[:alpha:]]',
  ],
  ...[
    '{}',
    '{"version":"1"}',
    'version=1',
    'version=2',
    '{"default":"deny","rules":["allow 1.2.3.4"]}',
    '{"rules":[""]}',
  ],
  ...[
    'max_requests=1',
    'max_requests=18446744073709551615',
    '{"max_requests":-1}',
    '{"max_requests":1e30}',
    'transparent=1',
  ],
  ...[
    'cert_path=/t/c key_path=/t/k',
    'cert_path=/t/c',
    '{"acme_hosts":["a.b"]}',
    'ignore_verify=1',
    'read_timeout=0',
    '{"x":1}',
  ],
  ...[
    '10.0.0.1',
    '10.0.0.1:53',
    '[::1]:53',
    'dns',
    'dns:0',
    '10.0.0',
    '_80._tcp.x',
    'a..b',
    '.',
    'é',
    '/bin/true',
    '{env.x}',
    '$(1)',
  ],
  ...[
    '',
    ' ',
    '\u0000',
    '\n',
    '\ud800',
    '\u202e',
    'x'.repeat(2000),
    '[]',
    'null',
    '{"__proto__":{"a":1}}',
    '"',
    "'",
    'a=\\',
  ],
];
const value = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...pool) },
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const bind = fc
  .array(
    fc.constantFrom(
      '80/tcp',
      '53/udp',
      '443',
      '80/tcp-:81',
      '53-[::1]:53',
      'http/tcp',
      '80/',
      '1/tcp-*:1',
      '\u0000',
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((words) => words.join(' '));
/** Values that a keyword takes, so that most services are served and their servers can be looked at. */
const taken: Partial<Record<KeywordName, readonly string[]>> = {
  igw_gobtw_balance: ['leastconn', 'IPHASH'],
  igw_gobtw_protocol: ['tcp', 'udp', 'tls'],
  igw_gobtw_tls: ['cert_path=/t/root/web/c key_path=/t/root/web/k', '{"acme_hosts":["a.b"]}'],
  igw_gobtw_backends_tls: ['ignore_verify=1', '{}'],
  igw_gobtw_udp: ['max_requests=2', 'max_responses=1', '{"transparent":true}'],
  igw_gobtw_access: ['default=deny rules="allow ::1/64,deny 10.0.0.0/8"'],
  igw_gobtw_proxy_protocol: ['version=1'],
  igw_gobtw_sni: ['{}', 'read_timeout=1ns'],
  igw_gobtw_client_idle_timeout: ['0', '1ns', '2562047h'],
  igw_gobtw_max_connections: ['0', '2147483647'],
  igw_gobtw_discovery_interval: ['0', '500ms', '1h'],
  igw_gobtw_discovery_timeout: ['0', '1ms'],
  igw_gobtw_discovery_srv_lookup_server: ['dns', '::1', '[::ffff:1.2.3.4]:9'],
  igw_gobtw_discovery_srv_lookup_pattern: ['x', '_1._tcp.y.'],
  igw_gobtw_healthcheck_kind: ['probe', 'probe', 'exec', 'none', 'ping'],
  igw_gobtw_healthcheck_timeout: ['0', '1h'],
  igw_gobtw_healthcheck_probe_send: ['PING\\r\\n', 'é', '\\u00e9'],
  igw_gobtw_healthcheck_probe_recv: ['+PONG', '^\\d+$', '\\x00'],
  igw_gobtw_healthcheck_probe_recv_len: ['0', '1', '1024'],
  igw_gobtw_healthcheck_probe_strategy: ['regexp', 'starts_with'],
  igw_gobtw_healthcheck_exec_command: ['/bin/true', '/bin/echo x'],
  dns_port: ['53', '65535'],
};
const others = fc.record(
  Object.fromEntries(
    (Object.keys(keywords) as KeywordName[])
      .filter((name) => name !== 'igw_gobtw_bind')
      .map((name) => {
        const good = taken[name] ?? [''];
        return [name, fc.oneof({ weight: 150, arbitrary: fc.constantFrom('', ...good) }, value)] as const;
      }),
  ),
  {
    noNullPrototype: true,
    requiredKeys: ['igw_gobtw_healthcheck_probe_send', 'igw_gobtw_healthcheck_probe_recv'],
  },
);
const settings = fc.record(
  { allowExec: fc.boolean(), allowAcme: fc.boolean(), tlsDir: fc.constantFrom(null, '/t') },
  { noNullPrototype: true },
);

test('no keyword makes a body that GoBetween refuses or dies of', () => {
  let served = 0;
  fc.assert(
    fc.property(bind, others, settings, fc.boolean(), (words, env, allowed, evaluate) => {
      const all = { ...env, igw_gobtw_bind: words };
      const compiled = compile(input(all, evaluate ? { evaluatedEnv: all } : {}), { ...context, ...allowed });
      const { template } = compiled;
      assert.equal(template === null, compiled.verdict !== 'served');
      if (template === null) return;
      const names = assignNames(
        compiled.key,
        compiled.words.map((word, index) => ({ word, addr: word.addr, port: word.listen ?? 20000 + index })),
        [],
      );
      compiled.words.forEach((word, index) => {
        served += 1;
        const rendered = renderWord(template, word, word.listen ?? 20000 + index, '10.0.0.1:53');
        assert.deepEqual(lethal(rendered.body), [], rendered.body);
        assert.equal(digest(canonical(normalise(JSON.parse(rendered.body), 'post'))), rendered.digest);
        const owner = decodeName(names[index] ?? '');
        assert.equal(owner?.kind === 'ours' && owner.key, compiled.key);
      });
    }),
    { numRuns: 4000 },
  );
  assert.ok(served > 800, `${served} servers were checked`);
});

test('no config at all makes compile throw, and every problem is one line of text', () => {
  const section = fc.dictionary(
    fc.oneof(
      fc.constantFrom(
        'expose',
        'igw_gobtw_bind',
        'igw_gobtw_bind@n1',
        'igw_gobtw_x\n',
        'scaler_slave',
        'dns_port',
      ),
      fc.string(),
    ),
    fc.oneof(value, fc.jsonValue()),
  );
  const config = fc.dictionary(
    fc.constantFrom('DEFAULT', 'env', 'ip#1', '__proto__', 'constructor'),
    fc.oneof(section, fc.jsonValue()),
  );
  const raw = fc.oneof(
    config.map((json) => JSON.stringify(json)),
    fc.json(),
    fc.string(),
  );
  fc.assert(
    fc.property(
      raw,
      fc.option(raw),
      fc.option(fc.string()),
      fc.oneof(fc.constant('root/svc/web'), fc.string()),
      (text, evaluated, loop, path) => {
        const compiled = compile(
          { key: path as ServiceKey, raw: text, evaluated, loop, slave: false },
          context,
        );
        for (const problem of compiled.problems) {
          for (const said of [problem.place, problem.message, problem.keeps, problem.mend]) {
            assert.ok(said.length > 0 && said.length < 700, said);
            assert.doesNotMatch(said, /[\p{Cc}\u202e]/u, JSON.stringify(said));
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});
