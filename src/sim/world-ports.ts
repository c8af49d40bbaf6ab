/**
 * Ports for one world: a block of neighbours that were free on every address, both protocols, when it was chosen.
 * Invariant: nothing has a fixed port, so a world starts beside anything else that runs on the machine. Most of a block
 * is not bound yet when the next world looks for one: each cell of ports has a guard, a listener that says whose it is.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';

export interface PortBlock {
  /** One more port of the block's first part, for explicit words, backends and APIs. */
  take(): number;
  /** `port` when nobody has it now (a familiar number is easier to read), else one more of the block. */
  prefer(port: number): Promise<number>;
  /** The second part: where a janitor may allocate. */
  readonly range: { readonly from: number; readonly to: number };
  /** Lets other worlds have the block; otherwise the end of the process does. */
  release(): void;
}

/** Enough for a world of one story. */
const SINGLES = 40;
/** Below the kernel's ephemeral range, above what services use by custom. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const CELL = 50;
const CELLS = (HIGHEST - LOWEST) / CELL;
/** The guard of cell n listens here + n. */
const GUARDS = 10_000;
const MAX_TRIES = 400;

/** Finds `singles + allocatable` free neighbours, starting at a random place. Throws when the machine has no such block. */
export async function findPortBlock(allocatable: number, singles = SINGLES): Promise<PortBlock> {
  const size = singles + allocatable;
  const cells = Math.ceil(size / CELL);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    // somewhere else each time: another world beside this one looks for a place, too
    const first = Math.floor(Math.random() * (CELLS - cells + 1));
    const guards = await guard(first, cells);
    if (guards === null) continue;
    const release = (): void => guards.forEach((each) => each.close());
    const from = LOWEST + first * CELL;
    if (await allFree(from, from + size - 1)) return blockAt(from, size, singles, release);
    release();
  }
  throw new Error(`found no ${size} free neighbouring ports between ${LOWEST} and ${HIGHEST}`);
}

/** Takes `count` cells from `first` on; null when another world has one of them. */
async function guard(first: number, count: number): Promise<readonly Server[] | null> {
  const guards: Server[] = [];
  for (let cell = first; cell < first + count; cell += 1) {
    const server = createServer((socket) => socket.destroy()).unref();
    const taken = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ host: '127.0.0.1', port: GUARDS + cell }, () => resolve(true));
    });
    if (!taken) {
      for (const each of guards) each.close();
      return null;
    }
    guards.push(server);
  }
  return guards;
}

function blockAt(from: number, size: number, singles: number, release: () => void): PortBlock {
  let next = from;
  const take = (): number => {
    if (next >= from + singles) throw new Error(`all ${singles} single ports of this world are in use`);
    next += 1;
    return next - 1;
  };
  return {
    take,
    prefer: async (port) => ((await isFree(port)) ? port : take()),
    range: { from: from + singles, to: from + size - 1 },
    release,
  };
}

async function allFree(from: number, to: number): Promise<boolean> {
  for (let port = from; port <= to; port += 1) {
    if (!(await isFree(port))) return false;
  }
  return true;
}

/** Whether `port` can be bound now on every IPv4 address, tcp and udp. */
export async function isFree(port: number): Promise<boolean> {
  return (await isTcpFree(port)) && (await isUdpFree(port));
}

function isTcpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '0.0.0.0', port }, () => server.close(() => resolve(true)));
  });
}

function isUdpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: '0.0.0.0', port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
