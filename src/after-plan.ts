/**
 * What follows from the plan of one service: allocated ports to write back, a fresh list of servers for a word that a
 * foreign server blocks, and, once nothing is left of a service that is gone, the end of what is known of it (SPEC §5).
 */
import type { Clock } from './clock.js';
import type { Ledger } from './gobetween/ledger.js';
import type { ServiceKey } from './model/service.js';
import type { WriteBack } from './ports/write-back.js';
import type { ServiceState } from './round.js';
import type { Informer } from './source/informer.js';
import { fillsOf } from './written-ports.js';

/** A blocked word asks for a fresh list when its service changes, all words together at most this often. */
const freshListMs = 5_000;

export interface AfterPlan {
  settled(key: ServiceKey, changes: number): void;
  /** A server of this service works now. */
  served(key: ServiceKey): void;
}

export function createAfterPlan(deps: {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly informer: Pick<Informer, 'facts' | 'forget'>;
  readonly writeBack: WriteBack;
  readonly states: () => ReadonlyMap<ServiceKey, ServiceState>;
  readonly sweep: () => void;
  /** The service owes nothing: its lag has ended. */
  readonly clean: (key: ServiceKey) => void;
}): AfterPlan {
  const { clock, ledger, informer, writeBack } = deps;
  let freshListAt = -Infinity;

  function served(key: ServiceKey): void {
    const state = deps.states().get(key);
    if (state?.config == null) return;
    // A service that is not served here any more takes back what was still to be written.
    const granted = state.compiled?.verdict === 'served' ? state.granted : [];
    writeBack.want(key, fillsOf(granted, ledger.byKey(key)), state.config.csum);
  }

  function settled(key: ServiceKey, changes: number): void {
    if (changes === 0) deps.clean(key);
    served(key);
    const held = deps.states().get(key)?.held ?? [];
    const blocked = held.some(({ grant }) => grant.code === 'port-busy' || grant.code === 'port-exhausted');
    if (blocked && clock.now() - freshListAt >= freshListMs) {
      freshListAt = clock.now();
      deps.sweep();
    }
    if (informer.facts(key)?.state === 'gone' && ledger.byKey(key).length === 0) {
      writeBack.forget(key);
      informer.forget(key);
    }
  }

  return { settled, served };
}
