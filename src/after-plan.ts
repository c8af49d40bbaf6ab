/**
 * What follows from the plan of one service: allocated ports to write back, a fresh list of servers for a word that a
 * foreign server blocks, and, once nothing is left of a service that is gone, the end of what is known of it (SPEC §5).
 */
import type { Cancel, Clock } from './clock.js';
import type { Ledger } from './gobetween/ledger.js';
import type { Watch } from './gobetween/watch.js';
import type { ServiceKey } from './model/service.js';
import type { WriteBack } from './ports/write-back.js';
import type { ServiceState } from './service-state.js';
import type { Informer } from './source/informer.js';
import type { ReadConfig } from './source/source.js';
import { fillsOf } from './written-ports.js';

/** A blocked word asks for a fresh list when its service changes, all words together at most this often. */
const freshListMs = 5_000;

export interface AfterPlan {
  settled(key: ServiceKey): void;
  /** A change of one of its servers was made. */
  served(key: ServiceKey): void;
  stop(): void;
}

export function createAfterPlan(deps: {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly informer: Pick<Informer, 'facts' | 'forget'>;
  readonly writeBack: WriteBack;
  readonly states: () => ReadonlyMap<ServiceKey, ServiceState>;
  /** `up`: what is believed to be in GoBetween was seen there since it answers. */
  readonly watch: Pick<Watch, 'up' | 'sweepNow'>;
  /** An operator paused it: nothing is written for it. */
  readonly paused: (key: ServiceKey) => boolean;
  /** Plan this service again. */
  readonly again: (key: ServiceKey) => void;
}): AfterPlan {
  const { clock, ledger, informer, writeBack } = deps;
  let freshListAt = -Infinity;
  let asked: Cancel | null = null;
  /** Configs that a list was asked for already: only a change of the service asks again. */
  const lookedFor = new WeakSet<ReadConfig>();

  function askForList(): void {
    asked ??= clock.after(Math.max(0, freshListAt + freshListMs - clock.now()), () => {
      asked = null;
      freshListAt = clock.now();
      void deps.watch.sweepNow();
    });
  }

  const isGone = (key: ServiceKey): boolean => informer.facts(key)?.state === 'gone';

  /** It is gone, and nothing of it is left, or could appear yet. */
  const isOver = (key: ServiceKey): boolean =>
    isGone(key) && ledger.byKey(key).length === 0 && !ledger.mayAct(key) && deps.watch.up();

  function wantWriteBack(key: ServiceKey): void {
    const state = deps.states().get(key);
    if (state?.config == null) return;
    // A service that is paused, or not served here any more, takes back what was still to be written.
    const isDue = state.compiled?.verdict === 'served' && !deps.paused(key);
    const granted = isDue ? state.granted : [];
    const origin = state.compiled?.bindOrigin ?? 'raw';
    const fills = fillsOf(granted, ledger.byKey(key));
    writeBack.want(key, fills, state.config.csum, origin === 'raw' ? 'plain' : origin);
  }

  function settled(key: ServiceKey): void {
    wantWriteBack(key);
    const state = deps.states().get(key);
    const held = state?.held ?? [];
    const blocked = held.some(({ grant }) => grant.code === 'port-busy' || grant.code === 'port-exhausted');
    if (blocked && state?.config != null && !lookedFor.has(state.config)) {
      lookedFor.add(state.config);
      askForList();
    }
    // What policy keeps of it asks for no write: there is no config any more.
    if (isGone(key)) writeBack.forget(key);
    if (isOver(key)) informer.forget(key);
  }

  function served(key: ServiceKey): void {
    wantWriteBack(key);
    // Its last server went, or one came that was under way when the service went.
    if (isGone(key)) deps.again(key);
  }

  return { settled, served, stop: () => asked?.() };
}
