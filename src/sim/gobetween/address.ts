/**
 * Where a server listens: Go's host:port grammar, port names and name lookups, with Go's error texts.
 * Source: net/ipsock.go, net/port.go; reference/gobetween-rest.md §3.
 */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';

/** What to give the kernel (`host`), and the address as Go prints it in errors (`shown`). */
export type Listen =
  | { readonly host: string; readonly port: number; readonly shown: string }
  | { readonly error: string };

export type HostPort = { readonly host: string; readonly port: string } | { readonly error: string };

/** net.SplitHostPort. */
export function splitHostPort(address: string): HostPort {
  const fail = (why: string): HostPort => ({ error: `address ${address}: ${why}` });
  const colon = address.lastIndexOf(':');
  if (colon < 0) return fail('missing port in address');
  let host = address.slice(0, colon);
  let [noOpen, noClose] = [0, 0];
  if (address.startsWith('[')) {
    const end = address.indexOf(']');
    if (end < 0) return fail("missing ']' in address");
    if (end + 1 !== colon) {
      return fail(address[end + 1] === ':' ? 'too many colons in address' : 'missing port in address');
    }
    host = address.slice(1, end);
    [noOpen, noClose] = [1, end + 1];
  } else if (host.includes(':')) {
    return fail('too many colons in address');
  }
  if (address.includes('[', noOpen)) return fail("unexpected '[' in address");
  if (address.includes(']', noClose)) return fail("unexpected ']' in address");
  return { host, port: address.slice(colon + 1) };
}

/** The names Go knows even without /etc/services. */
const PORTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  udp: { domain: 53 },
  tcp: {
    ftp: 21,
    ftps: 990,
    gopher: 70,
    http: 80,
    https: 443,
    imap2: 143,
    imap3: 220,
    imaps: 993,
    pop3: 110,
    pop3s: 995,
    smtp: 25,
    submissions: 465,
    ssh: 22,
    telnet: 23,
    domain: 53,
  },
};

let services: ReadonlyMap<string, number> | null = null;

function servicePort(network: string, name: string): number | null {
  services ??= readServices();
  const wanted = name.toLowerCase();
  return services.get(`${wanted}/${network}`) ?? PORTS[network]?.[wanted] ?? null;
}

function readServices(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  let text = '';
  try {
    text = readFileSync('/etc/services', 'utf8');
  } catch {
    // A machine without the file knows the built-in names only, as Go does.
  }
  for (const line of text.split('\n')) {
    const [name, where, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const [port, network] = where?.split('/') ?? [];
    if (name === undefined || port === undefined || network === undefined) continue;
    for (const alias of [name, ...aliases]) found.set(`${alias.toLowerCase()}/${network}`, Number(port));
  }
  return found;
}

type Port = { readonly port: number } | { readonly error: string };

function lookupPort(network: string, service: string): Port {
  const digits = service.replace(/^[+-]/, '');
  if (service === '' || digits === '') return { port: 0 };
  const port = /^\d+$/.test(digits) ? Number(digits) : servicePort(network, service);
  if (port === null) return { error: `lookup ${network}/${service}: unknown port` };
  if (port > 65535 || (service.startsWith('-') && port > 0))
    return { error: `address ${service}: invalid port` };
  return { port };
}

const isDomainName = (host: string): boolean => host.length < 255 && /^[\w.-]+$/.test(host) && host !== '.';

/** The address of one host: a literal, or looked up with IPv4 first. */
async function resolveHost(host: string): Promise<string | null> {
  if (isIP(host) !== 0) return host;
  if (!isDomainName(host)) return null;
  try {
    const found = await lookup(host, { all: true });
    return (found.find(({ family }) => family === 4) ?? found[0])?.address ?? null;
  } catch {
    return null;
  }
}

/** Resolves a `bind`. A wildcard of either family listens on both, as Go's does. */
export async function resolveListen(network: 'tcp' | 'udp', bind: string): Promise<Listen> {
  const split = splitHostPort(bind);
  if ('error' in split) return split;
  const found = lookupPort(network, split.port);
  if ('error' in found) return found;
  const { port } = found;
  if (split.host === '') return { host: '::', port, shown: `:${port}` };
  const host = await resolveHost(split.host);
  if (host === null) return { error: `lookup ${split.host}: no such host` };
  // Go adds 0.0.0.0 to a lone `::` and then prefers IPv4, so the error names another address than the one posted.
  if (isWildcard(host)) {
    return {
      host: '::',
      port,
      shown: network === 'udp' && host === '::' ? `[::]:${port}` : `0.0.0.0:${port}`,
    };
  }
  return { host, port, shown: isIPv4(host) ? `${host}:${port}` : `[${host}]:${port}` };
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (host.includes(':') && /^[0:]+$/.test(host));
}

const ERRNO: Readonly<Record<string, string>> = {
  EADDRINUSE: 'bind: address already in use',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  EACCES: 'bind: permission denied',
  EMFILE: 'socket: too many open files',
};

/** The text of a listen error, as Go's OpError prints it. */
export function listenError(network: 'tcp' | 'udp', shown: string, code: string | undefined): string {
  return `listen ${network} ${shown}: ${ERRNO[code ?? ''] ?? `bind: ${code ?? 'unknown error'}`}`;
}
