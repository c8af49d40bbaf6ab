/**
 * Ports for one world: a block of neighbours that were free on every address, both protocols, when it was chosen.
 * Invariant: nothing has a fixed port, so a world starts beside anything else that runs on the machine, other worlds too.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

export interface PortBlock {
  /** One more port of the block's first part, for explicit words, backends and APIs. */
  take(): number;
  /** `port` when nobody has it now (a familiar number is easier to read), else one more of the block. */
  prefer(port: number): Promise<number>;
  /** The second part: where a janitor may allocate. */
  readonly range: { readonly from: number; readonly to: number };
}

/** Enough for a world of one story. */
const SINGLES = 40;
/** Below the kernel's ephemeral range, above what services use by custom. */
const LOWEST = 10_000;
const HIGHEST = 32_000;
const MAX_TRIES = 400;

/** Finds `singles + allocatable` free neighbours, starting at a random place. Throws when the machine has no such block. */
export async function findPortBlock(allocatable: number, singles = SINGLES): Promise<PortBlock> {
  const size = singles + allocatable;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    // somewhere else each time: another world beside this one looks for a place, too
    const from = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - size));
    if (await allFree(from, from + size - 1)) return blockAt(from, size, singles);
  }
  throw new Error(`found no ${size} free neighbouring ports between ${LOWEST} and ${HIGHEST}`);
}

function blockAt(from: number, size: number, singles: number): PortBlock {
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
