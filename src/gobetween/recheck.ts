/**
 * A server that was mended after a drift, or whose requests went unanswered, is looked at again 2 s later (SPEC §7):
 * whoever changed it may do so again, and an abandoned request may still act. Invariant: one timer per name; a server written meanwhile is left alone.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { Ledger } from './ledger.js';
import type { Answer } from './outcome.js';

const lookAgainMs = 2_000;

export interface Recheck {
  schedule(name: ServerName): void;
  stop(): void;
}

export function createRecheck(deps: {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly read: (name: ServerName) => Promise<Answer<Observed | null>>;
  readonly drifted: (name: ServerName, key: ServiceKey | null) => void;
}): Recheck {
  const { ledger, clock, read, drifted } = deps;
  const timers = new Map<ServerName, Cancel>();

  async function look(name: ServerName): Promise<void> {
    const mark = ledger.mark();
    const timer = timers.get(name);
    const value = ledger.touchedSince(name, mark) ? undefined : (await read(name)).value;
    // Stopped, or to be looked at again later.
    if (timers.get(name) !== timer) return;
    timers.delete(name);
    if (value === undefined) return;
    const { observed, applied } = ledger.state(name);
    if (ledger.touchedSince(name, mark) || applied === null || value?.digest === applied) return;
    ledger.look(name, value);
    drifted(name, observed?.key ?? null);
  }

  return {
    schedule(name) {
      timers.get(name)?.();
      timers.set(
        name,
        clock.after(lookAgainMs, () => void look(name)),
      );
    },
    stop() {
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
  };
}
