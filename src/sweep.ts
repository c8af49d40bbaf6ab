/**
 * What follows from a list of GoBetween's servers: ports are held, owners that the cluster did not show are looked for,
 * and whatever differs from what we wrote is looked at again (SPEC §7). Invariant: a sweep only marks services; the
 * rounds decide.
 */
import type { DriftReport } from './gobetween/believe.js';
import type { Ledger } from './gobetween/ledger.js';
import type { Holders } from './holders.js';
import { decodeName } from './model/name.js';
import type { ServerName } from './model/server.js';
import type { Arbiter } from './ports/arbiter.js';
import type { Reconciler } from './reconciler.js';
import type { Informer } from './source/informer.js';

export function createSweep(deps: {
  readonly ledger: Ledger;
  readonly holders: Holders;
  readonly arbiter: Arbiter;
  readonly informer: Pick<Informer, 'gone' | 'seedKnown' | 'synced'>;
  readonly reconciler: Reconciler;
  readonly metrics: { drift(servers: { missing: number; mutated: number; extra: number }): void };
  /** The cluster's list was complete before this list was asked for: both sides are known. */
  readonly onBothSeen: () => void;
}): (report: DriftReport) => void {
  const { ledger, informer, reconciler } = deps;

  function dirtyOwner(name: ServerName): void {
    const owner = decodeName(name);
    if (owner !== null) reconciler.dirty(owner.key, 'drift');
  }

  return ({ missing, mutated, extra }) => {
    deps.holders.sync(ledger.servers());
    // Services that only GoBetween knows of: whether they are gone is for the cluster's lists to prove.
    informer.seedKnown(ledger.owners());
    if (informer.synced()) deps.onBothSeen();
    const planned = reconciler.planned();
    deps.metrics.drift({
      missing: missing.length,
      mutated: mutated.length,
      extra: planned ? extra.length : 0,
    });
    if (!planned) {
      reconciler.poke();
      return;
    }
    for (const name of [...missing, ...mutated, ...extra]) dirtyOwner(name);
    // What was still under way when its service went may be over now, or may have left a server behind.
    for (const key of informer.gone()) reconciler.dirty(key);
    // A foreign server may have left, and with it what some words wait for.
    for (const { key, held } of reconciler.states().values()) if (held.length > 0) reconciler.dirty(key);
    for (const key of deps.arbiter.decide([]).affected) reconciler.dirty(key);
  };
}
