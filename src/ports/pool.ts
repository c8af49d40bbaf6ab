/**
 * Many claims choose their ports at the same time, on any threads: ordered linear probing over shared memory (Shun & Blelloch,
 * SPAA 2014; DESIGN §5.2). A claim takes a free slot or ousts a worse rank, and whoever is ousted walks on from there. Invariants:
 * a slot only ever gets a better rank, so the layout is that of choosing by rank one after another, whatever the schedule; a
 * fixed slot is never written; the memory is made for one placement and dropped with it, so that nothing tentative
 * outlives a round, not even when a worker that was given up walks on.
 */
import type { Rings } from './probe.js';
import { slotPort, slotProto } from './slots.js';

/** What each slot holds: 0 free, FIXED, or above 0 the rank of the claim that has it for now; 1 is the best. */
const FIXED = -1;

export interface PlaceRequest {
  readonly rings: Rings;
  /** Of each claim, in rank order: its `homeHash`. */
  readonly hashes: Uint32Array;
  /** Of each claim: 1 for udp, 0 for tcp. */
  readonly udp: Uint8Array;
  /** Slot ids (slots.ts) that are not to be had; those outside of the range do no harm. */
  readonly taken: Iterable<number>;
}

/** The port of each claim in rank order; 0: none is left for it. */
export type Placer = (request: PlaceRequest) => Promise<Int32Array>;

/** Another way to place many claims at once. Its failure costs a placement on the main thread: it reports it itself. */
export interface Wide {
  readonly place: Placer;
  readonly atLeast: number;
}

/**
 * One share of a placement: integers and shared memory only, to be handed to any thread. Slots lie in the order in which
 * they are probed: the preferred ports of tcp, its last ones, then the same of udp.
 */
export interface ClaimJob {
  /** Int32 per slot. */
  readonly slots: SharedArrayBuffer;
  /** Int32 per rank: the slot from which it starts. */
  readonly homes: SharedArrayBuffer;
  /** Int32 each: ranks as they take their turns. Any order gives the same layout. */
  readonly order: SharedArrayBuffer;
  /** How many slots each ring has, of either protocol. */
  readonly preferred: number;
  readonly last: number;
  /** How many turns there are; the share takes every `stride`th of them from the turn `first` on. */
  readonly turns: number;
  readonly first: number;
  readonly stride: number;
}

export interface Walker {
  /** One atomic operation; false when the share is done. */
  step(): boolean;
  /** How many free slots were filled so far. */
  placed(): number;
}

/** Places the claims of one share; returns how many free slots it filled. Doing a share twice changes nothing. */
export function claimShare(job: ClaimJob): number {
  const walker = createWalker(job);
  while (walker.step());
  return walker.placed();
}

/** `claimShare` one atomic operation at a time, so that its interleavings can be tested. */
export function createWalker({ preferred, last, turns, first, stride, ...memory }: ClaimJob): Walker {
  const slots = new Int32Array(memory.slots);
  const homes = new Int32Array(memory.homes);
  const order = new Int32Array(memory.order);
  let turn = first;
  let placed = 0;
  /** The rank in hand, 0 for none, the slot it looks at, and the ring that it walks. */
  let rank = 0;
  let at = 0;
  let ringFrom = 0;
  let ringTo = 0;
  /** What the slot held when it was looked at, if that gives way: the next operation takes it. */
  let aim = FIXED;

  function take(): boolean {
    if (turn >= turns) return false;
    rank = order[turn] ?? 0;
    turn += stride;
    at = homes[rank - 1] ?? 0;
    const protocolFrom = at < preferred + last ? 0 : preferred + last;
    const inPreferred = at - protocolFrom < preferred;
    ringFrom = inPreferred ? protocolFrom : protocolFrom + preferred;
    ringTo = inPreferred ? protocolFrom + preferred : protocolFrom + preferred + last;
    return true;
  }

  /** Never walks in circles: a ring gets no more claims than it has free slots. */
  function walkOn(): void {
    at = at + 1 === ringTo ? ringFrom : at + 1;
  }

  function look(): void {
    const there = Atomics.load(slots, at);
    // Its own rank: this share was begun before, by a worker that is gone.
    if (there === rank) rank = 0;
    else if (there === 0 || there > rank) aim = there;
    else walkOn();
  }

  function grab(): void {
    if (Atomics.compareExchange(slots, at, aim, rank) === aim) {
      rank = aim;
      if (rank === 0) placed += 1;
      else walkOn();
    }
    aim = FIXED;
  }

  return {
    step() {
      if (rank === 0 && !take()) return false;
      if (aim === FIXED) look();
      else grab();
      return true;
    },
    placed: () => placed,
  };
}

