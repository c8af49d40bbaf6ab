/**
 * THE table of keywords: everything a service may write in its `[env]` section for this gateway, how each value is read,
 * what it defaults to and which field of the server it sets. README's table is generated from it. Source: SPEC §3.
 */
import {
  type Reader,
  type Remark,
  duration,
  healthcheckKind,
  integer,
  lookupServer,
  names,
  oneOf,
  plain,
  probeText,
  recordName,
  srvOnly,
} from './keyword-values.js';
import { section } from './sections.js';

export interface Keyword<T> {
  readonly default: string;
  /** What may be written, in a few words. */
  readonly accepts: string;
  readonly doc: string;
  /** The field of GoBetween's server it sets, by path; empty where it sets none. */
  readonly field: string;
  readonly read: Reader<T>;
}

function keyword<T>(
  field: string,
  accepts: string,
  fallback: string,
  doc: string,
  read: Reader<T>,
): Keyword<T> {
  return { field, accepts, default: fallback, doc, read };
}

const resolvedOnce: Remark = {
  code: 'discovery-once',
  message:
    'with 0 GoBetween resolves once, never follows the records again, and leaks at each change of the server',
  mend: 'write 5s, or remove the keyword',
};
const libraryTimeout: Remark = {
  code: 'forced-default',
  message: 'with 0 GoBetween takes the 2s of its DNS library',
  mend: 'write 5s, or remove the keyword',
};
const anyInteger = 2 ** 31 - 1;
const balances = ['weight', 'iphash', 'iphash1', 'leastconn', 'roundrobin', 'leastbandwidth'] as const;
const sectionDoc = 'as JSON, or `key=value` pairs with shell-like quotes';

