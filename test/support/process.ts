/** The built program as a child process: its lines, its exit, its metrics. Killed by pid with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { World } from '../../src/sim/world.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  /** Resolves with the first line of standard output or error that matches; rejects when the time is up or it exits. */
  line(pattern: RegExp, withinMs?: number): Promise<string>;
  write(line: string): void;
  signal(signal: NodeJS.Signals): void;
}

/** Starts `gobtw-janitor ...args` with none of this process' own settings in its environment. */
export function startProgram(
  t: TestContext,
  args: readonly string[],
  env: Record<string, string> = {},
): Program {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    wake();
  });
  child.stdin.on('error', () => undefined);
  const exited = new Promise<Exit>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    line: (pattern, withinMs = 60_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => done('was not said in time'), withinMs);
        const look = (): void => {
          const found = `${stdout}\n${stderr}`.split('\n').find((line) => pattern.test(line));
          if (found !== undefined) done(null, found);
        };
        function done(wrong: string | null, found = ''): void {
          clearTimeout(timer);
          watchers.delete(look);
          if (wrong === null) resolve(found);
          else reject(new Error(`${String(pattern)} ${wrong}\n${stdout}\n${stderr}`));
        }
        watchers.add(look);
        child.once('close', () => done('was not said before the exit'));
        look();
      }),
    write: (line) => void child.stdin.write(`${line}\n`),
    signal: (signal) => void child.kill(signal),
  };
}

/** Runs `gobtw-janitor ...args` to its end. */
export function runProgram(
  t: TestContext,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Exit> {
  const program = startProgram(t, args, env);
  program.child.stdin?.end();
  return program.exited;
}

/** The world's flags as arguments, with further ones that win. */
export function flagsFor(
  world: Pick<World, 'flags'>,
  more: Readonly<Record<string, string>> = {},
): readonly string[] {
  return Object.entries({ ...world.flags, 'log-format': 'json', ...more }).flatMap(([flag, value]) => [
    `--${flag}`,
    value,
  ]);
}

/** Samples of /metrics by their full name with labels; undefined where there is none. */
export async function readMetrics(address: string): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }),
  );
}
