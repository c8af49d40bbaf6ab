/**
 * The ledger's store: one entry per server name, and the indexes over them. Invariant: the indexes always agree with
 * the entries, because entries change only through the setters here; an entry that says nothing is dropped, so the
 * store is bounded by the servers that there are or shall be. `reserved` are ports of a POST in flight or in doubt.
 */
import { sameListen } from '../model/bind.js';
import type { Digest, Listen, Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import { createPortIndex } from './port-index.js';
import type { Intent } from './work.js';

export interface Entry {
  readonly name: ServerName;
  readonly observed: Observed | null;
  applied: Digest | null;
  readonly intent: Intent | null;
  inFlight: boolean;
  /** A request for it went without an answer. */
  doubtful: boolean;
  /** What a replacement took away and has not put back. */
  readonly fallback: Observed | null;
  /** Position in the order of writes; a list that was asked for before it says nothing about this server. */
  touched: number;
  postedAtMs: number;
  /** The last list that showed it. */
  list: number;
}

type Mutable = { -readonly [field in keyof Entry]: Entry[field] };
type Freed = (listen: Listen, name: ServerName) => void;

export type Entries = ReturnType<typeof createEntries>;

/** `freed` is told each port that is let go, after the indexes know. */
export function createEntries(freed: Freed) {
  const byName = new Map<ServerName, Mutable>();
  /** Lists, for most services have few. */
  const byKey = new Map<ServiceKey, ServerName[]>();
  const held = createPortIndex();
  const reserved = createPortIndex();
  const wanted = createPortIndex();
  const counts = { owned: 0, owed: 0, intents: 0 };
  /** How many of a service's servers shall still change, refused changes apart. */
  const owedTo = new Map<ServiceKey, number>();
  /** When dropped entries were last touched: a list may be on its way that still shows them. */
  const graves = new Map<ServerName, number>();

  function fileByKey(observed: Observed | null, present: boolean): void {
    if (observed?.owned !== true) return;
    counts.owned += present ? 1 : -1;
    if (observed.key === null) return;
    const names = byKey.get(observed.key);
    if (present && names === undefined) byKey.set(observed.key, [observed.name]);
    else if (present) names?.push(observed.name);
    else if (names !== undefined) {
      names.splice(names.indexOf(observed.name), 1);
      if (names.length === 0) byKey.delete(observed.key);
    }
  }

  function fileIntent(intent: Intent | null, step: 1 | -1): void {
    if (intent === null || intent.key === null || intent.refused) return;
    const count = (owedTo.get(intent.key) ?? 0) + step;
    if (count === 0) owedTo.delete(intent.key);
    else owedTo.set(intent.key, count);
  }

  return {
    counts: counts as { readonly owned: number; readonly owed: number; readonly intents: number },
    get: (name: ServerName): Entry | undefined => byName.get(name),
    all: (): Entry[] => [...byName.values()],
    values: (): Iterable<Entry> => byName.values(),
    owners: (): Iterable<ServiceKey> => byKey.keys(),
    ofKey: (key: ServiceKey): Iterable<ServerName> => byKey.get(key) ?? [],
    /** How many of a service's servers shall still change, refused changes apart. */
    owedTo: (key: ServiceKey): number => owedTo.get(key) ?? 0,
    ensure(name: ServerName): Entry {
      const found = byName.get(name);
      if (found !== undefined) return found;
      const entry: Mutable = {
        name,
        observed: null,
        applied: null,
        intent: null,
        inFlight: false,
        doubtful: false,
        fallback: null,
        touched: graves.get(name) ?? 0,
        postedAtMs: -Infinity,
        list: 0,
      };
      graves.delete(name);
      byName.set(name, entry);
      return entry;
    },
    tidy({ name, observed, applied, intent, fallback, inFlight, doubtful, touched }: Entry): void {
      if (observed ?? applied ?? intent ?? fallback) return;
      if (inFlight || doubtful || reserved.of(name) !== null) return;
      byName.delete(name);
      if (touched > 0) graves.set(name, touched);
    },
    touchedAt: (name: ServerName): number => byName.get(name)?.touched ?? graves.get(name) ?? 0,
    /** A list that was asked for at `mark` was believed: what was dropped before it cannot come back. */
    forgetGraves(mark: number): void {
      for (const [name, touched] of graves) if (touched <= mark) graves.delete(name);
    },

    setObserved(entry: Mutable, observed: Observed | null): void {
      const before = entry.observed;
      if (before === observed) return;
      fileByKey(before, false);
      entry.observed = observed;
      fileByKey(observed, true);
      const left = before?.listen ?? null;
      const now = observed?.listen ?? null;
      held.set(entry.name, now);
      if (left !== null && !sameListen(left, now)) freed(left, entry.name);
    },
    setIntent(entry: Mutable, intent: Intent | null): void {
      counts.intents += Number(intent !== null) - Number(entry.intent !== null);
      fileIntent(entry.intent, -1);
      fileIntent(intent, 1);
      entry.intent = intent;
      wanted.set(entry.name, intent?.want?.listen ?? null);
    },
    setFallback(entry: Mutable, fallback: Observed | null): void {
      counts.owed += Number(fallback !== null) - Number(entry.fallback !== null);
      entry.fallback = fallback;
    },
    reserve: (name: ServerName, listen: Listen | null): void => {
      const before = reserved.of(name);
      reserved.set(name, listen);
      if (before !== null && !sameListen(before, listen) && !sameListen(before, held.of(name)))
        freed(before, name);
    },

    holders: (listen: Listen, except: ServerName): ServerName[] => [
      ...new Set([...held.conflicting(listen, except), ...reserved.conflicting(listen, except)]),
    ],
    wanting: (listen: Listen, except: ServerName): ServerName[] => wanted.conflicting(listen, except),
  };
}
