/**
 * The two things a contract test runs against: the stand-in, and the real binary named by GOBETWEEN_BIN. Both start
 * from the same configuration, die, and start again on the same port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GoBetweenOptions, startGoBetween } from '../../src/sim/gobetween/gobetween.js';
import { send } from './gobetween-http.js';

/** The part of a configuration file that the recordings use. */
export interface FileConfig {
  readonly api: {
    readonly enabled: boolean;
    readonly bind: string;
    readonly basic_auth?: { readonly login: string; readonly password: string };
    readonly tls?: { readonly cert_path: string; readonly key_path: string };
    readonly cors?: boolean;
  };
  readonly defaults?: NonNullable<GoBetweenOptions['defaults']>;
}

export interface Target {
  readonly url: string;
  /** Resolves with the exit code when the process ends by itself; null after `waitMs`. */
  exited(waitMs: number): Promise<number | null>;
  /** Ends it (SIGTERM) if it lives, and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export type StartTarget = (config: FileConfig) => Promise<Target>;

async function startStandIn(config: FileConfig): Promise<Target> {
  const { bind, basic_auth: basicAuth, tls, cors } = config.api;
  const sim = await startGoBetween({
    bind,
    ...(basicAuth === undefined ? {} : { basicAuth }),
    ...(cors === undefined ? {} : { cors }),
    ...(config.defaults === undefined ? {} : { defaults: config.defaults }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            cert: readFileSync(tls.cert_path, 'utf8'),
            key: readFileSync(tls.key_path, 'utf8'),
            certPath: tls.cert_path,
            keyPath: tls.key_path,
          },
        }),
  });
  let code: number | null = null;
  sim.onExit((exitCode) => {
    code = exitCode;
  });
  return {
    url: sim.url,
    exited: (waitMs) => poll(waitMs, () => code),
    async restart() {
      await sim.exit(143);
      code = null;
      await sim.start();
    },
    stop: () => sim.exit(),
  };
}

function startReal(binary: string): StartTarget {
  return async (config) => {
    const folder = mkdtempSync(join(tmpdir(), 'gobetween-'));
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const url = `${config.api.tls === undefined ? 'http' : 'https'}://${config.api.bind}`;
    let child: ChildProcess | null = null;
    let code: number | null = null;
    const begin = async (): Promise<void> => {
      code = null;
      const started = spawn(binary, ['from-file', file, '-f', 'json'], { stdio: 'ignore' });
      child = started;
      started.on('exit', (exitCode) => {
        code = exitCode ?? 143;
        if (child === started) child = null;
      });
      const up = await poll(5000, async () => {
        const answer = await send(url, { method: 'GET', path: '/ping' });
        return answer.closed ? null : true;
      });
      if (up !== true) throw new Error(`${binary} does not answer on ${url}`);
    };
    const end = async (): Promise<void> => {
      const running = child;
      if (running === null) return;
      const gone = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGTERM');
      await gone;
    };
    await begin();
    return {
      url,
      exited: (waitMs) => poll(waitMs, () => code),
      async restart() {
        await end();
        await begin();
      },
      async stop() {
        await end();
        rmSync(folder, { recursive: true });
      },
    };
  };
}

async function poll<T>(waitMs: number, look: () => T | null | Promise<T | null>): Promise<T | null> {
  const until = Date.now() + waitMs;
  for (;;) {
    const seen = await look();
    if (seen !== null || Date.now() >= until) return seen;
    await sleep(10);
  }
}

export interface NamedTarget {
  readonly name: string;
  readonly start: StartTarget;
}

export const STAND_IN: NamedTarget = { name: 'stand-in', start: startStandIn };

/** The real program, or null, loudly, when GOBETWEEN_BIN does not name it. */
export function realTarget(): NamedTarget | null {
  const binary = process.env['GOBETWEEN_BIN'] ?? '';
  if (binary === '') {
    console.log('#\n# SKIPPED against the real GoBetween: set GOBETWEEN_BIN=/path/to/gobetween to run it\n#');
    return null;
  }
  return { name: 'real binary', start: startReal(binary) };
}

/** The stand-in always, the real program when it is there. */
export function targets(): readonly NamedTarget[] {
  const real = realTarget();
  return real === null ? [STAND_IN] : [STAND_IN, real];
}
