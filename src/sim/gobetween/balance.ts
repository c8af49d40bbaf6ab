/**
 * Elects a backend among the live ones: the six policies, under the limit of connections of each backend and the
 * SNI filter. Source: balance/*.go, balance/middleware/*.go.
 */
import { rawBytes } from './access.js';
import type { Backend } from './backend.js';
import type { SniConfig } from './config.js';
import { compileRegexp } from './go-regexp.js';

export interface Client {
  readonly address: string;
  /** Host name of the ClientHello; empty when there was none, or nobody looked. */
  readonly sni: string;
}

/** Null: nobody can be elected, the connection is closed. */
export type Elect = (client: Client, backends: readonly Backend[]) => Backend | null;

/** The balancer of one server; it may keep state between elections. */
export function createBalance(policy: string, sni: SniConfig | null): Elect {
  const choose = POLICIES[policy]?.() ?? weight;
  const limited: Elect = (client, backends) => {
    const eligible = backends.filter(
      ({ found, active }) => found.maxConnections <= 0 || active < found.maxConnections,
    );
    return eligible.length === 0 ? null : choose(client, eligible);
  };
  return sni === null ? limited : filterBySni(sni, limited);
}

const POLICIES: Readonly<Record<string, () => Elect>> = {
  weight: () => weight,
  roundrobin: createRoundrobin,
  leastconn: () => leastconn,
  leastbandwidth: () => leastbandwidth,
  iphash: () => iphash,
  iphash1: () => iphash1,
};

/** The lowest priority only, in proportion to the weights; all weights zero: any of them. */
function weight(_client: Client, backends: readonly Backend[]): Backend | null {
  const lowest = Math.min(...backends.map(({ found }) => found.priority));
  const group = backends.filter(({ found }) => found.priority === lowest);
  const sum = group.reduce((total, { found }) => total + found.weight, 0);
  if (sum === 0) return group[Math.floor(Math.random() * group.length)] ?? null;
  let left = Math.floor(Math.random() * sum);
  for (const backend of group) {
    left -= backend.found.weight;
    if (left < 0) return backend;
  }
  return null;
}

const byTarget = (backends: readonly Backend[]): Backend[] =>
  [...backends].sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));

function createRoundrobin(): Elect {
  let next = 0;
  return (_client, backends) => {
    if (next >= backends.length) next = 0;
    return byTarget(backends)[next++] ?? null;
  };
}

function leastconn(_client: Client, backends: readonly Backend[]): Backend | null {
  return backends.reduce((least, backend) => (backend.active <= least.active ? backend : least));
}

function leastbandwidth(_client: Client, backends: readonly Backend[]): Backend | null {
  const rate = (backend: Backend): number => backend.rxSecond + backend.txSecond;
  return backends.reduce((least, backend) => (rate(backend) < rate(least) ? backend : least));
}

function iphash(client: Client, backends: readonly Backend[]): Backend | null {
  return byTarget(backends)[fnv32a(clientBytes(client)) % backends.length] ?? null;
}

function iphash1(client: Client, backends: readonly Backend[]): Backend | null {
  let best = 0;
  let elected: Backend | null = null;
  for (const backend of backends) {
    const hash = fnv32a(Buffer.concat([clientBytes(client), Buffer.from(backend.target)]));
    if (hash > best) [best, elected] = [hash, backend];
  }
  return elected;
}

/** 4 bytes on a listener of IPv4, 16 on a dual one: behind a wildcard the same client hashes to another value. */
const clientBytes = ({ address }: Client): Uint8Array => rawBytes(address.replace(/%.*$/, ''));

function fnv32a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function filterBySni(config: SniConfig, elect: Elect): Elect {
  const matching = (wanted: string, backends: readonly Backend[]): Backend[] =>
    backends.filter(({ found }) => matchesSni(config.hostname_matching_strategy, wanted, found.sni));
  return (client, backends) => {
    const matched = matching(client.sni, backends);
    if (matched.length > 0) return elect(client, matched);
    switch (config.unexpected_hostname_strategy) {
      case 'reject':
        return null;
      case 'any':
        return elect(client, backends);
      default:
        return client.sni === '' ? null : elect(client, matching('', backends));
    }
  };
}

function matchesSni(strategy: string, wanted: string, pattern: string): boolean {
  if (strategy === 'exact') return wanted.toLowerCase() === pattern.toLowerCase();
  if (pattern === '' && wanted !== '') return false;
  const compiled = compileRegexp(pattern);
  return 'regexp' in compiled && compiled.regexp.test(wanted);
}
