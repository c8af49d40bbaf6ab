/**
 * Which server gets which name when a service has several words for one port and protocol (SPEC §4 "Name"). Invariant: a
 * server that exists keeps its name; the order of words never matters; no two words get one name.
 */
import type { OwnName } from './name.js';
import { decodeName, encodeName } from './name.js';
import type { Listen, ServerName } from './server.js';
import type { ServiceKey } from './service.js';
import type { Word } from './spec.js';

export interface PlacedWord {
  readonly word: Pick<Word, 'port' | 'proto'>;
  readonly addr: string;
  readonly port: number;
}

export interface NamedServer {
  readonly name: ServerName;
  readonly listen: Listen;
}

/**
 * A name for each placed word, in the order given. `existing` are servers of this service, those that run first; those
 * named in `kept` stay whatever becomes of the words, so that another word takes none of their names.
 */
export function assignNames(
  key: ServiceKey,
  placed: readonly PlacedWord[],
  existing: readonly NamedServer[],
  kept: ReadonlySet<ServerName> = new Set(),
): readonly ServerName[] {
  const names = new Map<PlacedWord, ServerName>();
  const taken = new Set<ServerName>();
  const give = (word: PlacedWord, name: ServerName): void => {
    names.set(word, name);
    taken.add(name);
  };
  const own = existing.flatMap((server) => {
    const decoded = decodeName(server.name);
    return decoded?.kind === 'ours' && decoded.key === key ? [{ ...server, decoded }] : [];
  });
  const sorted = [...placed].sort(byPlace);
  for (const word of sorted) {
    const kept = own.find(({ name, listen, decoded }) => !taken.has(name) && serves(word, listen, decoded));
    if (kept !== undefined) give(word, kept.name);
  }
  for (const name of kept) taken.add(name);
  for (const word of sorted) {
    if (names.has(word)) continue;
    const plain = encodeName(key, word.word.port, word.word.proto);
    const full = encodeName(key, word.word.port, word.word.proto, { addr: word.addr, port: word.port });
    give(word, taken.has(plain) ? full : plain);
  }
  return placed.map((word) => names.get(word) ?? encodeName(key, word.word.port, word.word.proto));
}

function serves(word: PlacedWord, listen: Listen, name: OwnName): boolean {
  return (
    name.port === word.word.port &&
    name.proto === word.word.proto &&
    listen.proto === word.word.proto &&
    listen.addr === word.addr &&
    listen.port === word.port &&
    // A name that says another place would deny that place its name.
    (name.at === null || (name.at.addr === word.addr && name.at.port === word.port))
  );
}

function byPlace(a: PlacedWord, b: PlacedWord): number {
  if (a.addr !== b.addr) return a.addr < b.addr ? -1 : 1;
  return a.port - b.port;
}
