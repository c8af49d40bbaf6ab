/**
 * What the arbiter knows of each service: its claims, what they were granted last, what is on record, and the servers
 * that GoBetween has of it. Invariant: a claim that is set again unchanged keeps its standing (its port, its age).
 */
import type { Listen } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { Claim, ClaimRecord } from './claim.js';
import { type HeldServer, type Slots, slotId, type Standing } from './slots.js';

/** A port that a claim of the service was granted by the last decision. */
export interface Possession extends ClaimRecord {
  readonly served: boolean;
  readonly auto: boolean;
}

export interface Entry {
  readonly standings: Map<string, Standing>;
  possessions: readonly Possession[];
}

export interface ClaimBook {
  setClaims(key: ServiceKey, claims: readonly Claim[]): void;
  removeKey(key: ServiceKey): void;
  record(key: ServiceKey, record: ClaimRecord): void;
  hold(name: string, key: ServiceKey | null, listen: Listen): void;
  release(name: string): void;
  entry(key: ServiceKey): Entry | undefined;
  records(key: ServiceKey): readonly ClaimRecord[];
  heldOf(key: ServiceKey): Iterable<HeldServer>;
  heldServer(name: string): HeldServer | undefined;
  /** True while nothing was claimed for this key: its servers stay where they are. */
  keepsHeld(key: ServiceKey): boolean;
  /** Notes what each service holds now; forgets services that have no claim left. */
  remember(keys: Iterable<ServiceKey>): void;
  /** What changed since the last call. */
  takeNews(): News;
}

export interface News {
  readonly fresh: ReadonlySet<Standing>;
  readonly gone: ReadonlySet<Standing>;
  /** Keys whose claims were set or withdrawn. */
  readonly touched: ReadonlySet<ServiceKey>;
}

export function createClaimBook(slots: Slots, now: () => number, stamp: () => number): ClaimBook {
  const entries = new Map<ServiceKey, Entry>();
  const records = new Map<ServiceKey, ClaimRecord[]>();
  const removed = new Set<ServiceKey>();
  const byName = new Map<string, HeldServer>();
  const byKey = new Map<ServiceKey, Set<HeldServer>>();
  let fresh = new Set<Standing>();
  let gone = new Set<Standing>();
  let touched = new Set<ServiceKey>();

  function setClaims(key: ServiceKey, claims: readonly Claim[]): void {
    const keptBefore = keepsHeld(key);
    const entry: Entry = entries.get(key) ?? { standings: new Map(), possessions: [] };
    const wanted = new Map(claims.map((claim) => [claim.id, claim]));
    for (const standing of [...entry.standings.values()]) {
      const { claim } = standing;
      const same = wanted.get(claim.id);
      if (same !== undefined && same.served === claim.served) standing.claim = same;
      else withdraw(entry, standing);
    }
    for (const claim of wanted.values()) if (!entry.standings.has(claim.id)) enter(entry, claim);
    entries.set(key, entry);
    removed.delete(key);
    touched.add(key);
    if (keptBefore !== keepsHeld(key)) markHeld(key);
  }

  function enter(entry: Entry, claim: Claim): void {
    const before = entry.possessions.filter((had) => sameWord(had, claim));
    const served = before.filter((had) => had.served && (claim.listen === null || had.port === claim.listen));
    const standing: Standing = {
      claim,
      since: served.length > 0 ? Math.min(...served.map((had) => had.since)) : null,
      port: null,
      grant: null,
      grantedAtMs: now(),
      writtenElsewhereAtMs: isWrittenElsewhere(before, claim) ? now() : null,
    };
    entry.standings.set(claim.id, standing);
    fresh.add(standing);
    if (claim.listen !== null) slots.sit(standing, claim.listen);
  }

  function withdraw(entry: Entry, standing: Standing): void {
    entry.standings.delete(standing.claim.id);
    fresh.delete(standing);
    gone.add(standing);
    slots.leave(standing);
  }

  function removeKey(key: ServiceKey): void {
    records.delete(key);
    const entry = entries.get(key);
    if (entry !== undefined) {
      for (const standing of [...entry.standings.values()]) withdraw(entry, standing);
      touched.add(key);
    }
    if (byKey.has(key)) removed.add(key);
    markHeld(key);
  }

  /** Protection of its servers began or ended: what they stand in the way of is decided again. */
  function markHeld(key: ServiceKey): void {
    for (const { listen } of byKey.get(key) ?? []) slots.dirty.add(slotId(listen.proto, listen.port));
  }

  function keepsHeld(key: ServiceKey): boolean {
    const entry = entries.get(key);
    return entry === undefined && !removed.has(key);
  }

  function hold(name: string, key: ServiceKey | null, listen: Listen): void {
    const before = byName.get(name);
    if (before !== undefined) {
      if (before.key === key && before.listen.addr === listen.addr && sameSlot(before.listen, listen)) return;
      release(name);
    }
    const held = { name, key, listen, label: key === null ? null : labelOf(name), since: stamp() };
    byName.set(name, held);
    slots.put(held);
    if (key === null) return;
    const siblings = byKey.get(key) ?? new Set();
    byKey.set(key, siblings.add(held));
  }

  function release(name: string): void {
    const held = byName.get(name);
    if (held === undefined) return;
    byName.delete(name);
    slots.drop(held);
    if (held.key === null) return;
    const siblings = byKey.get(held.key);
    siblings?.delete(held);
    if (siblings?.size !== 0) return;
    byKey.delete(held.key);
    removed.delete(held.key);
  }

  function remember(keys: Iterable<ServiceKey>): void {
    for (const key of keys) {
      const entry = entries.get(key);
      if (entry === undefined) continue;
      entry.possessions = [...entry.standings.values()].flatMap(possessionOf);
      if (entry.standings.size > 0) records.delete(key);
      if (entry.standings.size > 0) continue;
      if (removed.has(key) || !byKey.has(key)) entries.delete(key);
    }
  }

  return {
    setClaims,
    removeKey,
    record: (key, record) => void records.set(key, [...(records.get(key) ?? []), record]),
    hold,
    release,
    entry: (key) => entries.get(key),
    records: (key) => records.get(key) ?? [],
    heldOf: (key) => byKey.get(key) ?? [],
    heldServer: (name) => byName.get(name),
    keepsHeld,
    remember,
    takeNews() {
      const news = { fresh, gone, touched };
      fresh = new Set();
      gone = new Set();
      touched = new Set();
      return news;
    },
  };
}

function possessionOf({ claim, grant, since }: Standing): Possession[] {
  if (grant?.kind !== 'granted') return [];
  const { proto, label, addr, served, listen } = claim;
  return [{ proto, label, addr, port: grant.port, since: since ?? 0, served, auto: listen === null }];
}

/** The same word but for its port. */
export function sameWord(had: ClaimRecord, claim: Claim): boolean {
  return had.proto === claim.proto && had.label === claim.label && had.addr === claim.addr;
}

/** A word that we had given a port shows another: a gateway that saw the cluster otherwise wrote first. */
function isWrittenElsewhere(before: readonly Possession[], claim: Claim): boolean {
  if (claim.listen === null || before.some((had) => had.port === claim.listen)) return false;
  return before.some((had) => had.auto);
}

function sameSlot(a: Listen, b: Listen): boolean {
  return a.proto === b.proto && a.port === b.port;
}

/** The SRV label in a server's name: `_80._tcp.web.root.svc`, historical `_80_web` (SPEC §4). */
function labelOf(name: string): number | null {
  const match = /^_(\d{1,5})[._]/.exec(name);
  return match?.[1] === undefined ? null : Number(match[1]);
}
