/**
 * Generates services whose keywords are all valid and have an effect together, in every spelling that is accepted: letter
 * case, units, JSON or pairs. `%P` in a bind word is a port that the test fills in.
 */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';

export type EnvTexts = Readonly<Record<string, string>>;

const TLS = fileURLToPath(new URL('../../../test/fixtures/gobetween/tls/', import.meta.url));
export const certificate = `${TLS}c.pem`;
export const privateKey = `${TLS}k.pem`;

type Text = fc.Arbitrary<string>;
type Maybe = fc.Arbitrary<string | undefined>;

/** Present in `share` of ten. */
const maybe = (text: Text, share = 4): Maybe =>
  fc.oneof({ weight: 10 - share, arbitrary: fc.constant(undefined) }, { weight: share, arbitrary: text });

/** The text with letters of any case. */
const cased = (text: Text): Text =>
  fc
    .tuple(text, fc.nat())
    .map(([word, bits]) =>
      [...word].map((char, index) => ((bits >> (index % 30)) & 1 ? char.toUpperCase() : char)).join(''),
    );

const oneOf = (...words: readonly string[]): Text => cased(fc.constantFrom(...words));
const count = (min: number, max: number): Text => fc.integer({ min, max }).map(String);

/** A duration of at least `least` milliseconds, spelled in one of Go's many ways. */
export const duration = (least: number): Text =>
  fc.tuple(fc.integer({ min: least, max: 90_000_000 }), fc.integer({ min: 0, max: 9 })).map(([ms, way]) => {
    const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms / 1000) % 60];
    const ways = [
      `${ms}ms`,
      `${ms}000us`,
      `${ms}000µs`,
      `${ms}000000ns`,
      `${ms / 1000}s`,
      `+${ms}.0ms`,
      `${h}h${m}m${s}s`,
      `${Math.floor(ms / 1000)}s${ms % 1000}ms`,
      `${ms}000μs1ns`,
      `${ms + 1}.5ms`,
    ];
    return ways[way] ?? `${ms}ms`;
  });

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map(([a, b, c]) => `10.${a}.${b}.${c}`);
const ipv6 = fc.oneof(
  fc.constantFrom('::', '::1', 'fe80::1', 'FE80:0::1', '2001:db8:0:0:1::', '::ffff:1.2.3.4', '1::'),
  fc.ipV6(),
);
const rule = fc
  .tuple(
    oneOf('allow', 'deny'),
    fc.oneof(
      ipv4,
      ipv6,
      fc.tuple(ipv4, fc.nat(32)).map(([addr, bits]) => `${addr}/${bits}`),
      fc.tuple(fc.constantFrom('::', 'fe80::', '2001:db8::1'), fc.nat(128)).map((each) => each.join('/')),
    ),
  )
  .map(([verb, target]) => `${verb} ${target}`);

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A section as JSON or as pairs, with the case of its keys changed at times. */
function spell(fields: fc.Arbitrary<Fields>): Text {
  return fc.tuple(fields, fc.boolean(), fc.boolean(), fc.boolean()).map(([section, json, upper, quotes]) => {
    const entries = Object.entries(section).flatMap(([name, value]) =>
      value === undefined ? [] : [[upper ? name.toUpperCase() : name, value] as const],
    );
    if (json) return JSON.stringify(Object.fromEntries(entries));
    return entries
      .map(
        ([name, value]) => `${name}=${quoted(typeof value === 'string' ? value : value.join(','), quotes)}`,
      )
      .join(quotes ? '  ' : ' ');
  });
}

const quoted = (text: string, always: boolean): string =>
  always || /\s/.test(text) ? (text.includes('"') ? `'${text}'` : `"${text}"`) : text;

const record = (fields: Readonly<Record<string, Maybe | fc.Arbitrary<string | readonly string[]>>>) =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<Fields>;

const bool = oneOf('true', 'false', 'yes', 'no', '1', '0');
const suites = oneOf(
  'tls_aes_128_gcm_sha256',
  'tls_ecdhe_rsa_with_aes_256_gcm_sha384',
  'tls_rsa_with_rc4_128_sha',
);
const tlsCommon = {
  ciphers: fc.option(fc.array(suites, { maxLength: 3 }), { nil: undefined }) as never,
  min_version: maybe(oneOf('tls1', 'tls1.1', 'tls1.2')),
  max_version: maybe(oneOf('tls1.2', 'tls1.3')),
  session_tickets: maybe(bool),
};
const files = fc.constantFrom({}, { cert_path: certificate, key_path: privateKey });

