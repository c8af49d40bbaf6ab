/**
 * GoBetween's configuration as Go declares it: field order, types and embedding. The decoder, the encoders and the
 * stand-in's own types all follow this table. Source: config/config.go; reference/gobetween-rest.md §2.
 * An embedded pointer is a group that is all or nothing; it is null until one of its fields is named.
 */
export type LeafType = 'string' | 'int' | 'int64' | 'uint64' | 'bool' | 'strings';

export interface Leaf {
  readonly key: string;
  readonly type: LeafType;
  /** Go `*T`: null when absent. */
  readonly pointer?: true;
  /** Go `omitempty`: not shown when zero. */
  readonly omitEmpty?: true;
}

export interface Embedded {
  readonly embed: string;
  readonly pointer: boolean;
  readonly fields: readonly Leaf[];
}

/** A field that points to a struct. */
export interface Nested {
  readonly key: string;
  readonly struct: Struct;
}

export type Field = Leaf | Embedded | Nested;

export interface Struct {
  readonly name: string;
  readonly fields: readonly Field[];
}

const text = (...keys: string[]): Leaf[] => keys.map((key) => ({ key, type: 'string' }));
const bool = (key: string): Leaf => ({ key, type: 'bool' });
const list = (key: string): Leaf => ({ key, type: 'strings' });
const optionalText = (key: string): Leaf => ({ key, type: 'string', pointer: true });
const group = (embed: string, ...fields: Leaf[]): Embedded => ({ embed, pointer: true, fields });

const CONNECTION_OPTIONS: Embedded = {
  embed: 'ConnectionOptions',
  pointer: false,
  fields: [
    { key: 'max_connections', type: 'int', pointer: true },
    optionalText('client_idle_timeout'),
    optionalText('backend_idle_timeout'),
    optionalText('backend_connection_timeout'),
  ],
};

const tlsCommon: Embedded = {
  embed: 'tlsCommon',
  pointer: false,
  fields: [list('ciphers'), ...text('min_version', 'max_version'), bool('session_tickets')],
};

const DISCOVERY: Struct = {
  name: 'DiscoveryConfig',
  fields: [
    ...text('kind', 'failpolicy', 'interval', 'timeout'),
    group('StaticDiscoveryConfig', list('static_list')),
    group('SrvDiscoveryConfig', ...text('srv_lookup_server', 'srv_lookup_pattern', 'srv_dns_protocol')),
    group(
      'DockerDiscoveryConfig',
      ...text('docker_endpoint', 'docker_container_label'),
      { key: 'docker_container_private_port', type: 'int64' },
      ...text('docker_container_host_env_var'),
      bool('docker_tls_enabled'),
      ...text('docker_tls_cert_path', 'docker_tls_key_path', 'docker_tls_cacert_path'),
    ),
    group(
      'JsonDiscoveryConfig',
      ...text('json_endpoint', 'json_host_pattern', 'json_port_pattern', 'json_weight_pattern'),
      ...text('json_priority_pattern', 'json_sni_pattern', 'json_max_connections_pattern'),
    ),
    group('ExecDiscoveryConfig', list('exec_command')),
    group('PlaintextDiscoveryConfig', ...text('plaintext_endpoint', 'plaintext_regex_pattern')),
    group(
      'ConsulDiscoveryConfig',
      ...text('consul_host', 'consul_service_name', 'consul_service_tag'),
      bool('consul_service_passing_only'),
      ...text('consul_datacenter', 'consul_auth_username', 'consul_auth_password'),
      bool('consul_tls_enabled'),
      ...text('consul_tls_cert_path', 'consul_tls_key_path', 'consul_tls_cacert_path', 'consul_acl_token'),
    ),
    group(
      'LXDDiscoveryConfig',
      ...text('lxd_server_address', 'lxd_server_remote_name', 'lxd_server_remote_password'),
      ...text('lxd_config_directory'),
      bool('lxd_generate_client_certs'),
      bool('lxd_accept_server_cert'),
      ...text('lxd_container_label_key', 'lxd_container_label_value'),
      { key: 'lxd_container_port', type: 'int' },
      ...text('lxd_container_port_key', 'lxd_container_interface', 'lxd_container_interface_key'),
      ...text('lxd_container_sni_key', 'lxd_container_address_type'),
    ),
  ],
};

const HEALTHCHECK: Struct = {
  name: 'HealthcheckConfig',
  fields: [
    ...text('kind', 'interval'),
    { key: 'passes', type: 'int' },
    { key: 'fails', type: 'int' },
    ...text('timeout'),
    optionalText('initial_status'),
    group(
      'ExecHealthcheckConfig',
      { key: 'exec_command', type: 'string', omitEmpty: true },
      ...text('exec_expected_positive_output', 'exec_expected_negative_output'),
    ),
    group('ProbeHealthcheckConfig', ...text('probe_protocol', 'probe_strategy', 'probe_send', 'probe_recv'), {
      key: 'probe_recv_len',
      type: 'int',
    }),
  ],
};

const struct = (name: string, ...fields: Field[]): Struct => ({ name, fields });

export const SERVER: Struct = struct(
  'Server',
  CONNECTION_OPTIONS,
  ...text('bind', 'protocol', 'balance'),
  {
    key: 'sni',
    struct: struct(
      'Sni',
      ...text('hostname_matching_strategy', 'unexpected_hostname_strategy', 'read_timeout'),
    ),
  },
  { key: 'tls', struct: struct('Tls', list('acme_hosts'), ...text('cert_path', 'key_path'), tlsCommon) },
  {
    key: 'backends_tls',
    struct: struct(
      'BackendsTls',
      bool('ignore_verify'),
      optionalText('root_ca_cert_path'),
      optionalText('cert_path'),
      optionalText('key_path'),
      tlsCommon,
    ),
  },
  {
    key: 'udp',
    struct: struct(
      'Udp',
      { key: 'max_requests', type: 'uint64' },
      { key: 'max_responses', type: 'uint64' },
      bool('transparent'),
    ),
  },
  { key: 'access', struct: struct('AccessConfig', ...text('default'), list('rules')) },
  { key: 'proxy_protocol', struct: struct('ProxyProtocol', ...text('version')) },
  { key: 'discovery', struct: DISCOVERY },
  { key: 'healthcheck', struct: HEALTHCHECK },
);

/** Any decoded struct; integers are bigint, as Go keeps all 64 bits. */
export type GoValue = string | bigint | boolean | null | (string | null)[] | GoStruct;
export interface GoStruct {
  [key: string]: GoValue;
}

/** The value a Go struct has before anything is decoded into it. */
export function zeroStruct(shape: { readonly fields: readonly Field[] }): GoStruct {
  const zero: GoStruct = {};
  for (const field of shape.fields) {
    if ('embed' in field) zero[field.embed] = field.pointer ? null : zeroStruct(field);
    else zero[field.key] = 'struct' in field ? null : zeroLeaf(field);
  }
  return zero;
}

function zeroLeaf(leaf: Leaf): GoValue {
  if (leaf.pointer === true || leaf.type === 'strings') return null;
  if (leaf.type === 'string') return '';
  return leaf.type === 'bool' ? false : 0n;
}
