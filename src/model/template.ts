/**
 * From a service's keyword values to the template of its servers. Owns the rules between keywords (SPEC §3 "protocol",
 * gobetween-rest.md §2 validation order). Invariant: a template that comes out of here cannot make GoBetween refuse a
 * server, close the connection or exit, whatever the keywords hold.
 */
import { checkHealthcheck, healthcheckOf } from './healthcheck.js';
import { lookupText } from './keyword-values.js';
import { type KeywordName, type KeywordValues, keywords } from './keywords.js';
import { bodyTextOf } from './body-text.js';
import { normalise } from './normalise.js';
import type { Report } from './report.js';
import type { L4 } from './server.js';
import type { ServiceKey } from './service.js';
import type { BodyText, Lookup, ServerTemplate, Word } from './spec.js';

/** The template, or null when the keywords contradict each other (reported). */
export function buildTemplate(
  key: ServiceKey,
  clusterName: string,
  values: KeywordValues,
  words: readonly Word[],
  report: Report,
): ServerTemplate | null {
  // What a keyword that could not be read would have meant is unknown: its absence contradicts nothing.
  if (report.spoiled()) return null;
  const protos = new Set(words.map(({ proto }) => proto));
  checkSections(values, protos, report);
  checkHealthcheck(values, protos, report);
  if (protos.has('udp') && values.igw_gobtw_client_idle_timeout === '0' && endless(values)) {
    report.warn({
      code: 'forced-default',
      place: 'igw_gobtw_client_idle_timeout',
      message: 'udp sessions without any limit would never end, so 60s is taken for udp words',
      mend: 'set it to a time, or igw_gobtw_udp = max_responses=1',
    });
  }
  if (report.spoiled()) return null;
  return {
    key,
    clusterName,
    lookup: lookupOf(values),
    dnsProtocol: values.igw_gobtw_discovery_srv_dns_protocol ?? 'tcp',
    pattern: values.igw_gobtw_discovery_srv_lookup_pattern ?? null,
    tcp: protos.has('tcp') ? shapeOf(values, 'tcp') : null,
    udp: protos.has('udp') ? shapeOf(values, 'udp') : null,
    setFields: setFieldsOf(values),
  };
}

/** Sections that GoBetween refuses beside a protocol, or that would have no effect at all. */
function checkSections(values: KeywordValues, protos: ReadonlySet<L4>, report: Report): void {
  const tls = values.igw_gobtw_protocol === 'tls';
  if (tls && values.igw_gobtw_tls === undefined) {
    report.spoil({
      code: 'bad-section',
      place: 'igw_gobtw_tls',
      message: 'protocol tls wants a certificate and a key',
      mend: 'write igw_gobtw_tls = cert_path=/etc/gobetween/tls/web.crt key_path=/etc/gobetween/tls/web.key',
    });
  }
  if (tls && values.igw_gobtw_proxy_protocol !== undefined && protos.has('tcp')) {
    report.spoil({
      code: 'bad-section',
      place: 'igw_gobtw_proxy_protocol',
      message: 'GoBetween sends the proxy protocol only with protocol tcp, not with tls',
      mend: 'remove it, or write igw_gobtw_protocol = tcp (the tls section then still ends TLS here)',
    });
  }
  const useless: readonly (readonly [KeywordName, L4])[] = [
    ['igw_gobtw_sni', 'tcp'],
    ['igw_gobtw_tls', 'tcp'],
    ['igw_gobtw_backends_tls', 'tcp'],
    ['igw_gobtw_proxy_protocol', 'tcp'],
    ['igw_gobtw_udp', 'udp'],
  ];
  for (const [name, proto] of useless) {
    if (values[name] === undefined || protos.has(proto) || protos.size === 0) continue;
    report.warn({
      code: 'bad-section',
      place: name,
      message: `it has no effect: it applies to ${proto} words, and there is none`,
      mend: 'remove it',
    });
  }
}

function shapeOf(values: KeywordValues, proto: L4): BodyText {
  const tcp = proto === 'tcp';
  const forced = !tcp && endless(values) ? '60s' : '0';
  const idle = values.igw_gobtw_client_idle_timeout ?? '0';
  const server = {
    max_connections: values.igw_gobtw_max_connections ?? 0,
    client_idle_timeout: idle === '0' ? forced : idle,
    backend_idle_timeout: values.igw_gobtw_backend_idle_timeout ?? '0',
    backend_connection_timeout: values.igw_gobtw_backend_connection_timeout ?? '0',
    protocol: tcp ? (values.igw_gobtw_protocol === 'tls' ? 'tls' : 'tcp') : 'udp',
    balance: values.igw_gobtw_balance ?? 'weight',
    sni: tcp ? (values.igw_gobtw_sni ?? null) : null,
    tls: tcp ? (values.igw_gobtw_tls ?? null) : null,
    backends_tls: tcp ? (values.igw_gobtw_backends_tls ?? null) : null,
    udp: tcp ? null : (values.igw_gobtw_udp ?? {}),
    access: values.igw_gobtw_access ?? null,
    proxy_protocol: tcp ? (values.igw_gobtw_proxy_protocol ?? null) : null,
    discovery: {
      kind: 'srv',
      failpolicy: values.igw_gobtw_discovery_failpolicy ?? 'keeplast',
      interval: values.igw_gobtw_discovery_interval ?? '5s',
      timeout: values.igw_gobtw_discovery_timeout ?? '5s',
      srv_dns_protocol: values.igw_gobtw_discovery_srv_dns_protocol ?? 'tcp',
    },
    healthcheck: healthcheckOf(values, proto),
  };
  return bodyTextOf(normalise(server, 'get'));
}

/** True when nothing ever ends a udp session. GoBetween enforces max_requests only where it is 1 (gobetween-rest.md §6). */
function endless(values: KeywordValues): boolean {
  const udp = values.igw_gobtw_udp ?? {};
  const isSet = (timeout: string | undefined): boolean => timeout !== undefined && timeout !== '0';
  return (
    !isSet(values.igw_gobtw_client_idle_timeout) &&
    !isSet(values.igw_gobtw_backend_idle_timeout) &&
    udp['max_requests'] !== 1 &&
    !(Number(udp['max_responses'] ?? 0) > 0)
  );
}

function lookupOf(values: KeywordValues): Lookup {
  const port = values.dns_port ?? 53;
  const own = values.igw_gobtw_discovery_srv_lookup_server;
  return own === undefined ? { kind: 'cluster', port } : { kind: 'own', server: lookupText(own, port) };
}

function setFieldsOf(values: KeywordValues): readonly string[] {
  const fields = new Set<string>();
  for (const name of Object.keys(values)) {
    const field = keywords[name as KeywordName].field;
    if (field !== '') fields.add(field);
  }
  // A word says its protocol, and dns_port is part of the lookup server.
  if (values.dns_port !== undefined) fields.add('discovery.srv_lookup_server');
  return [...fields].sort();
}