export const sections: Readonly<Record<'sni' | 'tls' | 'backends_tls' | 'udp' | 'access' | 'proxy', Text>> = {
  sni: spell(
    record({
      hostname_matching_strategy: maybe(oneOf('exact', 'regexp')),
      unexpected_hostname_strategy: maybe(oneOf('default', 'reject', 'any')),
      read_timeout: maybe(duration(1)),
    }),
  ),
  tls: spell(
    record({ cert_path: fc.constant(certificate), key_path: fc.constant(privateKey), ...tlsCommon }),
  ),
  backends_tls: spell(
    fc
      .tuple(
        record({
          ignore_verify: maybe(bool),
          root_ca_cert_path: maybe(fc.constant(certificate)),
          ...tlsCommon,
        }),
        files,
      )
      .map(([fields, more]) => ({ ...fields, ...more })),
  ),
  udp: spell(
    record({
      max_requests: maybe(count(0, 999_999_999_999_999)),
      max_responses: maybe(count(0, 9)),
      transparent: maybe(bool),
    }),
  ),
  access: spell(
    record({
      default: maybe(oneOf('allow', 'deny')),
      rules: fc.array(rule, { maxLength: 5 }),
    }),
  ),
  proxy: spell(record({ version: fc.constant('1') })),
};

/** Text with Go's escapes that stands for UTF-8 text. */
const piece = fc.constantFrom(
  ...['a', 'PING', '0', ' ', '+', '<&>', 'é', '😀', '\u2028', '\\r\\n', '\\\\', '\\"', '\\x41', '\\x00'],
  ...['\\101', '\\u00e9', '\\U0001F600', '\\a\\b\\f\\v\\t', "'", '$', '%', '[', '\\x7f', '\\u2029', '\ufeff'],
);
export const escaped: Text = fc
  .array(piece, { minLength: 1, maxLength: 12 })
  .map((pieces) => `x${pieces.join('')}`.trim());
