/**
 * The whole chain from keyword to backend, for one word: each link with its verdict, where it breaks, and how to mend it.
 * Pure: from evidence that was gathered before. Invariant: the links stand in the order in which a wish becomes traffic, and
 * the first that is broken is the answer; a link after it is told of, but never blamed.
 */
import type { Problem, ProblemCode } from '../model/problem.js';
import type { Explanation, Link, ServiceEvidence, Step, WordEvidence } from './evidence.js';
import type { Exposure } from './exposures.js';

const ok = (step: Step, says: string): Link => ({ step, state: 'ok', says, mend: '', code: null });
const broken = (step: Step, says: string, mend: string, code: ProblemCode | null = null): Link => ({
  ...{ step, state: 'broken', says, mend, code },
});
const told = (step: Step, { severity, place, message, mend, code }: Problem): Link => ({
  step,
  state: severity === 'problem' ? 'broken' : 'warning',
  says: `${place}: ${message}`,
  mend,
  code,
});

/** Why a whole service has no word to explain, or one of its words. */
export function explainService(service: ServiceEvidence): Explanation {
  return conclude(service.service, linksOfService(service), `${service.service} asks for nothing here`);
}

export function explainWord(service: ServiceEvidence, word: WordEvidence): Explanation {
  const { row } = word;
  const where = row.listen === null ? '' : ` on ${row.listen}/${row.proto}`;
  const links = [
    ...linksOfService(service, row),
    portLink(service, row),
    gobetweenLink(service),
    serverLink(service, row),
    ...recordLinks(service, word),
    backendsLink(service, word),
    listenerLink(word),
  ];
  return conclude(
    `${service.service} ${row.word === '' ? (row.server ?? '') : row.word}`,
    links,
    `${service.service} is served${where}`,
  );
}

function conclude(subject: string, links: readonly (Link | null)[], well: string): Explanation {
  const all = links.filter((link) => link !== null);
  const first = all.find(({ state }) => state === 'broken') ?? all.find(({ state }) => state === 'warning');
  if (first === undefined) return { subject, answer: well, mend: '', links: all };
  const answer = first.state === 'broken' ? first.says : `${well}, but: ${first.says}`;
  return { subject, answer, mend: first.mend, links: all };
}

function linksOfService(service: ServiceEvidence, row: Exposure | null = null): (Link | null)[] {
  return [
    agentLink(service),
    serviceLink(service),
    configLink(service),
    ...keywordLinks(service, row),
    gatewayLink(service),
  ];
}

function agentLink({ agent }: ServiceEvidence): Link {
  if (agent.up) return ok('agent', 'answers');
  return broken(
    'agent',
    `${agent.why}; every change since then is unknown here, and what was served goes on`,
    'start the agent on this node (systemctl start opensvc-agent, or opensvc-server), and look at --socket',
  );
}

function serviceLink({ service, state, reason }: ServiceEvidence): Link {
  switch (state) {
    case null:
      return broken(
        'service',
        `the agent lists no service ${service}`,
        'look for it with: om svc ls; a service in a namespace is written namespace/svc/name',
      );
    case 'missing':
      return broken(
        'service',
        `${service} is missing from the agent's list, but not proven gone: ${reason}`,
        'look at its nodes; if it was deleted on purpose, its servers go after --delete-grace, or say gobtw-janitor confirm-deletes',
      );
    case 'gone':
      return broken('service', `${service} is gone (${reason}); its servers are removed`, 'create it again');
    case 'unreadable':
    case 'present':
      return ok('service', 'is in the list of the cluster');
  }
}

function configLink({ service, state, reason, problems }: ServiceEvidence): Link | null {
  if (state === null || state === 'gone') return null;
  const problem = problems.find(({ code }) => code === 'config-unreadable' || code === 'reference-loop');
  if (problem !== undefined) return told('config', problem);
  if (state !== 'unreadable') return ok('config', 'was read');
  return broken(
    'config',
    `its configuration cannot be read: ${reason}`,
    `look at it with: om ${service} print config`,
  );
}

