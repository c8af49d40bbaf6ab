/**
 * GoBetween's own normalisation (manager.go prepareConfig) restated, and what equality of servers means: two configs are
 * the same server when their digests are equal. Invariants: normalising twice changes nothing; `canonical` is itself a
 * POST payload with the same digest; fields that we do not know, or that have no effect, never count (SPEC §4 "Equality").
 */
import { createHash } from 'node:crypto';
import {
  discoveryFields,
  discoveryGroups,
  healthcheckFields,
  healthcheckGroups,
  isRecord,
  readFields,
  serverFields,
  udpFields,
} from './gobetween-fields.js';
import { quote, unquote } from './go-string.js';
import type { ServerConfig } from './server-config.js';
import type { Digest } from './server.js';

/** Where a config comes from: GoBetween unquotes probe_send and probe_recv of what is posted. */
export type Side = 'post' | 'get';

/** What GoBetween makes of `json`. Never throws: values of the wrong type count as absent. */
export function normalise(json: unknown, side: Side): ServerConfig {
  const source = fields(json, side);
  const discovery = fields(source['discovery'], side);
  const healthcheck = fields(source['healthcheck'], side);
  const server = readFields(serverFields, foldObjects(source, side));
  const udp = server['protocol'] === 'udp';
  // What has no effect does not count: udp settings on tcp, SNI on udp, the times of a check that is not made.
  if (udp) server['sni'] = null;
  server['udp'] = udp ? (server['udp'] ?? readFields(udpFields, {})) : null;
  server['discovery'] = readGroup(discoveryFields, discoveryGroups, discovery);
  const check = readProbe(readGroup(healthcheckFields, healthcheckGroups, healthcheck), side);
  server['healthcheck'] = check['kind'] === 'none' ? readFields(healthcheckFields, {}) : check;
  return server as unknown as ServerConfig;
}

/** Fixed key order, defaults filled in, durations by value: text equality is equality of servers. A POST payload. */
export function canonical(config: ServerConfig): string {
  const { healthcheck } = config;
  if (healthcheck.kind !== 'probe') return JSON.stringify(config);
  const { probe_send: send = '', probe_recv: recv = '', probe_strategy: strategy } = healthcheck;
  const quoted = { probe_send: quote(send), probe_recv: strategy === 'starts_with' ? quote(recv) : recv };
  return JSON.stringify({ ...config, healthcheck: { ...healthcheck, ...quoted } });
}

/** Of the text that `canonical` made. */
export function digest(canonicalText: string): Digest {
  return createHash('sha256').update(canonicalText).digest('hex').slice(0, 32) as Digest;
}

function readGroup(
  common: typeof discoveryFields,
  groups: typeof discoveryGroups,
  source: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result = readFields(common, source);
  const group = groups.get(String(result['kind']));
  return group === undefined ? result : { ...result, ...readFields(group, source) };
}

function readProbe(healthcheck: Record<string, unknown>, side: Side): Record<string, unknown> {
  if (side === 'get' || healthcheck['kind'] !== 'probe') return healthcheck;
  const send = String(healthcheck['probe_send']);
  const recv = String(healthcheck['probe_recv']);
  healthcheck['probe_send'] = unquote(send) ?? send;
  if (healthcheck['probe_strategy'] === 'starts_with') healthcheck['probe_recv'] = unquote(recv) ?? recv;
  return healthcheck;
}

/** Own fields of an object; Go matches posted keys without case, the last one wins. */
function fields(value: unknown, side: Side): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return {};
  if (side === 'get') return value;
  const folded = Object.create(null) as Record<string, unknown>;
  for (const [name, item] of Object.entries(value)) folded[name.toLowerCase()] = item;
  return folded;
}

function foldObjects(
  source: Readonly<Record<string, unknown>>,
  side: Side,
): Readonly<Record<string, unknown>> {
  if (side === 'get') return source;
  const folded: Record<string, unknown> = { ...source };
  for (const [name, item] of Object.entries(folded)) if (isRecord(item)) folded[name] = fields(item, side);
  return folded;
}