export const keywords = {
  igw_gobtw_bind: keyword(
    '',
    '`<port>[/<proto>][-[<addr>][:[<port or *>]]]`, several with blanks between',
    '',
    'Required. Which exposed ports to serve, and where to listen; `*` or no port is allocated and written back.',
    plain(8192),
  ),
  igw_gobtw_target_lb: keyword(
    '',
    'names, blanks between',
    'every gateway',
    'The gateways that serve it.',
    names,
  ),
  igw_gobtw_balance: keyword(
    'balance',
    balances.join(', '),
    'weight',
    'How a backend is chosen.',
    oneOf(...balances),
  ),
  igw_gobtw_protocol: keyword(
    'protocol',
    'tcp, tls, udp',
    'from the word',
    '`tls` ends TLS here, for tcp words; `udp` applies to words without `/proto`.',
    oneOf('tcp', 'tls', 'udp'),
  ),
  igw_gobtw_max_connections: keyword(
    'max_connections',
    'integer',
    '0',
    'Connections at a time; 0 is no limit.',
    integer(0, anyInteger),
  ),
  igw_gobtw_client_idle_timeout: keyword(
    'client_idle_timeout',
    'duration',
    '0; 60s for udp without any limit',
    'A client silent for so long is cut; 0 is never.',
    duration('0'),
  ),
  igw_gobtw_backend_idle_timeout: keyword(
    'backend_idle_timeout',
    'duration',
    '0',
    'A backend silent for so long is cut; 0 is never.',
    duration('0'),
  ),
  igw_gobtw_backend_connection_timeout: keyword(
    'backend_connection_timeout',
    'duration',
    '0',
    'How long to wait for a backend to accept; 0 is as the system does.',
    duration('0'),
  ),
  igw_gobtw_sni: keyword(
    'sni',
    'section',
    'none',
    `Choosing backends by TLS server name, ${sectionDoc}.`,
    section('sni'),
  ),
  igw_gobtw_tls: keyword(
    'tls',
    'section',
    'none',
    `Certificate and key of the listener, ${sectionDoc}; required when protocol is tls.`,
    section('tls'),
  ),
  igw_gobtw_backends_tls: keyword(
    'backends_tls',
    'section',
    'none',
    `Connecting to backends through TLS, ${sectionDoc}; tcp words only.`,
    section('backends_tls'),
  ),
  igw_gobtw_udp: keyword(
    'udp',
    'section',
    'none',
    `Ends of udp sessions, ${sectionDoc}; udp words only.`,
    section('udp'),
  ),
  igw_gobtw_access: keyword(
    'access',
    'section',
    'none',
    `Who may connect: at most 256 rules, the first match wins, ${sectionDoc}.`,
    section('access'),
  ),
  igw_gobtw_proxy_protocol: keyword(
    'proxy_protocol',
    'section',
    'none',
    `Telling backends the client's address (\`version=1\`), ${sectionDoc}; protocol tcp only.`,
    section('proxy_protocol'),
  ),
  igw_gobtw_discovery_kind: keyword('', 'srv', 'srv', 'Always srv; anything else is reported.', srvOnly),
  igw_gobtw_discovery_srv_dns_protocol: keyword(
    'discovery.srv_dns_protocol',
    'tcp, udp',
    'tcp',
    'How DNS is asked; over udp GoBetween drops what does not fit a datagram.',
    oneOf('tcp', 'udp'),
  ),
  igw_gobtw_discovery_srv_lookup_server: keyword(
    'discovery.srv_lookup_server',
    '`ip[:port]`',
    'a DNS of the cluster',
    'The DNS server to ask.',
    lookupServer,
  ),
  igw_gobtw_discovery_srv_lookup_pattern: keyword(
    'discovery.srv_lookup_pattern',
    'record name',
    '`_<port>._<proto>.<name>.<namespace or root>.svc.<cluster>.`',
    'The SRV record of the backends; the final dot is added.',
    recordName,
  ),
  igw_gobtw_discovery_failpolicy: keyword(
    'discovery.failpolicy',
    'keeplast, setempty',
    'keeplast',
    'What becomes of the backends when DNS does not answer.',
    oneOf('keeplast', 'setempty'),
  ),
  igw_gobtw_discovery_interval: keyword(
    'discovery.interval',
    'duration, at least 500ms',
    '5s',
    'How often DNS is asked; 0 is once, with a warning.',
    duration('500ms', resolvedOnce),
  ),
  igw_gobtw_discovery_timeout: keyword(
    'discovery.timeout',
    'duration',
    '5s',
    'How long to wait for a DNS answer.',
    duration('1ms', libraryTimeout),
  ),
  igw_gobtw_healthcheck_kind: keyword(
    'healthcheck.kind',
    'ping, none, probe; exec where the gateway allows it',
    'ping; none for udp',
    'How a backend is checked: ping connects, probe sends and compares.',
    healthcheckKind,
  ),
  igw_gobtw_healthcheck_interval: keyword(
    'healthcheck.interval',
    'duration, at least 200ms',
    '2s',
    'How often a backend is checked.',
    duration('200ms'),
  ),
  igw_gobtw_healthcheck_timeout: keyword(
    'healthcheck.timeout',
    'duration',
    '500ms',
    'How long a check may take; less than the interval.',
    duration('0'),
  ),
  igw_gobtw_healthcheck_fails: keyword(
    'healthcheck.fails',
    'integer',
    '1',
    'Failed checks that take a backend out.',
    integer(1, anyInteger),
  ),
  igw_gobtw_healthcheck_passes: keyword(
    'healthcheck.passes',
    'integer',
    '1',
    'Passed checks that take it in again.',
    integer(1, anyInteger),
  ),
  igw_gobtw_healthcheck_initial_status: keyword(
    'healthcheck.initial_status',
    'healthy, unhealthy',
    'healthy',
    'What a new backend is before its first check.',
    oneOf('healthy', 'unhealthy'),
  ),
  igw_gobtw_healthcheck_probe_protocol: keyword(
    'healthcheck.probe_protocol',
    'tcp, udp, tls',
    'that of the word',
    'What a probe speaks.',
    oneOf('tcp', 'udp', 'tls'),
  ),
  igw_gobtw_healthcheck_probe_strategy: keyword(
    'healthcheck.probe_strategy',
    'starts_with, regexp',
    'starts_with',
    'How a probe compares the answer.',
    oneOf('starts_with', 'regexp'),
  ),
  igw_gobtw_healthcheck_probe_send: keyword(
    'healthcheck.probe_send',
    'text, 1 KiB at most',
    '',
    'What a probe sends, with Go escapes (`PING\\r\\n`); required for probe.',
    probeText,
  ),
  igw_gobtw_healthcheck_probe_recv: keyword(
    'healthcheck.probe_recv',
    'text, 1 KiB at most',
    '',
    'The answer a probe expects, or a Go regular expression; required for probe.',
    plain(1024),
  ),
  igw_gobtw_healthcheck_probe_recv_len: keyword(
    'healthcheck.probe_recv_len',
    'integer, 1 to 1024',
    '',
    'Bytes of the answer to read; required for regexp, and for it only.',
    integer(0, 1024),
  ),
  igw_gobtw_healthcheck_exec_command: keyword(
    'healthcheck.exec_command',
    'path',
    '',
    "A command on the gateway, called with the backend's address and port.",
    plain(1024),
  ),
  igw_gobtw_healthcheck_exec_expected_positive_output: keyword(
    'healthcheck.exec_expected_positive_output',
    'text',
    '',
    'Its output for a healthy backend.',
    plain(1024),
  ),
  igw_gobtw_healthcheck_exec_expected_negative_output: keyword(
    'healthcheck.exec_expected_negative_output',
    'text',
    '',
    'Its output for an unhealthy backend.',
    plain(1024),
  ),
  dns_port: keyword('', '1 to 65535', '53', "The port of the cluster's DNS.", integer(1, 65535)),
};

export type KeywordName = keyof typeof keywords;
type ValueOf<K> = K extends Keyword<infer T> ? T : never;
/** What a service sets, typed; a keyword it does not set is absent. */
export type KeywordValues = { readonly [K in KeywordName]?: ValueOf<(typeof keywords)[K]> };

/** README's table of keywords (Markdown). */
export function keywordTable(): string {
  const rows = Object.entries(keywords).map(
    ([name, row]) => `| \`${name}\` | ${row.accepts} | ${row.default} | ${row.doc} |`,
  );
  return ['| keyword | value | default | |', '|---|---|---|---|', ...rows].join('\n');
}
