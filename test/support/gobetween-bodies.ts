/**
 * Arbitrary bodies of POST /servers/:name: valid ones, wrong values, wrong types, odd spellings of JSON, broken JSON.
 * Never a body that ends the process: those are listed in the recordings (12_lethal) one by one.
 */
import fc from 'fast-check';

/** Text that stands for itself in the body: numbers that JavaScript cannot spell. */
const verbatim = (text: string): string => `@verbatim:${text}`;

const numbers = fc.constantFrom(
  0,
  1,
  3,
  -1,
  1.5,
  verbatim('1e2'),
  verbatim('99999999999999999999'),
  verbatim('-0'),
);
const anyType = fc.oneof(numbers, fc.constantFrom<unknown>(null, true, [], {}, [1], { x: 1 }));
const durations = fc.constantFrom('0', '0s', '1s', '500ms', '1m30s', '1.5h', '-1s', '+2s', '', '.5s', '1us');
const badDurations = fc.constantFrom('5', 'abc', '1x', 's', '1 s', '.s', '-', '9999999h', 'é', '1s"');
const words = fc.constantFrom(
  '',
  'x',
  'ping',
  'tcp',
  'TCP',
  'é<&>',
  'a\nb',
  '\u2028',
  'null',
  '\ud83d\ude00',
);

/** Mostly a good value; sometimes another of the right type; rarely one of another type. */
function field(good: fc.Arbitrary<unknown>, other: fc.Arbitrary<unknown> = words): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 100, arbitrary: good },
    { weight: 5, arbitrary: other },
    { weight: 1, arbitrary: anyType },
  );
}

/** The same for what is no text: another text would be a wrong type. */
const typed = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 100, arbitrary: good }, { weight: 1, arbitrary: anyType });

/** Each field there or not. */
const some = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.record(model, { requiredKeys: [], noNullPrototype: true });

const whole = (...values: number[]): fc.Arbitrary<unknown> => fc.constantFrom(...values);
const flag = typed(fc.boolean());
const texts = typed(fc.constantFrom([], ['a'], ['a', 'b'], [null], null));

const staticDiscovery = fc.record(
  {
    kind: fc.constant('static'),
    static_list: fc.constantFrom(
      [],
      null,
      ['127.0.0.1:20999'],
      ['junk', '127.0.0.1:1 weight=3'],
      [null, 'x'],
    ),
    failpolicy: field(fc.constantFrom('keeplast', 'setempty', '')),
    interval: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('0', '', '60s', '0s', '1h0m') },
      { weight: 1, arbitrary: numbers },
    ),
    timeout: field(durations, badDurations),
    srv_lookup_pattern: fc.constantFrom('x.', null),
    exec_command: texts,
    docker_container_private_port: typed(whole(0, 80, -1)),
    consul_tls_enabled: flag,
    lxd_container_port: typed(whole(1)),
    json_host_pattern: field(fc.constantFrom('h', '')),
  },
  { requiredKeys: ['kind', 'static_list'], noNullPrototype: true },
);

const srvDiscovery = fc.record(
  {
    kind: fc.constant('srv'),
    srv_lookup_server: field(fc.constantFrom('127.0.0.1:20953', '', '127.0.0.1')),
    srv_lookup_pattern: field(fc.constantFrom('_80._tcp.svc1.ns1.svc.c.', 'x', '')),
    srv_dns_protocol: field(fc.constantFrom('udp', 'tcp', ''), fc.constantFrom('tcp-tls', 'TCP')),
    interval: fc.constantFrom('5s', '0', '60s', ''),
    timeout: field(durations, badDurations),
    failpolicy: field(fc.constantFrom('keeplast', 'setempty', '')),
  },
  { requiredKeys: ['kind'], noNullPrototype: true },
);

const otherDiscovery = fc.constantFrom<unknown>(
  {},
  { kind: 'foo' },
  { kind: '' },
  { kind: 'STATIC', static_list: [] },
  { kind: 'json' },
  { kind: 'json', json_endpoint: 'http://127.0.0.1:1/', interval: '60s', json_port_pattern: 'p' },
  { kind: 'plaintext' },
  { kind: 'plaintext', plaintext_endpoint: 'http://127.0.0.1:1/', interval: '60s' },
  { kind: 'lxd' },
  { kind: 'lxd', lxd_server_address: '' },
  { kind: 'lxd', lxd_server_address: 'ftp:x' },
  { kind: 'lxd', lxd_server_address: 'unix:///x', lxd_container_address_type: 'IPv5' },
  { kind: 'exec', exec_command: ['/bin/true'], interval: '60s' },
  null,
  [],
  'srv',
);