const expression: Text = fc
  .tuple(
    fc.constantFrom('', '(?i)'),
    fc.array(
      fc.constantFrom(
        ...['^', '\\d+', '[a-z]*', '(a|b)?', '(?:c){2}', '.', '\\.', '"', 'é', '[^x]+?', '\\x41', '$'],
        ...['a{2,3}', 'b{1,}', '[\\d-]', '\\/', '<&>'],
      ),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([flags, parts]) => `${flags}a${parts.join('x')}`);

const probe = 'igw_gobtw_healthcheck_probe_';
const exec = 'igw_gobtw_healthcheck_exec_';
const kind = 'igw_gobtw_healthcheck_kind';
type Env = Readonly<Record<string, string | undefined>>;
const env = (fields: Readonly<Record<string, Maybe | Text>>): fc.Arbitrary<Env> =>
  fc.record(fields, { noNullPrototype: true });

const probeCommon = { [kind]: oneOf('probe'), [`${probe}protocol`]: maybe(oneOf('tcp', 'udp', 'tls'), 6) };
const check: fc.Arbitrary<Env> = fc.oneof(
  { weight: 2, arbitrary: env({ [kind]: maybe(oneOf('ping', 'none'), 8) }) },
  {
    weight: 2,
    arbitrary: env({
      ...probeCommon,
      [`${probe}strategy`]: maybe(oneOf('starts_with')),
      [`${probe}send`]: escaped,
      [`${probe}recv`]: escaped,
    }),
  },
  {
    weight: 3,
    arbitrary: env({
      ...probeCommon,
      [`${probe}strategy`]: oneOf('regexp'),
      [`${probe}send`]: escaped,
      [`${probe}recv`]: expression,
      [`${probe}recv_len`]: count(1, 1024),
    }),
  },
  {
    weight: 2,
    arbitrary: env({
      [kind]: oneOf('exec'),
      [`${exec}command`]: fc.constantFrom('/bin/true', '/usr/bin/é x', '/bin/sh -c "<&>"'),
      [`${exec}expected_positive_output`]: maybe(fc.constantFrom('1', 'ok "é"', '<&>'), 8),
      [`${exec}expected_negative_output`]: maybe(fc.constantFrom('0', 'no\\n', '\u2028x'), 8),
    }),
  },
);

const common = env({
  igw_gobtw_target_lb: maybe(fc.constantFrom('gw1', 'GW1.', 'gw2  gw1', 'gw1.example.com')),
  igw_gobtw_balance: maybe(oneOf('weight', 'iphash', 'iphash1', 'leastconn', 'roundrobin', 'leastbandwidth')),
  igw_gobtw_max_connections: maybe(count(0, 2 ** 31 - 1)),
  igw_gobtw_client_idle_timeout: maybe(duration(0)),
  igw_gobtw_backend_idle_timeout: maybe(duration(0)),
  igw_gobtw_backend_connection_timeout: maybe(duration(0)),
  igw_gobtw_access: maybe(sections.access),
  igw_gobtw_discovery_kind: maybe(oneOf('srv', 'static', 'docker'), 3),
  igw_gobtw_discovery_srv_dns_protocol: maybe(oneOf('tcp', 'udp', 'udp')),
  igw_gobtw_discovery_srv_lookup_server: maybe(
    fc.constantFrom(
      '127.99.0.2',
      '127.99.0.2:53',
      '::1',
      '[::1]:5300',
      '[::ffff:127.9.9.9]:9',
      'LocalHost:9',
    ),
    3,
  ),
  igw_gobtw_discovery_srv_lookup_pattern: maybe(fc.constantFrom('x', '_1._tcp.Y.z.', 'a-b.c_d')),
  igw_gobtw_discovery_failpolicy: maybe(oneOf('keeplast', 'setempty', 'setempty')),
  igw_gobtw_discovery_interval: maybe(fc.oneof({ weight: 9, arbitrary: duration(500) }, fc.constant('0s'))),
  igw_gobtw_discovery_timeout: maybe(fc.oneof({ weight: 9, arbitrary: duration(1) }, fc.constant('-0'))),
  igw_gobtw_healthcheck_interval: maybe(duration(200)),
  igw_gobtw_healthcheck_timeout: maybe(duration(0)),
  igw_gobtw_healthcheck_fails: maybe(count(1, 2 ** 31 - 1)),
  igw_gobtw_healthcheck_passes: maybe(count(1, 9)),
  igw_gobtw_healthcheck_initial_status: maybe(oneOf('healthy', 'unhealthy')),
  dns_port: maybe(count(1, 65535)),
});

const front = fc.constantFrom(
  '',
  '-:*',
  '-127.0.0.1',
  '-127.0.0.1:%P',
  '-:%P',
  '-0.0.0.0:%P',
  '-[::1]:%P',
  '-[::]:%P',
);
const word = (proto: string): Text =>
  fc.tuple(fc.integer({ min: 1, max: 65535 }), front).map(([port, where]) => `${port}${proto}${where}`);
const words = (proto: Text): Text =>
  fc.array(proto.chain(word), { minLength: 1, maxLength: 2 }).map((each) => each.join(' '));

/** The protocol, the words that go with it, and the sections that such words take. */
const protocol: fc.Arbitrary<Env> = fc.oneof(
  {
    weight: 3,
    arbitrary: env({
      igw_gobtw_bind: words(fc.constantFrom('', '/tcp', '/TCP', '/udp')),
      igw_gobtw_protocol: maybe(oneOf('tcp')),
      igw_gobtw_sni: maybe(sections.sni),
      igw_gobtw_backends_tls: maybe(sections.backends_tls),
      igw_gobtw_udp: maybe(sections.udp),
      igw_gobtw_proxy_protocol: maybe(sections.proxy),
    }),
  },
  {
    weight: 2,
    arbitrary: env({
      igw_gobtw_bind: words(fc.constantFrom('', '/tcp')),
      igw_gobtw_protocol: oneOf('tls'),
      igw_gobtw_tls: sections.tls,
      igw_gobtw_sni: maybe(sections.sni),
      igw_gobtw_backends_tls: maybe(sections.backends_tls),
    }),
  },
  {
    weight: 2,
    arbitrary: env({
      igw_gobtw_bind: words(fc.constantFrom('', '/udp', '/Udp')),
      igw_gobtw_protocol: oneOf('udp'),
      igw_gobtw_udp: maybe(sections.udp, 6),
    }),
  },
);

/** The `[env]` section of a service that every gateway allowing commands serves. */
export const validEnv: fc.Arbitrary<EnvTexts> = fc
  .tuple(common, check, protocol)
  .map(([one, two, three]) =>
    Object.fromEntries(
      Object.entries({ ...one, ...two, ...three }).flatMap(([name, text]) =>
        text === undefined ? [] : [[name, text] as const],
      ),
    ),
  );
