/**
 * GoBetween as a bench sees it: the lean stand-in, or the real program with `--gobetween-bin`. Invariant: `fresh` leaves it
 * empty, in another life than before.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { nowMs, pause } from './machine-clock.js';
import { startRemote } from './remote.js';
import type { GobetweenProcess } from './stand-ins/gobetween-process.js';

export interface BenchBalancer {
  readonly name: string;
  readonly url: string;
  /** The process ends, and comes back empty after `downMs`; when it listened again. */
  fresh(downMs?: number): Promise<number>;
  /** How many servers it has. */
  servers(): Promise<number>;
  end(): Promise<void>;
}

export async function startLeanBalancer(): Promise<BenchBalancer> {
  const remote = startRemote<GobetweenProcess>('./stand-ins/gobetween-process.js');
  const { url } = await remote.call('start');
  return {
    name: 'stand-in',
    url,
    async fresh(downMs = 100) {
      const at = await remote.call('restart', downMs);
      await remote.call('forget');
      return at;
    },
    servers: () => countServers(url),
    end: () => remote.end(),
  };
}

export async function startRealBalancer(binary: string, folder: string): Promise<BenchBalancer> {
  const port = await freePort();
  const bind = `127.0.0.1:${port}`;
  const url = `http://${bind}`;
  const config = join(folder, 'gobetween.json');
  const content = { logging: { level: 'error', output: 'stdout' }, api: { enabled: true, bind } };
  writeFileSync(config, JSON.stringify(content));
  let child: ChildProcess | null = null;

  async function start(): Promise<number> {
    child = spawn(binary, ['from-file', config, '-f', 'json'], { stdio: 'ignore' });
    for (let tries = 0; tries < 2000; tries++) {
      const answer = await fetch(`${url}/ping`).catch(() => null);
      if (answer?.ok === true) return nowMs();
      await pause(5);
    }
    throw new Error('GoBetween does not answer');
  }

  async function kill(): Promise<void> {
    const dying = child;
    child = null;
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
  }

  process.once('exit', () => child?.kill('SIGKILL'));
  await start();
  return {
    name: 'GoBetween',
    url,
    async fresh(downMs = 100) {
      await kill();
      await pause(downMs);
      return start();
    },
    servers: () => countServers(url),
    end: kill,
  };
}

async function countServers(url: string): Promise<number> {
  return Object.keys((await (await fetch(`${url}/servers`)).json()) as object).length;
}

/** Below the range of outgoing connections, so that GoBetween finds it free again. */
async function freePort(): Promise<number> {
  for (let port = 18_800; port < 19_800; port++) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ host: '127.0.0.1', port }, () => {
        const { port: bound } = server.address() as AddressInfo;
        server.close(() => resolve(bound === port));
      });
    });
    if (free) return port;
  }
  throw new Error('no free port for GoBetween');
}
