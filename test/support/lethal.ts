/**
 * What GoBetween refuses, closes the connection on or dies of, restated from reference/gobetween-rest.md §2 and §8 with no
 * help from src: a body that passes here is one that may be sent. Answers with everything that is wrong.
 */
type Json = Record<string, unknown>;

const goDuration = /^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
};

function ms(text: unknown): number {
  if (typeof text !== 'string' || !goDuration.test(text)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g))
    total += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  return text.startsWith('-') ? -total : total;
}

const isInt = (value: unknown): boolean => Number.isSafeInteger(value);
const isText = (value: unknown): boolean =>
  typeof value === 'string' && !/[^\P{Cc}\t\n\r]/u.test(value) && !/\p{Cs}/u.test(value);
const among = (value: unknown, ...values: readonly unknown[]): boolean => values.includes(value);
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as string[]) : []);

/** Everything wrong with a POST body, as short texts; empty when it may be sent. */
export function lethal(body: string): readonly string[] {
  const wrong: string[] = [];
  const want = (condition: boolean, what: string): void => void (condition || wrong.push(what));
  const server = JSON.parse(body) as Json;
  const discovery = (server['discovery'] ?? {}) as Json;
  const check = (server['healthcheck'] ?? { kind: 'none', interval: '0', timeout: '0' }) as Json;
  const udp = server['protocol'] === 'udp';

  want(
    /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):[1-9]\d{0,4}$/.test(String(server['bind'])),
    `bind ${String(server['bind'])}`,
  );
  want(isInt(server['max_connections']) && Number(server['max_connections']) >= 0, 'max_connections');
  for (const name of ['client_idle_timeout', 'backend_idle_timeout', 'backend_connection_timeout']) {
    want(ms(server[name]) >= 0, `${name} ${String(server[name])}`);
  }
  want(among(server['protocol'], 'tcp', 'tls', 'udp'), 'protocol');
  want(
    among(server['balance'], 'weight', 'leastconn', 'roundrobin', 'leastbandwidth', 'iphash1', 'iphash'),
    'balance',
  );

  want(discovery['kind'] === 'srv', 'discovery.kind closes the connection');
  want(goDuration.test(String(discovery['interval'])), 'discovery.interval ends the process');
  want(
    ms(discovery['interval']) === 0 || ms(discovery['interval']) >= 500,
    'discovery.interval burns the CPU',
  );
  want(ms(discovery['timeout']) >= 0, 'discovery.timeout');
  want(among(discovery['failpolicy'], 'keeplast', 'setempty'), 'failpolicy');
  want(among(discovery['srv_dns_protocol'], 'tcp', 'udp'), 'srv_dns_protocol');
  want(
    /^(\[[0-9a-f:]+\]|[A-Za-z0-9_.-]+):[1-9]\d{0,4}$/.test(String(discovery['srv_lookup_server'])),
    'srv_lookup_server',
  );
  want(/^([A-Za-z0-9_-]{1,63}\.)+$/.test(String(discovery['srv_lookup_pattern'])), 'srv_lookup_pattern');

  healthcheck(check, udp, want);
  sections(server, udp, want);
  wrong.push(...notText(server, ''));
  return wrong;
}

