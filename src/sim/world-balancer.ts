/**
 * The GoBetween of a world: the stand-in in this process, or the real binary as a child. Both keep their API port over a
 * restart and forget every server with it, and both count the calls that change something.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGoBetween } from './gobetween/gobetween.js';
import { type CountingProxy, startCountingProxy } from './world-proxy.js';
import { until } from './world-wait.js';

export interface Writes {
  readonly posts: number;
  readonly deletes: number;
}

export interface WorldBalancer {
  readonly url: string;
  /** Calls that wanted to change something since the world began, whoever made them. */
  writes(): Writes;
  /** The process ends at once; its servers are forgotten. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** The process stands still: requests that reach it act after `resume`, also those whose client has left. */
  hang(): void;
  resume(): void;
}

export async function startStandIn(): Promise<WorldBalancer> {
  const gobetween = await startGoBetween();
  return {
    url: gobetween.url,
    writes: () => ({ posts: gobetween.count('POST'), deletes: gobetween.count('DELETE') }),
    stop: () => gobetween.exit(),
    start: () => gobetween.start(),
    hang: () => gobetween.hang(),
    resume: () => gobetween.resume(),
  };
}

/** Runs the binary `bin` with an empty configuration from `dir`, its API on `apiPort`, behind a proxy that counts. */
export async function startRealBalancer(bin: string, dir: string, apiPort: number): Promise<WorldBalancer> {
  const config = join(dir, 'gobetween.json');
  const bind = `127.0.0.1:${apiPort}`;
  await writeFile(config, JSON.stringify({ logging: { level: 'error' }, api: { enabled: true, bind } }));
  const proxy: CountingProxy = await startCountingProxy(apiPort);
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    child = spawn(bin, ['from-file', config, '-f', 'json'], { stdio: 'ignore' });
    const answers = async (): Promise<boolean> =>
      (await fetch(`http://${bind}/`).catch(() => null))?.ok === true;
    if (!(await until(answers, 10_000))) throw new Error(`${bin} does not answer on ${bind}`);
    await proxy.open();
  }

  async function stop(): Promise<void> {
    const dying = child;
    child = null;
    await proxy.close();
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL'); // ends a process that stands still, too
    await gone;
  }

  await start();
  return {
    url: proxy.url,
    writes: () => ({ posts: proxy.count('POST'), deletes: proxy.count('DELETE') }),
    stop,
    start,
    hang: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}