const discovery = fc.oneof(
  { weight: 12, arbitrary: staticDiscovery },
  { weight: 6, arbitrary: srvDiscovery },
  { weight: 2, arbitrary: otherDiscovery },
);

const escapes = fc.constantFrom(
  'a',
  'PING\\r\\n',
  '\\x41',
  '\\u00e9',
  '\\101',
  '\\q',
  '"',
  'a\n',
  '',
  "\\'",
  '\\xff',
);
const healthcheck = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record(
      {
        kind: field(fc.constantFrom('ping', 'ping', 'none', 'probe'), fc.constantFrom('', 'PING', 'http')),
        interval: field(fc.constantFrom('2s', '1m', '500ms'), fc.oneof(durations, badDurations)),
        timeout: field(durations, badDurations),
        fails: typed(whole(1, 3, 0, -2)),
        passes: typed(whole(1, 2, 0)),
        initial_status: field(fc.constantFrom('healthy', 'unhealthy', null)),
        probe_protocol: field(fc.constantFrom('tcp', 'udp', 'tls')),
        probe_strategy: field(fc.constantFrom('starts_with', 'regexp', '')),
        probe_send: field(escapes, escapes),
        probe_recv: field(
          fc.oneof(escapes, fc.constantFrom('^a+$', '(', ')', '[', '*', 'a**', '(?=a)', '[a-z]{2}')),
        ),
        probe_recv_len: typed(whole(0, 1, 5)),
        exec_expected_positive_output: field(words),
      },
      { requiredKeys: ['kind'], noNullPrototype: true },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>({}, null, [], 'ping', {
      kind: 'exec',
      interval: '60s',
      exec_command: '',
    }),
  },
);

