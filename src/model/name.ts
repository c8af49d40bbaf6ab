/**
 * Names of GoBetween servers, and what they say about who owns them (SPEC §4). Invariant: encode and decode are inverse
 * to each other; every name that does not round-trip is foreign, and so is never touched.
 */
import { canonicalAddress } from './address.js';
import { formatListen } from './bind.js';
import type { L4, ServerName } from './server.js';
import { type ServiceKey, keyPath, serviceKey } from './service.js';
import { parsePort } from './word.js';

export interface OwnName {
  readonly kind: 'ours';
  readonly key: ServiceKey;
  /** The SRV label. */
  readonly port: number;
  readonly proto: L4;
  /** Present where a service has several words for one port and protocol. */
  readonly at: { readonly addr: string; readonly port: number } | null;
}

/** A server of the historical janitor, `_80_web`; services were known by their bare name. */
export interface HistoricalName {
  readonly kind: 'historical';
  readonly key: ServiceKey;
  readonly port: number;
}

/** Why a server of this service could not be named, or null. */
export function unusableName(key: ServiceKey): string | null {
  const { namespace, kind, name } = keyPath(key);
  if (serviceKey({ namespace, kind, name }) !== key) return 'its path has more than three parts';
  if (kind !== 'svc') return `it is a ${kind}, not a svc`;
  if (!isLabels(name))
    return 'its name cannot be part of a DNS name (letters, digits, - and _; labels of 1 to 63)';
  if (!isLabel(namespace)) return 'its namespace cannot be a DNS label (letters, digits, - and _; 1 to 63)';
  return name.length + namespace.length > 200 ? 'its name and namespace are too long for a DNS name' : null;
}

/** `_443._tcp.web.ns1.svc`, with `@10.0.0.1:8443` where `at` is given. Only for keys that `unusableName` accepts. */
export function encodeName(key: ServiceKey, port: number, proto: L4, at: OwnName['at'] = null): ServerName {
  const { namespace, name } = keyPath(key);
  const suffix = at === null ? '' : `@${formatListen(at.addr, at.port)}`;
  return `_${port}._${proto}.${name}.${namespace}.svc${suffix}` as ServerName;
}

/** Who owns a server of this name; null when it is foreign. */
export function decodeName(name: string): OwnName | HistoricalName | null {
  if (name.length > 400) return null;
  const historical = /^_(\d+)_(.+)$/s.exec(name);
  if (historical !== null) {
    const key = historicalKey(historical[2] ?? '');
    return key === null ? null : { kind: 'historical', key, port: Number(historical[1]) };
  }
  const match = /^_([1-9]\d{0,4})\._(tcp|udp)\.([^@]+)\.([^.@]+)\.svc(?:@(.+))?$/.exec(name);
  if (match === null) return null;
  const [, portText = '', proto, service = '', namespace = '', atText] = match;
  const port = parsePort(portText);
  const key = serviceKey({ namespace, kind: 'svc', name: service });
  if (port === null || unusableName(key) !== null) return null;
  const at = atText === undefined ? null : parseAt(atText);
  if (at === undefined) return null;
  return { kind: 'ours', key, port, proto: proto === 'udp' ? 'udp' : 'tcp', at };
}

/** The key a historical name stands for: it knew root services only, as others have a `/` in their path. */
function historicalKey(name: string): ServiceKey | null {
  const key = serviceKey({ namespace: 'root', kind: 'svc', name });
  return name.includes('/') || unusableName(key) !== null ? null : key;
}

function parseAt(text: string): { readonly addr: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(text);
  const port = parsePort(match?.[3] ?? '');
  const addr = canonicalAddress(match?.[1] ?? match?.[2] ?? '');
  // Only the canonical spelling is ours: any other would not encode back to the same name.
  if (port === null || addr === null || formatListen(addr, port) !== text) return undefined;
  return { addr, port };
}

function isLabels(text: string): boolean {
  return text.split('.').every(isLabel);
}

function isLabel(text: string): boolean {
  return /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(text);
}
