/** Which servers the last plan of each service wished to change. Invariant: a service whose plan wishes nothing has no entry. */
import type { ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { Change } from './plan/change.js';
import { serverOf } from './plan/plan.js';

export interface Wishes {
  /** Remembers what this plan wishes; returns what only the former one wished. */
  replace(key: ServiceKey, planned: readonly Change[]): readonly ServerName[];
}

export function createWishes(): Wishes {
  const wished = new Map<ServiceKey, ReadonlySet<ServerName>>();
  return {
    replace(key, planned) {
      const before = wished.get(key);
      const now = new Set(planned.map(serverOf));
      if (now.size === 0) wished.delete(key);
      else wished.set(key, now);
      return before === undefined ? [] : [...before].filter((name) => !now.has(name));
    },
  };
}
