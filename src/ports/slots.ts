/**
 * Who is on which port: claims that sit there and servers that GoBetween is believed to have there. One slot per
 * (L4 protocol, port). Invariant: a slot exists exactly while something is on it, and every change marks it dirty.
 */
import type { L4, Listen } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { Claim, Grant } from './claim.js';

/** One claim on its way through the arbiter. Mutable, and owned by it. */
export interface Standing {
  claim: Claim;
  /** Unix milliseconds of the first decision that knew it; null before. */
  since: number | null;
  /** Where it sits: the asked port, or the chosen one; null while an allocated claim has none. */
  port: number | null;
  grant: Grant | null;
  /** Monotonic time of the grant. */
  grantedAtMs: number;
  /** Monotonic time at which an allocated word came back from the cluster with a port that we had not chosen. */
  writtenElsewhereAtMs: number | null;
}

/** A server in GoBetween. `key` is null when it is foreign. */
export interface HeldServer {
  readonly name: string;
  readonly key: ServiceKey | null;
  readonly listen: Listen;
  /** The SRV label in its name; null when foreign. */
  readonly label: number | null;
  readonly since: number;
}

/** Lists, for most hold one: a set each would cost 20,000 services 8 MB. */
export interface Slot {
  readonly standings: Standing[];
  readonly held: HeldServer[];
}

export interface Slots {
  readonly dirty: Set<number>;
  get(id: number): Slot | undefined;
  all(): Iterable<[number, Slot]>;
  sit(standing: Standing, port: number): void;
  leave(standing: Standing): void;
  put(held: HeldServer): void;
  drop(held: HeldServer): void;
  /** True when a slot became empty since the last call. */
  takeFreed(): boolean;
}

export function slotId(proto: L4, port: number): number {
  return (proto === 'udp' ? 65536 : 0) + port;
}

export function slotProto(id: number): L4 {
  return id >= 65536 ? 'udp' : 'tcp';
}

export function slotPort(id: number): number {
  return id & 0xffff;
}

/** Where a standing listens; only for one that sits. */
export function listenOf({ claim, port }: Standing): Listen {
  return { proto: claim.proto, addr: claim.addr, port: port ?? 0 };
}

export function createSlots(): Slots {
  const slots = new Map<number, Slot>();
  const dirty = new Set<number>();
  let freed = false;

  function open(id: number): Slot {
    dirty.add(id);
    let slot = slots.get(id);
    if (slot === undefined) {
      slot = { standings: [], held: [] };
      slots.set(id, slot);
    }
    return slot;
  }

  function close(id: number, slot: Slot): void {
    dirty.add(id);
    if (slot.standings.length > 0 || slot.held.length > 0) return;
    slots.delete(id);
    freed = true;
  }

  return {
    dirty,
    get: (id) => slots.get(id),
    all: () => slots,
    sit(standing, port) {
      standing.port = port;
      open(slotId(standing.claim.proto, port)).standings.push(standing);
    },
    leave(standing) {
      if (standing.port === null) return;
      const id = slotId(standing.claim.proto, standing.port);
      const slot = slots.get(id);
      standing.port = null;
      if (slot !== undefined && take(slot.standings, standing)) close(id, slot);
    },
    put: (held) => void open(slotId(held.listen.proto, held.listen.port)).held.push(held),
    drop(held) {
      const id = slotId(held.listen.proto, held.listen.port);
      const slot = slots.get(id);
      if (slot !== undefined && take(slot.held, held)) close(id, slot);
    },
    takeFreed() {
      const was = freed;
      freed = false;
      return was;
    },
  };
}

function take<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}
