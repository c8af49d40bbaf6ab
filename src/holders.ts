/**
 * Keeps the arbiter's view of who listens where equal to what the ledger believes is in GoBetween. Invariant: after
 * `sync`, the held servers are exactly the observed ones; between sweeps our own successes are followed one by one.
 */
import type { Listen, Observed, ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';

interface PortHolders {
  hold(name: string, key: ServiceKey | null, listen: Listen): void;
  release(name: string): void;
}

export interface Holders {
  /** One server as it is now; null when it is gone. */
  set(name: ServerName, observed: Observed | null): void;
  sync(observed: Iterable<Observed>): void;
}

interface Held {
  readonly observed: Observed;
  readonly place: string;
  /** The last sync that saw it. */
  seen: number;
}

export function createHolders(arbiter: PortHolders): Holders {
  const held = new Map<ServerName, Held>();
  let syncs = 0;

  function set(name: ServerName, observed: Observed | null): void {
    const before = held.get(name);
    if (before !== undefined && before.observed === observed) {
      before.seen = syncs;
      return;
    }
    if (observed === null || observed.listen === null) {
      if (held.delete(name)) arbiter.release(name);
      return;
    }
    const { listen } = observed;
    const key = observed.owned ? observed.key : null;
    const place = `${key ?? ''} ${listen.proto} ${listen.addr} ${listen.port}`;
    held.set(name, { observed, place, seen: syncs });
    if (before?.place === place) return;
    if (before !== undefined) arbiter.release(name);
    arbiter.hold(name, key, listen);
  }

  return {
    set,
    sync(observed) {
      syncs += 1;
      for (const server of observed) set(server.name, server);
      for (const [name, { seen }] of held) if (seen !== syncs) set(name, null);
    },
  };
}
