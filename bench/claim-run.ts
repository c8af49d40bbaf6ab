/** One placement after another, timed: as the arbiter does it inline, in shared memory on this thread, and on worker threads. */
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { systemClock } from '../src/clock.js';
import { createArbiter } from '../src/ports/arbiter.js';
import { compareText } from '../src/ports/contest.js';
import type { Claim } from '../src/ports/claim.js';
import { type ClaimJob, placeAlone, type Placer, type PlaceRequest, placeShared } from '../src/ports/pool.js';
import { createChooser, createRings, type Home, homeHash } from '../src/ports/probe.js';
import { slotId } from '../src/ports/slots.js';
import type { ServiceKey } from '../src/model/service.js';
import { createThreads, type Threads } from '../src/worker/threads.js';
import type { Done } from './claim.worker.js';
import { nowMs } from './machine-clock.js';
import { median } from './machine.js';
import type { Random } from './random.js';

const range = { from: 1024, to: 65535 };
const rings = createRings(range);
/** What a gateway reserves by default. */
const reserved = [1214, 1215, 8888, 9284];
const taken = reserved.flatMap((port) => [slotId('tcp', port), slotId('udp', port)]);

/** The homes of `count` services with one allocated word each, by rank. */
export function homesOf(count: number): readonly Home[] {
  return Array.from({ length: count }, (_, index) => `root/svc/service-${index}` as ServiceKey)
    .sort(compareText)
    .map((key) => ({ key, label: 443, proto: 'tcp' }));
}

function requestOf(homes: readonly Home[]): PlaceRequest {
  const hashes = new Uint32Array(homes.length);
  homes.forEach((home, rank) => (hashes[rank] = homeHash(home)));
  return { rings, hashes, udp: new Uint8Array(homes.length), taken };
}

export interface Placed {
  readonly ms: number;
  /** How long the main thread was busy with it. */
  readonly busyMs: number;
  /** Of the ports in rank order. */
  readonly layout: string;
}

const layoutOf = (ports: Int32Array): string => createHash('sha1').update(ports).digest('hex');

function timed(place: () => Int32Array): Placed {
  const startedAt = nowMs();
  const ports = place();
  const ms = nowMs() - startedAt;
  return { ms, busyMs: ms, layout: layoutOf(ports) };
}

/** One claim after another, as the arbiter chooses for few. */
export function placeInline(homes: readonly Home[]): Placed {
  return timed(() => {
    const chooser = createChooser(rings);
    const gone = new Map(reserved.map((port) => [port, true]));
    return Int32Array.from(homes, (home) => {
      const port = chooser.choose(home, (candidate) => gone.get(candidate) === undefined) ?? 0;
      gone.set(port, true);
      return port;
    });
  });
}

export const placeHere = (homes: readonly Home[]): Placed => timed(() => placeAlone(requestOf(homes)));

export interface Crew {
  readonly size: number;
  /** The claims take their turns in an order of their own each time, which is also their split. */
  place(homes: readonly Home[], random: Random): Promise<Placed & { readonly leastShare: number }>;
  placer(random: Random): Placer;
  close(): Promise<void>;
}

export async function createCrew(size: number): Promise<Crew> {
  const file = new URL('./claim.worker.js', import.meta.url);
  const threads = createThreads({ size, clock: systemClock, file });
  const crew: Crew = {
    size,
    async place(homes, random) {
      let shuffledMs = 0;
      let done: readonly Done[] = [];
      const before = performance.eventLoopUtilization();
      const startedAt = nowMs();
      const ports = await placeShared(
        requestOf(homes),
        async (jobs) => {
          const shuffleAt = nowMs();
          shuffle(jobs, random);
          shuffledMs = nowMs() - shuffleAt;
          done = await Promise.all(jobs.map((job) => runShare(threads, job)));
        },
        size,
      );
      const ms = nowMs() - startedAt - shuffledMs;
      const busyMs = performance.eventLoopUtilization(before).active - shuffledMs;
      return { ms, busyMs, layout: layoutOf(ports), leastShare: leastShare(done, homes.length / size, size) };
    },
    placer: (random) => async (request) => {
      const run = async (jobs: readonly ClaimJob[]): Promise<void> => {
        shuffle(jobs, random);
        await Promise.all(jobs.map((job) => runShare(threads, job)));
      };
      return placeShared(request, run, size);
    },
    close: () => threads.close(),
  };
  await crew.place(homesOf(1000), { next: () => 0, below: () => 0, shuffled: () => [] }); // the threads are up
  return crew;
}

function shuffle(jobs: readonly ClaimJob[], random: Random): void {
  const [job] = jobs;
  if (job === undefined) return;
  const order = new Int32Array(job.order, 0, job.turns);
  const was = order.slice();
  random.shuffled(order.length).forEach((from, to) => (order[to] = was[from] ?? 0));
}

async function runShare(threads: Threads, job: ClaimJob): Promise<Done> {
  const answer = await threads.run<Done>('claim', job, 60_000);
  if (!('value' in answer)) throw new Error(JSON.stringify(answer));
  return answer.value;
}

/** The whole decision for services that came in this order, from their claims to their grants: inline, or by the crew. */
export async function decideAll(homes: readonly Home[], random: Random, crew: Crew | null): Promise<Placed> {
  const wide = crew === null ? {} : { wide: { atLeast: 1, place: crew.placer(random) } };
  const arbiter = createArbiter({ clock: systemClock, range, reserved: new Set(reserved), ...wide });
  const claims = random
    .shuffled(homes.length)
    .flatMap((rank) => homes[rank] ?? [])
    .map(claimOf);
  for (const claim of claims) arbiter.setClaims(claim.key, [claim]);
  const before = performance.eventLoopUtilization();
  const startedAt = nowMs();
  await arbiter.placeAhead();
  const { grants } = arbiter.decide(claims.map(({ key }) => key));
  const ms = nowMs() - startedAt;
  const busyMs = performance.eventLoopUtilization(before).active;
  const ports = homes.map((home) => grants.get(claimOf(home).id));
  const layout = layoutOf(Int32Array.from(ports, (grant) => (grant?.kind === 'granted' ? grant.port : 0)));
  return { ms, busyMs, layout };
}

function claimOf({ key, label, proto }: Home): Claim {
  const id = `${key}|${proto}|${label}|0.0.0.0|*`;
  return {
    id,
    key,
    served: true,
    proto,
    label,
    addr: '0.0.0.0',
    listen: null,
    wordText: `${label}/${proto}`,
  };
}

/** What the thread that placed least did, as a part of an even share. */
function leastShare(done: readonly Done[], evenShare: number, size: number): number {
  const byThread = new Map<number, number>();
  for (const { thread, placed } of done) byThread.set(thread, (byThread.get(thread) ?? 0) + placed);
  return byThread.size < size ? 0 : Math.min(...byThread.values()) / evenShare;
}

/** Medians of `times` placements each. */
export async function medians(
  times: number,
  place: () => Placed | Promise<Placed>,
): Promise<{ readonly ms: number; readonly busyMs: number }> {
  const placed: Placed[] = [];
  for (let time = 0; time < times; time++) placed.push(await place());
  return { ms: median(placed.map(({ ms }) => ms)), busyMs: median(placed.map(({ busyMs }) => busyMs)) };
}
