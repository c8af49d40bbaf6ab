/**
 * Names that are ready to run, in lanes. Invariant: a name is in one lane; inside a lane first in, first out; between
 * lanes the higher class goes first, and waiting raises a class by one every 5 s, so that nothing starves (DESIGN §5.3).
 * Lanes that spend the replacement budget let servers that were calm for 10 s go before restless ones (SPEC §7).
 */
import type { ServerName } from '../model/server.js';

export type Lane =
  | 'owed' // the second half of a replacement
  | 'urgent' // a delete or replacement that somebody waits for
  | 'paid' // its place in the replacement budget is taken, it only waited for quiet
  | 'create'
  | 'replace'
  | 'paced' // one cause replaces many servers
  | 'delete';

export const laneClass: Record<Lane, number> = {
  owed: 3,
  urgent: 3,
  paid: 2,
  create: 2,
  replace: 1,
  paced: 1,
  delete: 0,
};

/** Lanes that spend one replacement each. */
export const spends: Record<Lane, boolean> = {
  owed: false,
  urgent: true,
  paid: false,
  create: false,
  replace: true,
  paced: true,
  delete: true,
};

const lanes = Object.keys(laneClass) as Lane[];
const promotionMs = 5_000;

export interface Lanes {
  add(name: ServerName, lane: Lane, sinceMs: number): void;
  remove(name: ServerName): void;
  /** The next name among the lanes that `afford` allows; it stays until removed. */
  pick(nowMs: number, afford: (lane: Lane) => boolean): { name: ServerName; lane: Lane } | null;
  /** Lanes that hold something. */
  waiting(): readonly Lane[];
  size(): number;
  clear(): void;
}

interface Head {
  readonly name: ServerName;
  readonly lane: Lane;
  readonly calm: boolean;
  readonly class: number;
  readonly sinceMs: number;
}

/** `calm` says whether a server is none that flaps; it is asked again at each pick. */
export function createLanes(calm: (name: ServerName) => boolean): Lanes {
  type Line = Map<ServerName, number>;
  const where = new Map<ServerName, Line>();
  const ordinary = new Map<Lane, Line>(lanes.map((lane) => [lane, new Map()]));
  /** Servers that are restless, or were when they came; only the lanes that spend have any. */
  const restless = new Map<Lane, Line>(lanes.map((lane) => [lane, new Map()]));

  /** The first of a lane's line; in the ordinary one, the first that is still calm. */
  function head(lines: ReadonlyMap<Lane, Line>, lane: Lane, nowMs: number): Head | null {
    for (const [name, sinceMs] of lines.get(lane) ?? []) {
      const isCalm = !spends[lane] || calm(name);
      if (!isCalm && lines === ordinary) {
        place(name, restless.get(lane), sinceMs);
        continue;
      }
      const age = Math.floor((nowMs - sinceMs) / promotionMs);
      return { name, lane, sinceMs, calm: isCalm, class: Math.min(3, laneClass[lane] + age) };
    }
    return null;
  }

  function place(name: ServerName, line: Line | undefined, sinceMs: number): void {
    if (line === undefined || where.get(name) === line) return;
    remove(name);
    line.set(name, sinceMs);
    where.set(name, line);
  }

  function remove(name: ServerName): void {
    where.get(name)?.delete(name);
    where.delete(name);
  }

  return {
    add(name, lane, sinceMs) {
      place(name, (spends[lane] && !calm(name) ? restless : ordinary).get(lane), sinceMs);
    },
    remove,
    pick(nowMs, afford) {
      const heads: Head[] = [];
      for (const lane of lanes) {
        if (!afford(lane)) continue;
        for (const lines of [ordinary, restless]) {
          const found = head(lines, lane, nowMs);
          if (found !== null) heads.push(found);
        }
      }
      const calmWaits = heads.some((found) => spends[found.lane] && found.calm);
      let best: Head | null = null;
      for (const found of heads) {
        if (calmWaits && !found.calm) continue;
        const before = best === null ? 1 : found.class - best.class || best.sinceMs - found.sinceMs;
        if (before > 0) best = found;
      }
      return best === null ? null : { name: best.name, lane: best.lane };
    },
    waiting: () =>
      lanes.filter((lane) => (ordinary.get(lane)?.size ?? 0) + (restless.get(lane)?.size ?? 0) > 0),
    size: () => where.size,
    clear() {
      for (const line of [...ordinary.values(), ...restless.values()]) line.clear();
      where.clear();
    },
  };
}