/** `tlsFolder` ends with a slash and holds c.pem, k.pem and junk.pem; `ports` are those that servers may take. */
export function arbitraryBody(tlsFolder: string, ports: readonly number[]): fc.Arbitrary<string> {
  const file = fc.constantFrom(
    ...['c.pem', 'k.pem', 'junk.pem', 'none.pem', '', '.'].map((name) =>
      name === '' ? '' : tlsFolder + name,
    ),
  );
  const common = {
    ciphers: texts,
    min_version: field(fc.constantFrom('tls1.2', 'tls1', '', 'bogus')),
    max_version: field(fc.constantFrom('tls1.3', '')),
    session_tickets: flag,
  };
  const good = (name: string): fc.Arbitrary<unknown> => field(fc.constant(tlsFolder + name), file);
  const bind = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...ports.map((port) => `127.0.0.1:${port}`)) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...ports.map((port) => `0.0.0.0:${port}`),
        `[::]:${ports[0]}`,
        `:${ports[1]}`,
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(`[::1]:${ports[0]}`, `localhost:${ports[1]}`, '192.0.2.1:80') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...[
          '',
          '127.0.0.1',
          '127.0.0.1:70000',
          '127.0.0.1:-1',
          '127.0.0.1:+x',
          'a b:80',
          '::1:21903',
          '*:21904',
        ],
        ...[
          '[::1',
          '[::1]',
          '[::1]x:1',
          '[[::1]:1',
          ']:1',
          '[:1',
          'a]:1',
          '127.0.0.1:nosuch',
          ' 127.0.0.1:1',
        ],
        ...['\u0000:1', 'é:1', '127.0.0.1:99999999999', '1.2.3:80:', '256.0.0.1:1'],
      ),
    },
  );
  const server = fc.record(
    {
      bind: field(bind, bind),
      discovery,
      max_connections: typed(whole(0, 1, 100, -5)),
      client_idle_timeout: field(durations, badDurations),
      backend_idle_timeout: field(durations, badDurations),
      backend_connection_timeout: field(durations, badDurations),
      protocol: field(fc.constantFrom('tcp', 'tcp', 'tcp', 'udp', 'tls', '')),
      balance: field(
        fc.constantFrom('weight', 'leastconn', 'roundrobin', 'leastbandwidth', 'iphash', 'iphash1', ''),
      ),
      sni: typed(
        some({
          hostname_matching_strategy: field(fc.constantFrom('exact', 'regexp', '')),
          unexpected_hostname_strategy: field(fc.constantFrom('default', 'reject', 'any', '')),
          read_timeout: field(durations, badDurations),
        }),
      ),
      tls: typed(some({ acme_hosts: texts, cert_path: good('c.pem'), key_path: good('k.pem'), ...common })),
      backends_tls: typed(
        some({
          ignore_verify: flag,
          root_ca_cert_path: fc.oneof(file, fc.constant(null)),
          cert_path: good('c.pem'),
          key_path: good('k.pem'),
          ...common,
        }),
      ),
      udp: typed(
        some({ max_requests: typed(whole(0, 1, 2)), max_responses: typed(whole(0, 1)), transparent: flag }),
      ),
      access: typed(
        some({
          default: field(fc.constantFrom('allow', 'deny', '')),
          rules: field(
            fc.constantFrom(null, [], ['allow 10.0.0.0/8', 'deny ::1'], ['allow fe80::/10']),
            fc.constantFrom(
              ...[
                ['allow'],
                ['allow  1.2.3.4'],
                ['permit 1.1.1.1'],
                ['allow 1.2.3.4/33'],
                ['allow 01.2.3.4'],
              ],
              ...[
                ['deny ::1/129'],
                ['deny ::ffff:1.2.3.4'],
                ['allow x'],
                ['allow 1.2.3.0/'],
                ['allow fe80::1%lo'],
              ],
            ),
          ),
        }),
      ),
      proxy_protocol: typed(some({ version: field(fc.constantFrom('1', '1', '2', '')) })),
      healthcheck,
      unknown: fc.constantFrom<unknown>(1, { a: [] }),
    },
    { requiredKeys: ['bind', 'discovery'], noNullPrototype: true },
  );
  // Most bodies say little, so that many are accepted.
  const sparse = fc
    .tuple(server, fc.infiniteStream(fc.nat(5)))
    .map(([body, dice]) =>
      Object.fromEntries(
        Object.entries(body).filter(
          ([key]) => key === 'bind' || key === 'discovery' || dice.next().value === 0,
        ),
      ),
    );
  const text = fc.oneof({ weight: 3, arbitrary: sparse }, { weight: 1, arbitrary: server }).map(spell);
  return fc.oneof(
    { weight: 20, arbitrary: text },
    {
      weight: 2,
      arbitrary: text.map((body) =>
        body.replace(/"([a-z])(?=[a-z_]*":)/g, (_, c: string) => `"${c.toUpperCase()}`),
      ),
    },
    { weight: 2, arbitrary: fc.tuple(text, text).map(([one, other]) => merged(one, other)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(text, fc.constantFrom(' garbage', '}', '\n\n{}', ','))
        .map((parts) => parts.join('')),
    },
    { weight: 3, arbitrary: broken(text) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        ' ',
        'null',
        'nul',
        '[]',
        '1',
        '-',
        '"x"',
        '{}',
        'truex',
        '{"a":1}',
        '\ufeff{}',
        '{"a":tru}',
      ),
    },
  );
}

const spell = (body: object): string => JSON.stringify(body).replace(/"@verbatim:([^"]*)"/g, '$1');

/** Two objects in one: keys come twice, objects merge. The discovery of the second would make a static list vanish. */
function merged(one: string, other: string): string {
  const rest = other.replace(/"discovery":\{[^{}]*\},?/, '').replace(/,\}$/, '}');
  return rest.length < 3 || /"discovery"/.test(rest) ? one : `${one.slice(0, -1)},${rest.slice(1)}`;
}

/** Cut short, or with a byte that no JSON can hold there: never a different valid body. */
function broken(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  return fc.tuple(text, at, fc.constantFrom('cut', '\u0001', '"', '\\q')).map(([body, where, how]) => {
    const i = 1 + Math.floor(where * (body.length - 1));
    return how === 'cut' ? body.slice(0, i) : body.slice(0, i) + how + body.slice(i);
  });
}
