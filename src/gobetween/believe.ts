/**
 * From a complete list of GoBetween's servers to what the ledger believes. In slices of a few milliseconds, between which
 * others may act. Invariant: a list says nothing about a server that was written since it was asked for, be it between two
 * slices; when everything was forgotten meanwhile, it says nothing any more. Source: DESIGN §5.4.
 */
import type { Clock } from '../clock.js';
import type { Observed, ServerName } from '../model/server.js';
import type { Entries, Entry } from './entries.js';

/** Where observed and applied differ after a sweep. At the first one everything owned is `extra`. */
export interface DriftReport {
  readonly missing: readonly ServerName[];
  readonly mutated: readonly ServerName[];
  /** Owned by name, never applied by us, and no intent for it. */
  readonly extra: readonly ServerName[];
}

type Drift = { readonly [kind in keyof DriftReport]: ServerName[] };

/** Called for each server that is not what it was believed to be; null: not there. */
export type TellSeen = (name: ServerName, observed: Observed | null) => void;

/** What a changed server costs, an unchanged one being 1, and a slice (some 2 ms). */
const changedCost = 10;
const sliceCost = 5_000;

export function createBelieve(
  entries: Entries,
  clock: Clock,
  {
    isVoid,
    forgotten,
  }: {
    /** A list asked for at this position in the order of writes is of a process that is gone. */
    readonly isVoid: (mark: number) => boolean;
    /** Servers of which nobody was told yet that they went with their process. */
    readonly forgotten: Set<ServerName>;
  },
) {
  let lists = 0;

  /** What a list asked for at `mark` says about one server. */
  function see(entry: Entry, now: Observed | null, mark: number, drift: Drift, tell: TellSeen): number {
    if (entry.inFlight || entry.touched > mark) return 1;
    const { name, applied, observed: before } = entry;
    // Seen for the first time as it is: somebody may have posted it just now, perhaps ourselves.
    if (now !== null && before?.digest !== now.digest) entry.postedAtMs = clock.now();
    entry.doubtful = false;
    entries.setObserved(entry, now);
    entries.reserve(name, null);
    if (now !== null) entries.setFallback(entry, null);
    if (applied !== null && now === null) drift.missing.push(name);
    else if (applied !== null && now?.digest !== applied) drift.mutated.push(name);
    else if (applied === null && now?.owned === true && entry.intent === null) drift.extra.push(name);
    entries.tidy(entry);
    if (before === now) return 1;
    tell(name, now);
    return changedCost;
  }

  /** What was done, one cost after the other; ends early when the list became void. */
  function* steps(
    observed: readonly Observed[],
    mark: number,
    drift: Drift,
    tell: TellSeen,
  ): Generator<number, void> {
    const list = ++lists;
    for (const server of observed) {
      if (isVoid(mark)) return;
      const entry = entries.ensure(server.name);
      entry.list = list;
      yield see(entry, server, mark, drift, tell);
    }
    for (const entry of entries.values()) {
      if (isVoid(mark)) return;
      if (entry.list !== list) yield see(entry, null, mark, drift, tell);
    }
    for (const name of forgotten) {
      if (isVoid(mark)) return;
      forgotten.delete(name);
      tell(name, entries.get(name)?.observed ?? null);
      yield changedCost;
    }
    entries.forgetGraves(mark);
  }

  return function* believe(
    observed: readonly Observed[],
    mark: number,
    tell: TellSeen,
  ): Generator<void, DriftReport> {
    const drift: Drift = { missing: [], mutated: [], extra: [] };
    let cost = 0;
    for (const step of steps(observed, mark, drift, tell)) {
      cost += step;
      if (cost < sliceCost) continue;
      cost = 0;
      yield;
    }
    return drift;
  };
}
