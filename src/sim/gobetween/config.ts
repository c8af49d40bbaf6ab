/** The typed view of a decoded server configuration. Same shape as schema.ts builds; groups sit under Go's names. */
export interface ConnectionOptions {
  max_connections: bigint | null;
  client_idle_timeout: string | null;
  backend_idle_timeout: string | null;
  backend_connection_timeout: string | null;
}

export interface TlsCommon {
  ciphers: string[] | null;
  min_version: string;
  max_version: string;
  session_tickets: boolean;
}

export interface TlsConfig {
  acme_hosts: string[] | null;
  cert_path: string;
  key_path: string;
  tlsCommon: TlsCommon;
}

export interface BackendsTlsConfig {
  ignore_verify: boolean;
  root_ca_cert_path: string | null;
  cert_path: string | null;
  key_path: string | null;
  tlsCommon: TlsCommon;
}

export interface SniConfig {
  hostname_matching_strategy: string;
  unexpected_hostname_strategy: string;
  read_timeout: string;
}

export interface AccessConfig {
  default: string;
  rules: string[] | null;
}

export interface UdpConfig {
  max_requests: bigint;
  max_responses: bigint;
  transparent: boolean;
}

export interface SrvConfig {
  srv_lookup_server: string;
  srv_lookup_pattern: string;
  srv_dns_protocol: string;
}

export interface DiscoveryConfig {
  kind: string;
  failpolicy: string;
  interval: string;
  timeout: string;
  StaticDiscoveryConfig: { static_list: string[] | null } | null;
  SrvDiscoveryConfig: SrvConfig | null;
  DockerDiscoveryConfig: object | null;
  JsonDiscoveryConfig: Record<string, string> | null;
  ExecDiscoveryConfig: { exec_command: string[] | null } | null;
  PlaintextDiscoveryConfig: { plaintext_endpoint: string; plaintext_regex_pattern: string } | null;
  ConsulDiscoveryConfig: object | null;
  LXDDiscoveryConfig: {
    lxd_server_address: string;
    lxd_server_remote_name: string;
    lxd_config_directory: string;
    lxd_container_interface: string;
    lxd_container_address_type: string;
  } | null;
}

export interface ProbeConfig {
  probe_protocol: string;
  probe_strategy: string;
  probe_send: string;
  probe_recv: string;
  probe_recv_len: bigint;
}

export interface ExecCheckConfig {
  exec_command: string;
  exec_expected_positive_output: string;
  exec_expected_negative_output: string;
}

export interface HealthcheckConfig {
  kind: string;
  interval: string;
  passes: bigint;
  fails: bigint;
  timeout: string;
  initial_status: string | null;
  ExecHealthcheckConfig: ExecCheckConfig | null;
  ProbeHealthcheckConfig: ProbeConfig | null;
}

export interface ServerConfig {
  ConnectionOptions: ConnectionOptions;
  bind: string;
  protocol: string;
  balance: string;
  sni: SniConfig | null;
  tls: TlsConfig | null;
  backends_tls: BackendsTlsConfig | null;
  udp: UdpConfig | null;
  access: AccessConfig | null;
  proxy_protocol: { version: string } | null;
  discovery: DiscoveryConfig | null;
  healthcheck: HealthcheckConfig | null;
}

/** What `prepareConfig` leaves behind: nothing that the servers use is null any more. */
export interface PreparedConfig extends ServerConfig {
  ConnectionOptions: {
    max_connections: bigint;
    client_idle_timeout: string;
    backend_idle_timeout: string;
    backend_connection_timeout: string;
  };
  discovery: DiscoveryConfig;
  healthcheck: HealthcheckConfig;
}
