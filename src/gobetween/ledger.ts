/**
 * What is believed to be in GoBetween, and the newest intent for each server. Invariants: one intent per name, the
 * newest; what to do is decided from both at the moment of doing (work.ts). Foreign servers are here too, so that their
 * ports are respected; they are never acted on. Source: DESIGN §5.3, §5.4, SPEC §7.
 */
import { sameListen } from '../model/bind.js';
import { decodeName } from '../model/name.js';
import type { Clock } from '../clock.js';
import type { Desired, Digest, Listen, Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { Change } from '../plan/change.js';
import { createBelieve, type DriftReport } from './believe.js';
import { createEntries } from './entries.js';
import { type Intent, type Neighbours, type Work, assess } from './work.js';

export interface ServerState {
  readonly observed: Observed | null;
  /** What we last wrote with success, or adopted; null: nothing. */
  readonly applied: Digest | null;
  readonly inFlight: boolean;
}

export type Ledger = ReturnType<typeof createLedger>;

export function createLedger(clock: Clock) {
  let onFreed: (listen: Listen, name: ServerName) => void = () => undefined;
  const entries = createEntries((listen, name) => onFreed(listen, name));
  const { counts, holders, wanting } = entries;
  /** The order of writes: grows when one begins and when it ends. */
  let writes = 0;
  /** Lists asked for before this position are of a process that is gone. */
  let forgottenAt = 0;
  /** Servers that were there before, and of which no list has told since. */
  const forgotten = new Set<ServerName>();

  const neighbours: Neighbours = {
    holders,
    waiting: (listen, except) =>
      listen === null ? [] : wanting(listen, except).map((name) => entries.get(name)?.intent?.key ?? null),
    moving(name) {
      const entry = entries.get(name);
      return entry !== undefined && (entry.inFlight || (entry.intent !== null && !entry.intent.refused));
    },
  };

  function* observedOfNames(names: Iterable<ServerName>): Iterable<Observed> {
    for (const name of names) {
      const observed = entries.get(name)?.observed;
      if (observed) yield observed;
    }
  }

  function assessName(name: ServerName): Work {
    const entry = entries.get(name);
    return entry === undefined ? { op: 'nothing' } : assess(entry, neighbours);
  }

  /** Names that a half replacement owes. */
  function owing(): ServerName[] {
    return counts.owed === 0 ? [] : entries.all().flatMap((entry) => (entry.fallback ? [entry.name] : []));
  }

  const believe = createBelieve(entries, clock, {
    isVoid: (mark) => mark < forgottenAt,
    forgotten,
  });

  return {
    state(name: ServerName): ServerState {
      const { observed = null, applied = null, inFlight = false } = entries.get(name) ?? {};
      return { observed, applied, inFlight };
    },
    /** Owned servers of a service that are believed present. */
    byKey: (key: ServiceKey): readonly Observed[] => [...observedOfNames(entries.ofKey(key))],
    /** Whether a request for a server of this service is under way, or went unanswered: it may appear yet. */
    mayAct(key: ServiceKey): boolean {
      for (const { name, inFlight, doubtful } of entries.values()) {
        if (!inFlight && !doubtful) continue;
        const owner = decodeName(name);
        if (owner?.key === key) return true;
      }
      return false;
    },
    /** Whether a server of this service, `done` apart, still differs from an intent that GoBetween did not refuse. */
    owes(key: ServiceKey, done: ServerName | null): boolean {
      const intent = (done === null ? undefined : entries.get(done))?.intent ?? null;
      const own = intent !== null && intent.key === key && !intent.refused;
      return entries.owedTo(key) > (own ? 1 : 0);
    },
    /** Ours that are as they shall be, and those that are not ours. */
    tally(): { readonly inSync: number; readonly foreign: number } {
      let inSync = 0;
      let foreign = 0;
      for (const { observed, intent } of entries.values()) {
        if (observed === null) continue;
        if (!observed.owned) foreign += 1;
        else if (intent === null) inSync += 1;
      }
      return { inSync, foreign };
    },
    /** Everything believed present, foreign servers too. */
    *servers(): Iterable<Observed> {
      for (const { observed } of entries.values()) if (observed !== null) yield observed;
    },
    /** Services that have servers believed present. */
    owners: entries.owners,
    /** Owned servers believed present. */
    size: (): number => counts.owned,
    /** Servers that still differ from their intent, refused ones too. */
    pending: (): number => counts.intents,
    intent: (name: ServerName): Intent | null => entries.get(name)?.intent ?? null,
    /** What a replacement took away and has not put back. */
    fallback: (name: ServerName): Observed | null => entries.get(name)?.fallback ?? null,
    owing,
    /** Whether `name` is owed the second half of a replacement, or stands in the way of one that is. */
    endsHalf: (name: ServerName): boolean =>
      owing().some((owed) => {
        const work = owed === name ? null : assessName(owed);
        return work === null || (work.op === 'blocked' && work.by.includes(name));
      }),
    postedAtMs: (name: ServerName): number => entries.get(name)?.postedAtMs ?? -Infinity,
    /** Names that hold, or are just taking, a port in conflict with `listen`. */
    holders,
    /** Names whose intent wants a port in conflict with `listen`. */
    wanting,
    /** Called whenever a held or reserved port is let go, by us or by what a sweep says. One listener. */
    whenFreed(fn: (listen: Listen, name: ServerName) => void): void {
      onFreed = fn;
    },

    /** Takes the newest wish for one server, in O(1). `superseded`: an unmet wish was overwritten. */
    want(change: Change): 'new' | 'same' | 'superseded' {
      const name = change.kind === 'delete' ? change.name : change.desired.name;
      const entry = entries.ensure(name);
      const former = entry.intent;
      const want = change.kind === 'create' || change.kind === 'replace' ? change.desired : null;
      if (change.kind === 'adopt') {
        entries.setIntent(entry, null);
        if (entry.observed !== null) entry.applied = change.digest;
        entries.tidy(entry);
      } else if (former !== null && former.want?.digest === want?.digest) {
        return 'same';
      } else {
        const sinceMs = former?.sinceMs ?? clock.now();
        const beside =
          former?.beside === true && want !== null && sameListen(former.want?.listen ?? null, want.listen);
        const { key, reason } = change;
        entries.setIntent(entry, { key, want, reason, sinceMs, refused: false, beside });
      }
      return former === null ? 'new' : 'superseded';
    },
    /** Forgets the wish: what is there stays, and what a half replacement took away comes back. */
    drop(name: ServerName): void {
      const entry = entries.get(name);
      if (entry === undefined) return;
      entries.setIntent(entry, null);
      entries.tidy(entry);
    },
    /** GoBetween refused `intent`: not tried again until it changes. */
    refuse(name: ServerName, intent: Intent): void {
      const entry = entries.get(name);
      if (entry?.intent === intent) entries.setIntent(entry, { ...intent, refused: true });
    },
    /** GoBetween could not listen where `intent` wants it, and what served before does again. */
    tryBeside(name: ServerName, intent: Intent): void {
      const entry = entries.get(name);
      if (entry?.intent === intent) entries.setIntent(entry, { ...intent, beside: true });
    },
    /** What to do about one server now. */
    assess: assessName,
    /** Nothing is left to do: what is there is what was wanted. */
    settle(name: ServerName): void {
      const entry = entries.get(name);
      if (entry === undefined || entry.inFlight) return;
      if (entry.intent !== null) {
        entry.applied = entry.intent.want === null ? null : (entry.observed?.digest ?? null);
        entries.setIntent(entry, null);
      }
      entries.setFallback(entry, null);
      entries.tidy(entry);
    },

    begin(name: ServerName): void {
      const entry = entries.ensure(name);
      entry.inFlight = true;
      entry.touched = ++writes;
    },
    end(name: ServerName): void {
      const entry = entries.ensure(name);
      entry.inFlight = false;
      entry.touched = ++writes;
      entries.tidy(entry);
    },
    /** Holds the port of a POST before it is sent; null lets it go. */
    reserve: entries.reserve,
    /** The server that takes over from `name`, an old name of the same service's: its own new one (SPEC §4). */
    heir(name: ServerName): ServerName | null {
      const { observed = null, intent = null } = entries.get(name) ?? {};
      if (intent?.reason !== 'historical' || intent.want !== null || !observed?.listen) return null;
      const own = (other: ServerName): boolean => entries.get(other)?.intent?.key === intent.key;
      return wanting(observed.listen, name).find(own) ?? null;
    },
    /** Before a DELETE of `former` that a POST of `name` shall follow: from here on something is owed. */
    owe(name: ServerName, former: Observed): void {
      const historical = former.historical && former.name === name;
      entries.setFallback(entries.ensure(name), { ...former, name, historical });
    },
    /** It need not, or cannot, be put back. */
    unowe(name: ServerName): void {
      entries.setFallback(entries.ensure(name), null);
    },
    deleted(name: ServerName): void {
      const entry = entries.ensure(name);
      entry.applied = null;
      entry.doubtful = false;
      entries.setObserved(entry, null);
    },
    created(name: ServerName, desired: Desired): void {
      const entry = entries.ensure(name);
      entry.applied = desired.digest;
      entry.doubtful = false;
      entry.postedAtMs = clock.now();
      entries.setObserved(entry, observedOf(desired, entry.fallback));
      entries.reserve(name, null);
      entries.setFallback(entry, null);
      if (entry.intent?.want?.digest === desired.digest) entries.setIntent(entry, null);
    },
    /** `former`, which a replacement took away, was put back; meanwhile it may have ceased to be owed. */
    restored(name: ServerName, former: Observed): void {
      const entry = entries.ensure(name);
      entry.applied = former.digest;
      entry.doubtful = false;
      entry.postedAtMs = clock.now();
      entries.setObserved(entry, former);
      entries.reserve(name, null);
      entries.setFallback(entry, null);
    },
    /** A request went without an answer: it may have acted, or act yet. A port reserved for it stays so. */
    doubt(name: ServerName): void {
      entries.ensure(name).doubtful = true;
    },
    /** One server was looked at. */
    look(name: ServerName, observed: Observed | null): void {
      const entry = entries.ensure(name);
      if (observed === null && entry.doubtful) entry.applied = null;
      // Somebody's POST, perhaps our own, whose answer was lost; it may have acted just now.
      if (observed !== null && (entry.doubtful || entry.observed?.digest !== observed.digest))
        entry.postedAtMs = clock.now();
      if (observed !== null && observed.digest === entry.intent?.want?.digest)
        entry.applied = observed.digest;
      entry.doubtful = false;
      entries.setObserved(entry, observed);
      entries.reserve(name, null);
      if (observed !== null) entries.setFallback(entry, null);
      entries.tidy(entry);
    },

    /** The present position in the order of writes, to be taken before a list is asked for. */
    mark: (): number => writes,
    /** Whether `name` has a write in flight, or had one since `mark`. */
    touchedSince: (name: ServerName, mark: number): boolean =>
      entries.get(name)?.inFlight === true || entries.touchedAt(name) > mark || mark < forgottenAt,
    /** Believes a complete list that was asked for at `mark`, except where it may be older than our own writes. */
    replaceAll(observed: readonly Observed[], mark: number): DriftReport {
      const steps = believe(observed, mark, () => undefined);
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      return step.value;
    },
    /** The same in slices. */
    believe,
    /** A server that is gone, and that nobody wants any more, is no longer missed. */
    forget(name: ServerName): void {
      const entry = entries.get(name);
      if (entry === undefined || entry.observed !== null) return;
      entry.applied = null;
      entries.tidy(entry);
    },
    /** GoBetween restarted: nothing is there, nothing is applied, nothing is owed. Wishes stay, refused ones anew. */
    forgetAll(): void {
      writes += 1;
      forgottenAt = writes;
      for (const entry of entries.all()) {
        entry.applied = null;
        entry.doubtful = false;
        entry.touched = writes;
        if (entry.intent?.refused === true) entries.setIntent(entry, { ...entry.intent, refused: false });
        entries.setFallback(entry, null);
        if (entry.observed !== null) forgotten.add(entry.name);
        entries.setObserved(entry, null);
        if (!entry.inFlight) entries.reserve(entry.name, null);
        entries.tidy(entry);
      }
    },
  };
}

/** What GoBetween has after it accepted `desired`. */
function observedOf(desired: Desired, former: Observed | null): Observed {
  return {
    name: desired.name,
    key: desired.key,
    owned: true,
    historical: former?.historical ?? false,
    listen: desired.listen,
    digest: desired.digest,
    lookupServer: desired.lookupServer,
    canonical: desired.body,
  };
}
