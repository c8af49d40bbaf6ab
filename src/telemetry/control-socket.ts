/**
 * The unix socket of `--control`: who may open it is who may write to its file, mode 0600 (SPEC §8). Invariants: a file that a
 * living process answers on is never taken over, one that nobody answers on is replaced; that it cannot be had is one
 * warning, never a reason to stop.
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../clock.js';
import { fail, ok, type Result } from '../errors.js';
import { createHttpServer, type HttpServer, type Route } from './http.js';

export interface ControlSocket {
  start(): Promise<Result<void>>;
  stop(): Promise<void>;
}

export function createControlSocket(deps: {
  readonly clock: Clock;
  readonly path: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly commands: ReadonlyMap<string, Route>;
}): ControlSocket {
  const { clock, path } = deps;
  let server: HttpServer | null = null;

  async function open(): Promise<Result<void>> {
    const free = await makeRoom(path);
    if (!free.ok) return free;
    const next = createHttpServer({
      clock,
      listen: { path },
      routes: deps.routes,
      commands: deps.commands,
    });
    // The file exists from the bind on, which listening does at once: never for others, not even for a moment.
    const before = process.umask(0o177);
    const started = next.start();
    process.umask(before);
    const bound = await started;
    if (!bound.ok) return bound;
    server = next;
    try {
      chmodSync(path, 0o600);
    } catch {
      // The mask has seen to it.
    }
    return ok(undefined);
  }

  return {
    start: open,
    // Closing removes the file.
    stop: async () => server?.stop(),
  };
}

/** Removes a socket that nobody answers on. */
async function makeRoom(path: string): Promise<Result<void>> {
  const taken = (message: string): Result<void> => fail({ code: 'listen-failed', retry: 'no', message });
  // The system would call it a lack of permission.
  if (!existsSync(dirname(path))) return taken(`there is no directory ${dirname(path)}`);
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch {
    return ok(undefined); // not there, or not to be seen: listening tells
  }
  if (!isSocket) return taken(`${path} is a file, and no socket`);
  if (await answers(path)) return taken(`another living process answers on ${path}`);
  try {
    unlinkSync(path);
    return ok(undefined);
  } catch (error) {
    return taken(`the stale ${path} cannot be removed: ${(error as Error).message}`);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Anything but a refusal may be a process that is busy.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