const ofPorts: ReadonlySet<ProblemCode> = new Set([
  'port-conflict',
  'port-reserved',
  'port-exhausted',
  'port-busy',
  'not-written-back',
  'write-back-reverted',
  'write-back-failed',
]);
const ofServer: ReadonlySet<ProblemCode> = new Set([
  'no-address',
  'port-denied',
  'refused',
  'file-error',
  'flapping',
  'fighting',
  'stale-default',
]);
const ofRecords: ReadonlySet<ProblemCode> = new Set(['not-exposed', 'no-dns', 'lookup-host-name']);
const ofConfig: ReadonlySet<ProblemCode> = new Set(['config-unreadable', 'reference-loop']);
const ofGateway: ReadonlySet<ProblemCode> = new Set(['target-unknown']);

/** What is wrong with the keywords; for a word, with that word and those that all words share. */
function keywordLinks({ problems, verdict, state }: ServiceEvidence, row: Exposure | null): Link[] {
  if (state === null || state === 'gone') return [];
  const own = problems.filter(
    ({ code, place }) =>
      [ofPorts, ofServer, ofRecords, ofConfig, ofGateway].every((others) => !others.has(code)) &&
      (row === null || isOf(place, row)),
  );
  // A keyword that is wrong spoils more than one that is not known.
  const links = [...own]
    .sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'))
    .map((problem) => told('keywords', problem));
  if (verdict === 'unbound') {
    const none = broken(
      'keywords',
      'it has no igw_gobtw_bind, so it asks for no exposure',
      'write for example igw_gobtw_bind = 80/tcp into its [env] section',
    );
    // What was probably meant to be it is the better answer.
    return [...links.map((link): Link => ({ ...link, state: 'broken' })), none];
  }
  return links.length > 0 ? links : [ok('keywords', 'are all understood')];
}

function isOf(place: string, row: Exposure): boolean {
  const [what, ...rest] = place.split(' ');
  const of = rest.join(' ');
  return what !== 'igw_gobtw_bind' || of === '' || of === row.word || of === row.label;
}

function gatewayLink({ verdict, names, targets, problems, service }: ServiceEvidence): Link | null {
  if (verdict === null || verdict === 'unbound') return null;
  if (verdict === 'slave') {
    return broken(
      'gateway',
      `${service} is a slave of a scaler: its scaler is exposed, not it`,
      `look at the scaler: gobtw-janitor explain ${service.replace(/(^|\/)\d+\.([^/]+)$/, '$1$2')}`,
    );
  }
  if (verdict === 'elsewhere') {
    return broken(
      'gateway',
      `igw_gobtw_target_lb = ${targets} names other gateways, and this one is ${names.join(', ')}`,
      `add ${names[0] ?? 'this gateway'} to igw_gobtw_target_lb or remove it, or ask the gateway that it names`,
    );
  }
  const unknown = problems.find(({ code }) => ofGateway.has(code));
  return unknown === undefined ? ok('gateway', 'this one serves it') : told('gateway', unknown);
}

function portLink({ problems, verdict }: ServiceEvidence, row: Exposure): Link | null {
  if (verdict === 'elsewhere' || verdict === 'slave') return null;
  const problem = problems.find(({ code, place }) => {
    if (!ofPorts.has(code)) return false;
    return place.startsWith('server ') ? place === `server ${row.server ?? ''}` : isOf(place, row);
  });
  if (problem !== undefined) return told('port', problem);
  if (row.listen !== null && row.state !== 'held') return ok('port', `${row.listen}/${row.proto}`);
  if (row.code !== null && !ofPorts.has(row.code)) return null;
  return row.state === 'held' ? { ...ok('port', row.why), state: 'broken' } : null;
}

function gobetweenLink({ gobetween }: ServiceEvidence): Link {
  if (gobetween.up) return ok('gobetween', `answers at ${gobetween.url}`);
  return broken(
    'gobetween',
    gobetween.why,
    'start GoBetween, or look at --gobetween; everything is pushed again at once when it is back',
  );
}