function healthcheck(check: Json, udp: boolean, want: (condition: boolean, what: string) => void): void {
  want(among(check['kind'], 'none', 'ping', 'probe', 'exec'), 'healthcheck.kind');
  want(Number.isFinite(ms(check['interval'])) && ms(check['timeout']) >= 0, 'healthcheck times do not parse');
  want(check['kind'] === 'none' || ms(check['interval']) >= 200, 'healthcheck.interval');
  want(isInt(check['fails']) && isInt(check['passes']), 'healthcheck counts');
  want(among(check['initial_status'], null, 'healthy', 'unhealthy'), 'initial_status');
  want(!(udp && check['kind'] === 'ping'), 'ping with udp');
  if (check['kind'] === 'exec')
    want(
      isText(check['exec_command']) && check['exec_command'] !== '',
      'exec without a command ends the process',
    );
  if (check['kind'] !== 'probe') return;
  const length = Number(check['probe_recv_len']);
  want(among(check['probe_protocol'], 'tcp', 'udp', 'tls'), 'probe_protocol');
  want(check['probe_send'] !== '' && check['probe_recv'] !== '', 'probe without texts');
  want(isUnquotable(String(check['probe_send'])), 'probe_send does not unquote');
  want(Number.isSafeInteger(length) && length >= 0 && length <= 1024, 'probe_recv_len ends the process');
  if (check['probe_strategy'] === 'starts_with') {
    want(length === 0, 'probe_recv_len with starts_with');
    want(isUnquotable(String(check['probe_recv'])), 'probe_recv does not unquote');
  } else {
    want(check['probe_strategy'] === 'regexp' && length > 0, 'probe_strategy');
    want(!/\\[1-9CQEpPk]|\(\?[=!<]/.test(String(check['probe_recv'])), 'probe_recv is no RE2');
  }
}

function isUnquotable(text: string): boolean {
  return /^([^"\\\n]|\\([abfnrtv\\"]|[0-3][0-7]{2}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*$/.test(
    text,
  );
}

function sections(server: Json, udp: boolean, want: (condition: boolean, what: string) => void): void {
  const tls = server['tls'] as Json | null;
  const backends = server['backends_tls'] as Json | null;
  const sni = server['sni'] as Json | null;
  const access = server['access'] as Json | null;
  const proxy = server['proxy_protocol'] as Json | null;
  const session = server['udp'] as Json | null;
  want(server['protocol'] !== 'tls' || tls !== null, 'tls wants a section');
  if (tls !== null) {
    want(
      texts(tls['acme_hosts']).length > 0 || (tls['cert_path'] !== '' && tls['key_path'] !== ''),
      'tls wants files',
    );
  }
  if (backends !== null) {
    want(!udp, 'backends_tls with udp');
    want(
      (backends['cert_path'] === null) === (backends['key_path'] === null),
      'backends_tls wants both files',
    );
  }
  for (const section of [tls, backends]) {
    for (const name of ['min_version', 'max_version']) {
      want(section === null || among(section[name], '', 'tls1', 'tls1.1', 'tls1.2', 'tls1.3'), name);
    }
  }
  if (sni !== null) {
    want(among(sni['hostname_matching_strategy'], 'exact', 'regexp'), 'sni matching');
    want(among(sni['unexpected_hostname_strategy'], 'default', 'reject', 'any'), 'sni unexpected');
    want(ms(sni['read_timeout']) > 0, 'sni.read_timeout');
  }
  if (proxy !== null) want(server['protocol'] === 'tcp' && proxy['version'] === '1', 'proxy_protocol');
  if (access !== null) {
    want(among(access['default'], 'allow', 'deny'), 'access.default');
    want(texts(access['rules']).length <= 256, 'access.rules');
    for (const rule of texts(access['rules'])) {
      want(
        /^(allow|deny) ((\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)(\/\d{1,3})?$/.test(rule),
        `rule ${rule}`,
      );
    }
  }
  if (!udp) return;
  want(session !== null && isInt(session['max_requests']) && isInt(session['max_responses']), 'udp section');
  const limited =
    ms(server['client_idle_timeout']) > 0 ||
    ms(server['backend_idle_timeout']) > 0 ||
    Number(session?.['max_requests']) > 0 ||
    Number(session?.['max_responses']) > 0;
  want(limited, 'udp sessions never end');
}

/** Paths of texts that hold control characters or half a surrogate pair. */
function notText(value: unknown, path: string): readonly string[] {
  if (typeof value === 'string') return isText(value) ? [] : [`${path} is no text`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => notText(item, `${path}.${name}`));
}
