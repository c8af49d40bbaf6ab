/**
 * Validates a posted configuration and fills in its defaults, in place and in the real program's order: the first
 * failure wins. Source: manager.go:259-590 (prepareConfig); reference/gobetween-rest.md §2.
 * Throws GoPanic where the real handler dereferences a nil group.
 */
import type { ConnectionOptions, HealthcheckConfig, PreparedConfig, ServerConfig } from './config.js';
import { compileRegexp } from './go-regexp.js';
import { parseDuration, unquote } from './go-strings.js';
import { deref } from './panic.js';

/** The text of a 409. */
class Refused extends Error {}

export type Prepared = { readonly config: PreparedConfig } | { readonly refused: string };

const refuse = (message: string): never => {
  throw new Refused(message);
};

/** Prepares `config` for the server `name`; the object is changed and belongs to the result. */
export function prepareConfig(name: string, config: ServerConfig, defaults: ConnectionOptions): Prepared {
  try {
    prerequisites(name, config);
    checkHealthcheck(deref(config.healthcheck));
    checkProxyProtocol(config);
    checkSni(config);
    checkDurations(deref(config.healthcheck));
    checkTls(config);
    checkProtocol(config);
    checkBalance(config);
    checkDiscovery(config);
    fillConnectionOptions(config.ConnectionOptions, defaults);
    return { config: config as PreparedConfig };
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
}

function prerequisites(name: string, config: ServerConfig): void {
  if (config.bind === '') refuse(`No bind specified for server ${name}`);
  if (config.discovery === null) refuse(`No .discovery specified for server ${name}`);
  config.healthcheck ??= {
    kind: 'none',
    interval: '0',
    passes: 0n,
    fails: 0n,
    timeout: '0',
    initial_status: null,
    ExecHealthcheckConfig: null,
    ProbeHealthcheckConfig: null,
  };
}

function checkHealthcheck(check: HealthcheckConfig): void {
  if (!['ping', 'probe', 'exec', 'none'].includes(check.kind)) {
    refuse(`Not supported healthcheck type ${check.kind}`);
  }
  if (check.interval === '') check.interval = '0';
  if (check.timeout === '') check.timeout = '0';
  if (check.fails <= 0n) check.fails = 1n;
  if (check.passes <= 0n) check.passes = 1n;
  if (check.kind !== 'none') {
    const interval = parseDuration(check.interval);
    if ('error' in interval) return refuse(`Could not parse healtcheck interval: ${interval.error}`);
    if (interval.ms <= 0) refuse('Healthcheck interval should be greater than 0s');
  }
  if (check.initial_status !== null && !['healthy', 'unhealthy'].includes(check.initial_status)) {
    refuse('Unsupported healthcheck initial_status');
  }
  if (check.kind === 'probe') checkProbe(check);
}

function checkProbe(check: HealthcheckConfig): void {
  const probe = deref(check.ProbeHealthcheckConfig);
  if (!['tcp', 'udp', 'tls'].includes(probe.probe_protocol)) refuse('Unsupported probe_protocol');
  if (probe.probe_send === '' || probe.probe_recv === '') {
    refuse('probe healthcheck should have both probe_send and probe_recv specified');
  }
  if (probe.probe_strategy === '') probe.probe_strategy = 'starts_with';
  probe.probe_send = unquote(probe.probe_send) ?? refuse('probe_send has invalid syntax invalid syntax');
  switch (probe.probe_strategy) {
    case 'starts_with':
      if (probe.probe_recv_len > 0n) refuse("probe_recv_len is redundant for 'starts_with' strategy");
      probe.probe_recv = unquote(probe.probe_recv) ?? refuse('probe_recv has invalid syntax invalid syntax');
      break;
    case 'regexp': {
      if (probe.probe_recv_len === 0n) refuse('probe_recv_len required');
      const compiled = compileRegexp(probe.probe_recv);
      if ('error' in compiled) refuse(`probe_recv has invalid syntax ${compiled.error}`);
      break;
    }
    default:
      refuse(`Unsupported probe_strategy ${probe.probe_strategy}`);
  }
}

function checkProxyProtocol(config: ServerConfig): void {
  if (config.proxy_protocol === null) return;
  if (config.protocol !== 'tcp') {
    refuse(`proxy_protocol may be used only with 'tcp' protocol, not with ${config.protocol}`);
  }
  const { version } = config.proxy_protocol;
  if (version === '') refuse('version field for proxy_protocol is not specified');
  if (version !== '1') refuse(`Unsupported proxy_protocol version ${version}`);
}

function checkSni({ sni }: ServerConfig): void {
  if (sni === null) return;
  if (sni.read_timeout === '') sni.read_timeout = '2s';
  if (sni.unexpected_hostname_strategy === '') sni.unexpected_hostname_strategy = 'default';
  if (!['default', 'reject', 'any'].includes(sni.unexpected_hostname_strategy)) {
    refuse(`Not supported sni unexprected hostname strategy ${sni.unexpected_hostname_strategy}`);
  }
  if (sni.hostname_matching_strategy === '') sni.hostname_matching_strategy = 'exact';
  if (!['exact', 'regexp'].includes(sni.hostname_matching_strategy)) {
    refuse(`Not supported sni matching ${sni.hostname_matching_strategy}`);
  }
  if ('error' in parseDuration(sni.read_timeout)) refuse('timeout parsing error');
}

function checkDurations(check: HealthcheckConfig): void {
  if ('error' in parseDuration(check.timeout)) refuse('timeout parsing error');
  if ('error' in parseDuration(check.interval)) refuse('interval parsing error');
}

function checkTls({ backends_tls: backends, tls }: ServerConfig): void {
  if (backends !== null && (backends.key_path === null) !== (backends.cert_path === null)) {
    refuse('backend_tls.cert_path and .key_path should be specified together');
  }
  if (tls === null) return;
  if ((tls.acme_hosts ?? []).length === 0 && (tls.key_path === '' || tls.cert_path === '')) {
    refuse('tls requires specify either acme hosts or both key and cert paths');
  }
}

function checkProtocol(config: ServerConfig): void {
  switch (config.protocol) {
    case '':
      config.protocol = 'tcp';
      break;
    case 'tls':
      if (config.tls === null) refuse('Need tls section for tls protocol');
      break;
    case 'tcp':
      break;
    case 'udp':
      checkUdp(config);
      break;
    default:
      refuse(`Not supported protocol ${config.protocol}`);
  }
  if (config.healthcheck?.kind === 'ping' && config.protocol === 'udp') {
    refuse('Cant use ping healthcheck with udp server');
  }
}

function checkUdp(config: ServerConfig): void {
  if (config.backends_tls !== null) refuse('backends_tls should not be enabled for udp protocol');
  config.udp ??= { max_requests: 0n, max_responses: 0n, transparent: false };
  const { client_idle_timeout: client, backend_idle_timeout: backend } = config.ConnectionOptions;
  if (
    config.udp.max_requests === 0n &&
    config.udp.max_responses === 0n &&
    client === null &&
    backend === null
  ) {
    refuse(
      'udp protocol requires to specify at least one of (client|backend)_idle_timeout, udp.max_requests, udp.max_responses',
    );
  }
}

function checkBalance(config: ServerConfig): void {
  if (config.balance === '') config.balance = 'weight';
  if (
    !['weight', 'leastconn', 'roundrobin', 'leastbandwidth', 'iphash1', 'iphash'].includes(config.balance)
  ) {
    refuse(`Not supported balance type ${config.balance}`);
  }
}

function checkDiscovery(config: ServerConfig): void {
  const discovery = deref(config.discovery);
  if (discovery.failpolicy === '') discovery.failpolicy = 'keeplast';
  if (!['keeplast', 'setempty'].includes(discovery.failpolicy)) {
    refuse(`Not supported failpolicy ${discovery.failpolicy}`);
  }
  if (discovery.interval === '') discovery.interval = '0';
  if (discovery.timeout === '') discovery.timeout = '0';
  if (discovery.kind === 'srv') {
    const srv = deref(discovery.SrvDiscoveryConfig);
    if (srv.srv_dns_protocol === '') srv.srv_dns_protocol = 'udp';
    if (!['udp', 'tcp'].includes(srv.srv_dns_protocol)) {
      refuse(`Not supported srv_dns_protocol ${srv.srv_dns_protocol}`);
    }
  }
  if (discovery.kind === 'lxd') {
    const lxd = deref(discovery.LXDDiscoveryConfig);
    if (lxd.lxd_server_address === '') refuse('lxd_server_address is required');
    if (!/^(https|unix):/.test(lxd.lxd_server_address)) {
      refuse(
        `lxd_server_address should start with either unix:// or https:// but got ${lxd.lxd_server_address}`,
      );
    }
    if (lxd.lxd_server_remote_name === '') lxd.lxd_server_remote_name = 'local';
    if (lxd.lxd_config_directory === '')
      lxd.lxd_config_directory = `${process.env['HOME'] ?? ''}/.config/lxc`;
    if (lxd.lxd_container_interface === '') lxd.lxd_container_interface = 'eth0';
    if (lxd.lxd_container_address_type === '') lxd.lxd_container_address_type = 'IPv4';
    if (!['IPv4', 'IPv6'].includes(lxd.lxd_container_address_type)) {
      refuse('Invalid lxd_container_address_type. Must be IPv4 or IPv6');
    }
  }
}

function fillConnectionOptions(options: ConnectionOptions, defaults: ConnectionOptions): void {
  options.max_connections ??= defaults.max_connections ?? 0n;
  options.client_idle_timeout ??= defaults.client_idle_timeout ?? '0';
  options.backend_idle_timeout ??= defaults.backend_idle_timeout ?? '0';
  options.backend_connection_timeout ??= defaults.backend_connection_timeout ?? '0';
}