interface Placement {
  /** How many claims can have a port. */
  readonly placeable: number;
  jobs(shares: number): readonly ClaimJob[];
  /** Throws when a claim is missing: a share was not finished. */
  read(): Int32Array;
}

/**
 * Lays a placement out. Rank split: the first ring has F free slots, so the first F ranks of a protocol find theirs there and
 * the others would walk it in vain: they start in the second one. Ranks beyond all free slots do not start.
 */
function layOut({ rings, hashes, udp, taken }: PlaceRequest): Placement {
  const preferred = rings.preferred.length;
  const last = rings.last.length;
  const slots = shared(2 * (preferred + last));
  const free = [preferred, last, preferred, last];
  const position = positions(rings);
  for (const id of taken) {
    const index = position[slotPort(id)] ?? FIXED;
    const side = slotProto(id) === 'udp' ? 1 : 0;
    const slot = side * (preferred + last) + index;
    if (index === FIXED || slots[slot] === FIXED) continue;
    slots[slot] = FIXED;
    const ring = 2 * side + (index < preferred ? 0 : 1);
    free[ring] = (free[ring] ?? 0) - 1;
  }
  const homes = shared(hashes.length);
  const order = shared(hashes.length);
  let placeable = 0;
  for (let index = 0; index < hashes.length; index++) {
    const side = udp[index] === 1 ? 1 : 0;
    const inPreferred = free[2 * side] !== 0;
    const ring = inPreferred ? 2 * side : 2 * side + 1;
    if (free[ring] === 0) continue;
    free[ring] = (free[ring] ?? 0) - 1;
    const hash = hashes[index] ?? 0;
    homes[index] = side * (preferred + last) + (inPreferred ? hash % preferred : preferred + (hash % last));
    order[placeable] = index + 1;
    placeable += 1;
  }

  return {
    placeable,
    jobs: (shares) =>
      Array.from({ length: shares }, (_, first) => ({
        slots: slots.buffer,
        homes: homes.buffer,
        order: order.buffer,
        preferred,
        last,
        first,
        stride: shares,
        turns: placeable,
      })),
    read() {
      const ports = new Int32Array(hashes.length);
      let found = 0;
      for (let slot = 0; slot < slots.length; slot++) {
        const rank = slots[slot] ?? 0;
        if (rank <= 0) continue;
        const index = slot < preferred + last ? slot : slot - preferred - last;
        ports[rank - 1] = (index < preferred ? rings.preferred[index] : rings.last[index - preferred]) ?? 0;
        found += 1;
      }
      if (found !== placeable) throw new Error(`${placeable - found} claims got lost on their way`);
      return ports;
    },
  };
}

function shared(length: number) {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

/** Where each port lies in probing order, by port. */
function positions({ preferred, last }: Rings): Int32Array {
  const found = new Int32Array(65_536).fill(FIXED);
  let position = 0;
  for (const ring of [preferred, last]) {
    for (let index = 0; index < ring.length; index++) found[ring[index] ?? 0] = position++;
  }
  return found;
}

/**
 * Places all claims in `shares` shares, which `runShares` runs with `claimShare` wherever it likes, each at least once and to its
 * end. Rejects when it does, or when a share was left unfinished.
 */
export async function placeShared(
  request: PlaceRequest,
  runShares: (jobs: readonly ClaimJob[]) => Promise<unknown>,
  shares: number,
): Promise<Int32Array> {
  const placement = layOut(request);
  if (placement.placeable > 0) await runShares(placement.jobs(Math.min(shares, placement.placeable)));
  return placement.read();
}

/** The same on this thread alone. */
export function placeAlone(request: PlaceRequest): Int32Array {
  const placement = layOut(request);
  for (const job of placement.jobs(1)) claimShare(job);
  return placement.read();
}
