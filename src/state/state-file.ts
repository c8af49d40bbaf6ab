/**
 * The one file of `--state-dir`. Invariants: it is replaced whole (written beside, flushed, renamed), so that a crash or a
 * full disk leaves the former one; only its owner may read it, for configs may hold secrets. Source: SPEC §6.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '../errors.js';
import { corrupt, MAX_STATE_BYTES } from './state-text.js';

/** Failures are `state-unavailable` (the directory, the disk), or `state-corrupt` when what is there can be no state. */
export interface StateFile {
  readonly path: string;
  /** null: there is none. */
  read(): Promise<Result<Uint8Array | null>>;
  /** Lines are taken as they can be written. */
  write(lines: Iterable<string>): Promise<Result<void>>;
  /** Out of the way, not deleted; says where to. One that was set aside before is replaced. */
  setAside(): Promise<Result<string>>;
}

const NAME = 'state.ndjson';
const BATCH_CHARS = 64 * 1024;

export function createStateFile(directory: string, maxBytes: number = MAX_STATE_BYTES): StateFile {
  const path = join(directory, NAME);
  const beside = `${path}.new`;

  async function readAll(): Promise<Result<Uint8Array | null>> {
    // Not to hang on a pipe that bears this name.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(nullIfAbsent);
    if (file === null) return ok(null);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return corrupt('it is no file');
      if (stat.size > maxBytes)
        return corrupt(`it has ${stat.size} bytes, and ${maxBytes} is the most there can be`);
      return ok(await file.readFile());
    } finally {
      await file.close();
    }
  }

  async function replace(lines: Iterable<string>): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await rm(beside, { force: true });
    const file = await open(beside, 'wx', 0o600);
    try {
      for (const batch of batches(lines)) await file.writeFile(batch);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await flushed(directory);
  }

  return {
    path,
    read: () => attempt(readAll, `cannot read ${path}`),
    write: (lines) =>
      attempt(async () => {
        try {
          return ok(await replace(lines));
        } catch (error) {
          await rm(beside, { force: true }).catch(() => undefined);
          throw error;
        }
      }, `cannot write ${path}`),
    setAside: () =>
      attempt(async () => {
        await rename(path, `${path}.bad`);
        return ok(`${path}.bad`);
      }, `cannot rename ${path}`),
  };
}

function* batches(lines: Iterable<string>): Generator<string> {
  let batch = '';
  for (const line of lines) {
    batch += line;
    if (batch.length < BATCH_CHARS) continue;
    yield batch;
    batch = '';
  }
  if (batch !== '') yield batch;
}

/** A rename is on the disk when its directory is. */
async function flushed(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error;

function nullIfAbsent(error: unknown): null {
  if (isSystemError(error) && error.code === 'ENOENT') return null;
  throw error;
}

/** Errors of the system are values; any other is a bug. */
async function attempt<T>(work: () => Promise<Result<T>>, what: string): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return fail({ code: 'state-unavailable', retry: 'backoff', message: `${what}: ${error.message}` });
  }
}
