/** A backend as discovery finds it and as the scheduler counts it. Source: core/backend.go, core/target.go. */

export interface Discovered {
  /** As GoBetween keeps it: IPv6 in brackets. */
  readonly host: string;
  readonly port: string;
  readonly priority: number;
  readonly weight: number;
  readonly maxConnections: number;
  readonly sni: string;
}

export interface Backend {
  /** `host:port`, the identity. */
  readonly target: string;
  found: Discovered;
  live: boolean;
  discovered: boolean;
  total: number;
  active: number;
  refused: number;
  rx: number;
  tx: number;
  rxSecond: number;
  txSecond: number;
}

export const targetOf = (found: Discovered): string => `${found.host}:${found.port}`;

/** Where to connect: without the brackets. */
export function dialAddress(found: Discovered): { host: string; port: number } {
  return { host: found.host.replace(/^\[(.*)\]$/, '$1'), port: Number(found.port) };
}

/** The default pattern of a backend line, as GoBetween shows it. */
export const BACKEND_PATTERN =
  '^(?P<host>\\S+):(?P<port>\\d+)(\\sweight=(?P<weight>\\d+))?(\\spriority=(?P<priority>\\d+))?(\\smax_connections=(?P<max_connections>\\d+))?(\\ssni=(?P<sni>[^\\s]+))?$';

/** One line of a static list or a text; null when it does not match. */
export function parseBackendLine(line: string, pattern: RegExp): Discovered | null {
  const groups = pattern.exec(line.trim())?.groups;
  if (groups === undefined) return null;
  return {
    host: groups['host'] ?? '',
    port: groups['port'] ?? '',
    weight: Number(groups['weight'] ?? 1),
    priority: Number(groups['priority'] ?? 1),
    maxConnections: Number(groups['max_connections'] ?? 0),
    sni: groups['sni'] ?? '',
  };
}
