/**
 * A GoBetween server's configuration as its REST API shows it (reference/gobetween-rest.md §2), after normalisation.
 * Invariant: values are made by `normalise` only, so keys stand in one order, defaults are filled in and durations are in
 * canonical text; the groups of other discovery and health-check kinds are left out, as they have no effect.
 */
interface TlsCommonConfig {
  readonly ciphers: readonly string[] | null;
  readonly min_version: string;
  readonly max_version: string;
  readonly session_tickets: boolean;
}

interface SniConfig {
  readonly hostname_matching_strategy: string;
  readonly unexpected_hostname_strategy: string;
  readonly read_timeout: string;
}

interface TlsConfig extends TlsCommonConfig {
  readonly acme_hosts: readonly string[] | null;
  readonly cert_path: string;
  readonly key_path: string;
}

interface BackendsTlsConfig extends TlsCommonConfig {
  readonly ignore_verify: boolean;
  readonly root_ca_cert_path: string | null;
  readonly cert_path: string | null;
  readonly key_path: string | null;
}

interface UdpConfig {
  readonly max_requests: number;
  readonly max_responses: number;
  readonly transparent: boolean;
}

interface AccessConfig {
  readonly default: string;
  readonly rules: readonly string[] | null;
}

interface ProxyProtocolConfig {
  readonly version: string;
}

/** Other kinds than srv carry their own fields beside these. */
interface DiscoveryConfig {
  readonly kind: string;
  readonly failpolicy: string;
  readonly interval: string;
  readonly timeout: string;
  readonly srv_lookup_server?: string;
  readonly srv_lookup_pattern?: string;
  readonly srv_dns_protocol?: string;
}

interface HealthcheckConfig {
  readonly kind: string;
  readonly interval: string;
  readonly passes: number;
  readonly fails: number;
  readonly timeout: string;
  readonly initial_status: string | null;
  readonly exec_command?: string;
  readonly exec_expected_positive_output?: string;
  readonly exec_expected_negative_output?: string;
  readonly probe_protocol?: string;
  readonly probe_strategy?: string;
  /** The bytes themselves, as GET shows them; a POST wants them quoted. */
  readonly probe_send?: string;
  readonly probe_recv?: string;
  readonly probe_recv_len?: number;
}

export interface ServerConfig {
  readonly max_connections: number;
  readonly client_idle_timeout: string;
  readonly backend_idle_timeout: string;
  readonly backend_connection_timeout: string;
  readonly bind: string;
  readonly protocol: string;
  readonly balance: string;
  readonly sni: SniConfig | null;
  readonly tls: TlsConfig | null;
  readonly backends_tls: BackendsTlsConfig | null;
  readonly udp: UdpConfig | null;
  readonly access: AccessConfig | null;
  readonly proxy_protocol: ProxyProtocolConfig | null;
  readonly discovery: DiscoveryConfig;
  readonly healthcheck: HealthcheckConfig;
}

/** A server's configuration still without what one word adds: bind, lookup server and lookup pattern are empty. */
export type ServerShape = ServerConfig;
