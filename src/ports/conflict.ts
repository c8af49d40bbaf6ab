/** Whether two listeners exclude each other in GoBetween (SPEC §4). Invariant: symmetric. */
import type { Listen } from '../model/server.js';

const WILDCARDS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

/** Same L4 protocol, same port, and the same canonical address or a wildcard of either family on either side. */
export function conflicts(a: Listen, b: Listen): boolean {
  if (a.proto !== b.proto || a.port !== b.port) return false;
  return a.addr === b.addr || WILDCARDS.has(a.addr) || WILDCARDS.has(b.addr);
}
