/**
 * A server's POST payload as text with three gaps: where it listens, whom it asks, and for which record. Invariant: filling
 * the gaps gives the very text that `canonical` would make of the filled config, so a digest of it needs no parsing. Text
 * crosses threads at the cost of a copy, where the object it stands for would cost ten times that (DESIGN §5.2).
 */
import { canonical } from './normalise.js';
import type { ServerConfig } from './server-config.js';
import type { BodyText } from './spec.js';

export interface Gaps {
  readonly bind: string;
  readonly lookupServer: string;
  readonly pattern: string;
}

/**
 * Each gap is marked by its field with an empty value: quotes inside of a user's value are escaped, so no value can hold
 * such a mark.
 */
const marks = ['"bind":""', '"srv_lookup_server":""', '"srv_lookup_pattern":""'] as const;

/** Of a normalised config with SRV discovery whose three fields are empty; a bug in the caller throws. */
export function bodyTextOf(config: ServerConfig): BodyText {
  let rest = canonical(config);
  const parts: string[] = [];
  for (const mark of marks) {
    const at = rest.indexOf(mark);
    if (at === -1) throw new Error(`a server without ${mark}`);
    const cut = at + mark.length - 2;
    parts.push(rest.slice(0, cut));
    rest = rest.slice(cut + 2);
  }
  const [head = '', middle = '', end = ''] = parts;
  return [head, middle, end, rest];
}

export function fillBody([head, middle, end, rest]: BodyText, gaps: Gaps): string {
  return (
    head +
    JSON.stringify(gaps.bind) +
    middle +
    JSON.stringify(gaps.lookupServer) +
    end +
    JSON.stringify(gaps.pattern) +
    rest
  );
}
