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

export function createHolders(arbiter: PortHolders): Holders {
  const held = new Map<ServerName, string>();

  function set(name: ServerName, observed: Observed | null): void {
    const listen = observed?.listen ?? null;
    const key = observed?.owned === true ? observed.key : null;
    const now = listen === null ? null : `${key ?? ''} ${listen.proto} ${listen.addr} ${listen.port}`;
    const before = held.get(name) ?? null;
    if (now === before) return;
    if (before !== null) arbiter.release(name);
    if (now === null || listen === null) held.delete(name);
    else {
      held.set(name, now);
      arbiter.hold(name, key, listen);
    }
  }

  return {
    set,
    sync(observed) {
      const seen = new Set<ServerName>();
      for (const server of observed) {
        seen.add(server.name);
        set(server.name, server);
      }
      for (const name of [...held.keys()]) if (!seen.has(name)) set(name, null);
    },
  };
}
