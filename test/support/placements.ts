/** Placements to test with: requests that collide, the layout that choosing one after another gives, and threads in slow motion. */
import fc from 'fast-check';
import { type ClaimJob, createWalker, type PlaceRequest, type Walker } from '../../src/ports/pool.js';
import { createRings, type PortRange } from '../../src/ports/probe.js';
import { slotId } from '../../src/ports/slots.js';

const plain = { noNullPrototype: true } as const;

interface Bounds {
  readonly min: number;
  readonly max: number;
}

const within = (from: Bounds, to: Bounds): fc.Arbitrary<PortRange> =>
  fc.record({ from: fc.integer(from), to: fc.integer(to) }, plain);

/** Tiny, ephemeral only, across either end of the ephemeral ports. */
const rangeArb: fc.Arbitrary<PortRange> = fc.oneof(
  within({ min: 2000, max: 2003 }, { min: 2003, max: 2012 }),
  within({ min: 40000, max: 40003 }, { min: 40003, max: 40012 }),
  within({ min: 32760, max: 32768 }, { min: 32768, max: 32776 }),
  within({ min: 60990, max: 60999 }, { min: 60999, max: 61008 }),
);

/** Few homes, so that claims collide; ports in and around the range are taken, some twice. */
export const requestArb: fc.Arbitrary<PlaceRequest> = rangeArb.chain((range) =>
  fc
    .record(
      {
        claims: fc.array(fc.record({ hash: fc.nat(40), udp: fc.boolean() }, plain), { maxLength: 40 }),
        taken: fc.array(
          fc.record(
            { port: fc.integer({ min: range.from - 2, max: range.to + 2 }), udp: fc.boolean() },
            plain,
          ),
          { maxLength: 12 },
        ),
      },
      plain,
    )
    .map(({ claims, taken }) => ({
      rings: createRings(range),
      hashes: Uint32Array.from(claims, ({ hash }) => hash),
      udp: Uint8Array.from(claims, ({ udp }) => Number(udp)),
      taken: taken.map(({ port, udp }) => slotId(udp ? 'udp' : 'tcp', port)),
    })),
);

/** One claim after another by rank, each from its home through the preferred ports, then through the last ones. */
export function placeInTurn({ rings, hashes, udp, taken }: PlaceRequest): Int32Array {
  const gone = new Set(taken);
  return Int32Array.from(hashes, (hash, index) => {
    for (const ring of [rings.preferred, rings.last]) {
      for (let step = 0; step < ring.length; step++) {
        const port = ring[((hash % ring.length) + step) % ring.length] ?? 0;
        const id = slotId(udp[index] === 1 ? 'udp' : 'tcp', port);
        if (gone.has(id)) continue;
        gone.add(id);
        return port;
      }
    }
    return 0;
  });
}

/** Steps the walkers in the order that the schedule says, over and over, until all are done. */
export function interleave(walkers: readonly Walker[], schedule: readonly number[]): void {
  const alive = [...walkers];
  for (let turn = 0; alive.length > 0; turn++) {
    const pick = (schedule[turn % schedule.length] ?? 0) % alive.length;
    if (alive[pick]?.step() === false) alive.splice(pick, 1);
  }
}

/** Runs shares as threads do whose schedule is the given one; the claims take their turns in a shuffled order. */
export function inSlowMotion(
  schedule: readonly number[],
  seed: number,
): (jobs: readonly ClaimJob[]) => Promise<void> {
  return async (jobs) => {
    shuffleTurns(jobs, seed);
    interleave(jobs.map(createWalker), schedule);
  };
}

/** Another order of the turns, and with it another split. */
export function shuffleTurns(jobs: readonly ClaimJob[], seed: number): void {
  const [job] = jobs;
  if (job === undefined) return;
  const order = new Int32Array(job.order, 0, job.turns);
  let state = seed >>> 0;
  for (let index = order.length - 1; index > 0; index--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (index + 1));
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
}

export const scheduleArb = fc.array(fc.nat(3), { minLength: 1, maxLength: 100 });
