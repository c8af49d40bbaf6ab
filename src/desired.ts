/**
 * From one compiled service and its granted ports to the servers it should have. Owns the choice of names and of the
 * sticky lookup server (SPEC §4 "Name", §6 "DNS"). Invariant: a server that exists keeps its name, and its DNS as long
 * as that DNS is acceptable, so that nothing here ever causes a needless replacement.
 */
import { assignNames } from './model/assign-names.js';
import { formatListen, parseListen } from './model/bind.js';
import type { Problem } from './model/problem.js';
import type { Desired, Listen, Observed, ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { Compiled, ServerTemplate, Word } from './model/spec.js';
import type { Compute } from './worker/compute.js';
import { renderJob, type Rendered, type RenderJob } from './worker/render.js';

/** The cluster's DNS servers, by IP address; null when the list is empty. */
export interface DnsView {
  preferred(port: number, protocol: 'tcp' | 'udp'): string | null;
  acceptable(ip: string, port: number, protocol: 'tcp' | 'udp'): boolean;
}

export interface GrantedWord {
  readonly word: Word;
  readonly addr: string;
  readonly port: number;
}

export interface WantedService {
  readonly key: ServiceKey;
  readonly compiled: Compiled;
  readonly granted: readonly GrantedWord[];
  /** Servers of this service that exist or were wanted last: what naming and DNS stick to. */
  readonly existing: readonly {
    readonly name: ServerName;
    readonly listen: Listen;
    readonly lookupServer: string;
  }[];
  /** What a server of this name may come to: what is there, or was wanted last. */
  readonly expected: (name: ServerName) => Rendered | null;
  /** Servers that stay for a word that could not be read. */
  readonly kept: readonly Desired[];
}

export interface Wanted {
  readonly desired: readonly Desired[];
  readonly problems: readonly Problem[];
}

interface Place {
  readonly key: ServiceKey;
  readonly name: ServerName;
  readonly listen: Listen;
  readonly lookupServer: string;
}

/** Renders the servers of a batch of services. A word with no DNS to ask is held (`no-dns`), never rendered. */
export async function wantServers(
  services: readonly WantedService[],
  dns: DnsView,
  compute: Compute,
): Promise<ReadonlyMap<ServiceKey, Wanted>> {
  const jobs: RenderJob[] = [];
  const places: Place[] = [];
  const problems = new Map<ServiceKey, Problem[]>();
  for (const service of services) {
    const held: Problem[] = [];
    problems.set(service.key, held);
    const template = service.compiled.template;
    if (template === null) continue;
    const kept = new Set(service.kept.map(({ name }) => name));
    const names = assignNames(service.key, service.granted, service.existing, kept);
    service.granted.forEach((granted, index) => {
      const name = names[index];
      if (name === undefined) return;
      const lookupServer = chooseLookup(template, lookupInUse(service, name, granted), dns);
      if (lookupServer === null) {
        held.push(noDns(service.key, granted.word));
        return;
      }
      const { word, addr, port } = granted;
      const expected = service.expected(name);
      jobs.push(renderJob(template, word, { listenPort: port, lookupServer, expected }));
      places.push({
        key: service.key,
        name,
        listen: { proto: word.proto, addr, port },
        lookupServer,
      });
    });
  }
  const rendered = await compute.render(jobs);
  const wanted = new Map<ServiceKey, Wanted & { desired: Desired[] }>();
  for (const { key } of services) {
    wanted.set(key, {
      desired: [],
      problems: problems.get(key) ?? [],
    });
  }
  rendered.forEach(({ digest, body }, index) => {
    const place = places[index];
    const into = place && wanted.get(place.key);
    if (place === undefined || into === undefined) return;
    const { name, key, listen, lookupServer } = place;
    into.desired.push({ name, key, listen, digest, body, lookupServer });
  });
  return wanted;
}

/** What the server asks now; one of another name in its place, as the historical janitor made them, counts too. */
function lookupInUse(
  { existing }: WantedService,
  name: ServerName,
  { word, addr, port }: GrantedWord,
): string {
  const own =
    existing.find((server) => server.name === name) ??
    existing.find(
      ({ listen }) => listen.proto === word.proto && listen.addr === addr && listen.port === port,
    );
  return own?.lookupServer ?? '';
}

/** The lookup server to ask for: the service's own, the one in use while it is acceptable, else the preferred one. */
function chooseLookup(template: ServerTemplate, current: string, dns: DnsView): string | null {
  const { lookup, dnsProtocol } = template;
  if (lookup.kind === 'own') return lookup.server;
  const used = parseListen(current);
  if (used?.port === lookup.port && dns.acceptable(used.addr, used.port, dnsProtocol)) return current;
  const preferred = dns.preferred(lookup.port, dnsProtocol);
  if (preferred !== null) return formatListen(preferred, lookup.port);
  return current === '' ? null : current;
}

function noDns(key: ServiceKey, word: Word): Problem {
  return {
    code: 'no-dns',
    severity: 'problem',
    key,
    place: `igw_gobtw_bind ${word.text}`,
    message: 'the cluster has no DNS server, so GoBetween could not find backends',
    keeps: 'servers that exist stay; this one is held',
    mend: 'set cluster.dns (om cluster set --kw cluster.dns="<ip> …"), or igw_gobtw_discovery_srv_lookup_server',
  };
}

/** What a server that must stay as it is would be pushed as, should GoBetween forget it. */
export function keepAsDesired(observed: Observed, key: ServiceKey): Desired | null {
  if (observed.listen === null) return null;
  return {
    name: observed.name,
    key,
    listen: observed.listen,
    digest: observed.digest,
    body: observed.canonical,
    lookupServer: observed.lookupServer,
  };
}