function serverLink({ problems, heldBack, verdict }: ServiceEvidence, row: Exposure): Link | null {
  if (verdict === 'elsewhere' || verdict === 'slave') return null;
  const problem = problems.find(
    ({ code, place }) => ofServer.has(code) && place.split(' ')[1] === (row.server ?? ''),
  );
  if (problem !== undefined) return told('server', problem);
  if (row.state === 'serving') return ok('server', `${row.server ?? ''} is as it is wanted`);
  if (row.state === 'kept')
    return { ...ok('server', `${row.server ?? ''} stays: ${row.why}`), state: 'warning' };
  if (row.state !== 'pending') return null;
  if (heldBack === null)
    return { ...ok('server', row.why), state: 'unknown', mend: 'wait a moment, and ask again' };
  return broken('server', row.why, heldBack.mend);
}

function recordLinks({ problems, service }: ServiceEvidence, { row, srv }: WordEvidence): (Link | null)[] {
  const warned = problems.find(({ code, place }) => ofRecords.has(code) && isOf(place, row));
  if (srv === null) return [warned === undefined ? null : told('record', warned)];
  const { question, answer, dig } = srv;
  if (!answer.answers) {
    return [
      broken(
        'record',
        `the DNS server ${question.server} does not answer (${answer.why}) over ${question.protocol}: ${dig}`,
        `start the cluster's DNS (om system/svc/dns start), or correct igw_gobtw_discovery_srv_lookup_server`,
        'no-dns',
      ),
    ];
  }
  if (answer.records.length > 0) {
    const found = answer.records.map(({ target, port }) => `${target}:${port}`);
    return [ok('record', `${question.name} names ${found.length} (${list(found)}): ${dig}`)];
  }
  // Nothing is published: the expose line that is not there is the better answer.
  const missing = problems.find(({ code, place }) => code === 'not-exposed' && isOf(place, row));
  if (missing !== undefined) return [{ ...told('record', missing), state: 'broken' }];
  return [
    broken(
      'record',
      `the DNS has no record ${question.name} (${answer.rcode}): no instance of ${service} that exposes ${row.label ?? 'it'} is up; ${dig}`,
      `start the service (om ${service} start), and look whether the resource with its expose line is up`,
    ),
  ];
}

function backendsLink({ gobetween }: ServiceEvidence, { row, stats, srv }: WordEvidence): Link | null {
  if (row.server === null || !gobetween.up) return null;
  if (stats === null) return { ...ok('backends', 'GoBetween did not say'), state: 'unknown' };
  const { backends } = stats;
  const live = backends.filter((backend) => backend.live);
  const names = list(backends.map(({ host, port, live: up }) => `${host}:${port}${up ? '' : ' (down)'}`));
  if (live.length > 0) return ok('backends', `${live.length} of ${backends.length} live: ${names}`);
  if (backends.length > 0) {
    return broken(
      'backends',
      `none of ${backends.length} is live: ${names}`,
      'look whether the program in the service listens on that port, and at igw_gobtw_healthcheck_kind',
    );
  }
  const named = srv?.answer.answers === true && srv.answer.records.length > 0;
  return {
    ...ok('backends', named ? 'not found yet: GoBetween asks the DNS at its interval' : 'none'),
    state: 'unknown',
  };
}

function listenerLink({ row, listener }: WordEvidence): Link | null {
  if (listener === null || row.listen === null) return null;
  const place = `${row.listen}/${row.proto}`;
  switch (listener.state) {
    case 'accepts':
      return ok('listener', `${place} accepts connections (${listener.ms.toFixed(1)} ms)`);
    case 'refuses':
      return broken(
        'listener',
        `${place} does not accept connections: ${listener.why}`,
        'look whether GoBetween runs in the network namespace of this host, and at the firewall',
      );
    case 'not-tried':
      return { ...ok('listener', `${place}: ${listener.why}`), state: 'unknown' };
  }
}

const shown = 4;

function list(texts: readonly string[]): string {
  const rest = texts.length - shown;
  return `${texts.slice(0, shown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
