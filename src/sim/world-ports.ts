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

const SINGLES = 40;
/** Below the kernel's ephemeral range, above what services use by custom. */
const LOWEST = 10_000;
const HIGHEST = 32_000;
const MAX_TRIES = 50;
/** First ports of the blocks of this process: a block is only looked at, not held, until its world uses it. */
const given = new Set<number>();

/** Finds `SINGLES + allocatable` free neighbours, starting at a random place. Throws when the machine has no such block. */
export async function findPortBlock(allocatable: number): Promise<PortBlock> {
  const size = SINGLES + allocatable;
  let from = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - size));
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const taken = overlapping(from, size) ?? (await lastTaken(from, from + size - 1));
    if (taken === null && overlapping(from, size) === null) {
      given.add(from);
      return blockAt(from, size);
    }
    const next = (taken ?? from) + 1;
    from = next + size < HIGHEST ? next : LOWEST;
  }
  throw new Error(`found no ${size} free neighbouring ports between ${LOWEST} and ${HIGHEST}`);
}

/** The last port of a block given before that shares ports with from..from+size-1; null when there is none. */
function overlapping(from: number, size: number): number | null {
  const found = [...given].filter((start) => start < from + size && from < start + size);
  return found.length === 0 ? null : Math.max(...found) + size - 1;
}

function blockAt(from: number, size: number): PortBlock {
  let next = from;
  const take = (): number => {
    if (next >= from + SINGLES) throw new Error(`all ${SINGLES} single ports of this world are in use`);
    next += 1;
    return next - 1;
  };
  return {
    take,
    prefer: async (port) => ((await isFree(port)) ? port : take()),
    range: { from: from + SINGLES, to: from + size - 1 },
  };
}

/** The highest port from..to that somebody has; null when all are free. */
async function lastTaken(from: number, to: number): Promise<number | null> {
  for (let port = to; port >= from; port -= 1) {
    if (!(await isFree(port))) return port;
  }
  return null;
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
