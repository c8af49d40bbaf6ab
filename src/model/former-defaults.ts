/**
 * Defaults that this janitor once had, so that an upgrade replaces no server (SPEC §4 "At first sight"). When a default
 * changes, its former value is added here, by path of the field, in canonical text.
 */
import { isRecord } from './gobetween-fields.js';

const formerDefaults: Readonly<Record<string, readonly unknown[]>> = {
  // The historical janitor (2018-2024).
  balance: ['weight'],
  max_connections: [0],
  client_idle_timeout: ['0'],
  backend_idle_timeout: ['0'],
  backend_connection_timeout: ['0'],
  'discovery.failpolicy': ['keeplast'],
  'discovery.srv_dns_protocol': ['tcp'],
  'discovery.interval': ['5s'],
  'discovery.timeout': ['5s'],
  'healthcheck.kind': ['ping'],
  'healthcheck.interval': ['2s'],
  'healthcheck.timeout': ['500ms'],
  'healthcheck.fails': [1],
  'healthcheck.passes': [1],
  'healthcheck.initial_status': [null],
};

/**
 * True when the two differ, but only in fields that no keyword sets and that hold a former default in what is observed.
 * Both are canonical texts; `setFields` are paths.
 */
export function isStaleDefault(
  desiredCanonical: string,
  observedCanonical: string,
  setFields: readonly string[],
): boolean {
  if (desiredCanonical === observedCanonical) return false;
  const desired = leaves(desiredCanonical);
  const observed = leaves(observedCanonical);
  if (desired === null || observed === null) return false;
  const paths = new Set([...desired.keys(), ...observed.keys()]);
  return [...paths].every((path) => {
    const now = observed.get(path);
    if (desired.has(path) && observed.has(path) && Object.is(desired.get(path), now)) return true;
    if (setFields.some((field) => path === field || path.startsWith(`${field}.`))) return false;
    return (
      Object.hasOwn(formerDefaults, path) &&
      (formerDefaults[path] ?? []).some((former) => Object.is(former, now))
    );
  });
}

/** Scalars (and lists, as text) by path. */
function leaves(text: string): ReadonlyMap<string, unknown> | null {
  const result = new Map<string, unknown>();
  const walk = (value: unknown, path: string): void => {
    if (isRecord(value))
      for (const [name, item] of Object.entries(value)) walk(item, path === '' ? name : `${path}.${name}`);
    else result.set(path, Array.isArray(value) ? JSON.stringify(value) : value);
  };
  try {
    walk(JSON.parse(text), '');
  } catch {
    return null;
  }
  return result;
}
