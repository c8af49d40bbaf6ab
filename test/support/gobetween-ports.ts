/**
 * A thousand ports for one test run. The recordings use 21001-21999 and 18888 on 127.0.0.1; they are moved to a free
 * thousand below the ephemeral range, held by a lock on its first port, so that runs side by side do not meet.
 */
import { type Server, createServer } from 'node:net';

export interface PortRange {
  /** A text of the recordings, with this run's ports. */
  move(text: string): string;
  /** And back. */
  restore(text: string): string;
  port(offset: number): number;
  release(): Promise<void>;
}

const THOUSANDS = [11, 12, 13, 14, 15, 16, 17, 18, 19];
const API = '18888';
const API_OFFSET = 998;

/** Takes the first free thousand; throws when there is none. */
export async function takePorts(): Promise<PortRange> {
  for (const thousand of THOUSANDS) {
    const lock = await tryListen(thousand * 1000);
    if (lock === null) continue;
    const api = String(thousand * 1000 + API_OFFSET);
    const forth = new RegExp(`\\b(0?)21(\\d{3})\\b|\\b${API}\\b`, 'g');
    const back = new RegExp(`\\b${api}\\b|\\b(0?)${thousand}(\\d{3})\\b`, 'g');
    return {
      move: (text) =>
        text.replace(forth, (all, zero: string, rest: string) =>
          all === API ? api : `${zero}${thousand}${rest}`,
        ),
      restore: (text) =>
        text.replace(back, (all, zero: string, rest: string) => (all === api ? API : `${zero}21${rest}`)),
      port: (offset) => thousand * 1000 + offset,
      release: () => new Promise((resolve) => lock.close(() => resolve())),
    };
  }
  throw new Error(`no free range of ports among ${THOUSANDS.join(', ')} thousand`);
}

/** A listener on 127.0.0.1, or null when the port cannot be had. */
export function tryListen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
