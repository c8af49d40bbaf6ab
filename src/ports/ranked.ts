/** Claims without a port in the order in which they choose, and as the integers that a placement on other threads takes. */
import type { L4 } from '../model/server.js';
import { compareText } from './contest.js';
import type { PlaceRequest } from './pool.js';
import { homeHash, type Rings } from './probe.js';
import type { Quarantine } from './quarantine.js';
import { type Slots, slotId, type Standing } from './slots.js';

/** The smaller path first, then the smaller id: a pure function of the cluster's state. */
export function byRank(standings: readonly Standing[]): Standing[] {
  return [...standings].sort(
    (a, b) => compareText(a.claim.key, b.claim.key) || compareText(a.claim.id, b.claim.id),
  );
}

/** Where no allocated claim may go: something is on it, it is reserved, or a foreign process listens there. */
export interface Taken {
  readonly slots: Slots;
  readonly reserved: ReadonlySet<number>;
  readonly quarantine: Quarantine;
}

export function isFree({ slots, reserved, quarantine }: Taken, proto: L4, port: number): boolean {
  const id = slotId(proto, port);
  return slots.get(id) === undefined && !reserved.has(port) && !quarantine.has(id);
}

/** What `isFree` says at this moment, of all ports at once. */
export function requestOf(ranked: readonly Standing[], rings: Rings, taken: Taken): PlaceRequest {
  const hashes = new Uint32Array(ranked.length);
  const udp = new Uint8Array(ranked.length);
  ranked.forEach(({ claim }, index) => {
    hashes[index] = homeHash(claim);
    udp[index] = claim.proto === 'udp' ? 1 : 0;
  });
  return { rings, hashes, udp, taken: [...takenSlots(taken)] };
}

function* takenSlots({ slots, reserved, quarantine }: Taken): Iterable<number> {
  for (const [id] of slots.all()) yield id;
  for (const port of reserved) yield* [slotId('tcp', port), slotId('udp', port)];
  yield* quarantine.slots();
}
