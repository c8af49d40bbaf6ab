/**
 * GoBetween's server struct as data: every field of reference/gobetween-rest.md §2 in the order GET shows it, each with
 * what it becomes when absent, empty or of the wrong type. Nothing here throws, whatever the input.
 */
import { canonicalAddress } from './address.js';
import { formatListen, parseListen } from './bind.js';
import { canonicalDuration } from './duration.js';

type Read = (value: unknown) => unknown;
export type Schema = readonly (readonly [name: string, read: Read])[];

/** A string; absent, null and `""` become `fallback`. */
const text =
  (fallback = ''): Read =>
  (value) =>
    typeof value === 'string' && value !== '' ? value : fallback;

/** A duration by value. What Go cannot parse stays as it is. */
const duration =
  (fallback: string): Read =>
  (value) => {
    const spelled = typeof value === 'string' && value !== '' ? value : fallback;
    return canonicalDuration(spelled) ?? spelled;
  };

/** The three top-level timeouts are not validated: what Go cannot parse acts as 0. */
const limit: Read = (value) => (typeof value === 'string' ? (canonicalDuration(value) ?? '0') : '0');
const integer: Read = (value) => (Number.isSafeInteger(value) ? Number(value) + 0 : 0);
const positive: Read = (value) => (Number.isSafeInteger(value) && Number(value) > 0 ? value : 1);
const flag: Read = (value) => value === true;
const optional: Read = (value) => (typeof value === 'string' ? value : null);
const strings: Read = (value) =>
  Array.isArray(value) ? value.map((item: unknown) => (typeof item === 'string' ? item : '')) : null;
/** A list that means the same empty as absent. */
const list: Read = (value) => (Array.isArray(value) && value.length > 0 ? strings(value) : null);

/** Host and port in one spelling; `:80` listens like `0.0.0.0:80`. Anything else stays verbatim. */
const bind: Read = (value) => {
  if (typeof value !== 'string') return '';
  const listen = parseListen(value);
  const host = value.slice(0, Math.max(0, value.lastIndexOf(':'))).replace(/^\[(.*)\]$/, '$1');
  if (listen === null || (host !== '' && canonicalAddress(host) === null)) return value;
  return formatListen(listen.addr, listen.port);
};

const object =
  (schema: Schema): Read =>
  (value) =>
    isRecord(value) ? readFields(schema, value) : null;

const tlsCommon: Schema = [
  ['ciphers', list],
  ['min_version', text()],
  ['max_version', text()],
  ['session_tickets', flag],
];

const sni: Schema = [
  ['hostname_matching_strategy', text('exact')],
  ['unexpected_hostname_strategy', text('default')],
  ['read_timeout', duration('2s')],
];

export const udpFields: Schema = [
  ['max_requests', integer],
  ['max_responses', integer],
  ['transparent', flag],
];

/** Everything but discovery and healthcheck. */
export const serverFields: Schema = [
  ['max_connections', integer],
  ['client_idle_timeout', limit],
  ['backend_idle_timeout', limit],
  ['backend_connection_timeout', limit],
  ['bind', bind],
  ['protocol', text('tcp')],
  ['balance', text('weight')],
  ['sni', object(sni)],
  ['tls', object([['acme_hosts', list], ['cert_path', text()], ['key_path', text()], ...tlsCommon])],
  [
    'backends_tls',
    object([
      ['ignore_verify', flag],
      ['root_ca_cert_path', optional],
      ['cert_path', optional],
      ['key_path', optional],
      ...tlsCommon,
    ]),
  ],
  ['udp', object(udpFields)],
  [
    'access',
    object([
      ['default', text('allow')],
      ['rules', list],
    ]),
  ],
  ['proxy_protocol', object([['version', text()]])],
];

export const discoveryFields: Schema = [
  ['kind', text()],
  ['failpolicy', text('keeplast')],
  ['interval', duration('0')],
  ['timeout', duration('0')],
];

const plaintextPattern =
  '^(?P<host>\\S+):(?P<port>\\d+)(\\sweight=(?P<weight>\\d+))?(\\spriority=(?P<priority>\\d+))?' +
  '(\\smax_connections=(?P<max_connections>\\d+))?(\\ssni=(?P<sni>[^\\s]+))?$';

/** Per discovery kind, the group of fields that has an effect. */
export const discoveryGroups: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ['static', [['static_list', strings]]],
  [
    'srv',
    [
      ['srv_lookup_server', text()],
      ['srv_lookup_pattern', text()],
      ['srv_dns_protocol', text('udp')],
    ],
  ],
  ['exec', [['exec_command', strings]]],
  [
    'json',
    [
      ['json_endpoint', text()],
      ['json_host_pattern', text('host')],
      ['json_port_pattern', text('port')],
      ['json_weight_pattern', text('weight')],
      ['json_priority_pattern', text('priority')],
      ['json_sni_pattern', text('sni')],
      ['json_max_connections_pattern', text('max_connections')],
    ],
  ],
  [
    'plaintext',
    [
      ['plaintext_endpoint', text()],
      ['plaintext_regex_pattern', text(plaintextPattern)],
    ],
  ],
  [
    'docker',
    [
      ['docker_endpoint', text()],
      ['docker_container_label', text()],
      ['docker_container_private_port', integer],
      ['docker_container_host_env_var', text()],
      ['docker_tls_enabled', flag],
      ['docker_tls_cert_path', text()],
      ['docker_tls_key_path', text()],
      ['docker_tls_cacert_path', text()],
    ],
  ],
  [
    'consul',
    [
      ['consul_host', text()],
      ['consul_service_name', text()],
      ['consul_service_tag', text()],
      ['consul_service_passing_only', flag],
      ['consul_datacenter', text()],
      ['consul_auth_username', text()],
      ['consul_auth_password', text()],
      ['consul_tls_enabled', flag],
      ['consul_tls_cert_path', text()],
      ['consul_tls_key_path', text()],
      ['consul_tls_cacert_path', text()],
      ['consul_acl_token', text()],
    ],
  ],
  [
    'lxd',
    [
      ['lxd_server_address', text()],
      ['lxd_server_remote_name', text('local')],
      ['lxd_server_remote_password', text()],
      ['lxd_config_directory', text()],
      ['lxd_generate_client_certs', flag],
      ['lxd_accept_server_cert', flag],
      ['lxd_container_label_key', text()],
      ['lxd_container_label_value', text()],
      ['lxd_container_port', integer],
      ['lxd_container_port_key', text()],
      ['lxd_container_interface', text('eth0')],
      ['lxd_container_interface_key', text()],
      ['lxd_container_sni_key', text()],
      ['lxd_container_address_type', text('IPv4')],
    ],
  ],
]);

export const healthcheckFields: Schema = [
  ['kind', text('none')],
  ['interval', duration('0')],
  ['passes', positive],
  ['fails', positive],
  ['timeout', duration('0')],
  ['initial_status', optional],
];

export const healthcheckGroups: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  [
    'exec',
    [
      ['exec_command', text()],
      ['exec_expected_positive_output', text()],
      ['exec_expected_negative_output', text()],
    ],
  ],
  [
    'probe',
    [
      ['probe_protocol', text()],
      ['probe_strategy', text('starts_with')],
      ['probe_send', text()],
      ['probe_recv', text()],
      ['probe_recv_len', integer],
    ],
  ],
]);

export function readFields(
  schema: Schema,
  source: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, read] of schema) result[name] = read(source[name]);
  return result;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
