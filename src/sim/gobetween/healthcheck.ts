/**
 * Health checks: one worker per backend; a change of health counts after so many equal results in a row.
 * Source: healthcheck/*.go. The first check of a new backend runs at once.
 */
import { execFile } from 'node:child_process';
import { type Backend, dialAddress } from './backend.js';
import type { ExecCheckConfig, HealthcheckConfig } from './config.js';
import { parseDuration } from './go-strings.js';
import { GoPanic, deref } from './panic.js';
import { ping, probe } from './probe.js';
import type { Runtime } from './runtime.js';

export interface Healthcheck {
  /** What a backend is before its first result. */
  readonly initiallyLive: boolean;
  /** Keeps the workers of these backends, starts the missing ones and stops the others. */
  watch(backends: readonly Backend[]): void;
  stop(): void;
}

type Check = (backend: Backend) => Promise<boolean | null>;

const msOf = (text: string): number => {
  const parsed = parseDuration(text);
  return 'ms' in parsed ? parsed.ms : 0;
};

/** `onChange` hears of confirmed changes only. */
export function createHealthcheck(
  runtime: Runtime,
  config: HealthcheckConfig,
  onChange: (target: string, live: boolean) => void,
): Healthcheck {
  const workers = new Map<string, () => void>();
  const check = checkOf(config);
  return {
    initiallyLive: check === null || config.initial_status !== 'unhealthy',
    watch(backends) {
      if (check === null) return;
      const wanted = new Set(backends.map(({ target }) => target));
      for (const [target, stop] of workers) {
        if (wanted.has(target)) continue;
        stop();
        workers.delete(target);
      }
      for (const backend of backends) {
        if (!workers.has(backend.target)) {
          workers.set(backend.target, startWorker(runtime, config, backend, check, onChange));
        }
      }
    },
    stop() {
      for (const stop of workers.values()) stop();
      workers.clear();
    },
  };
}

function startWorker(
  runtime: Runtime,
  config: HealthcheckConfig,
  backend: Backend,
  check: Check,
  onChange: (target: string, live: boolean) => void,
): () => void {
  let confirmed: boolean | null = null;
  let [passes, fails] = [0, 0];
  let stopped = false;
  let cancel = (): void => undefined;
  const intervalMs = msOf(config.interval);

  function result(live: boolean | null): void {
    if (stopped || live === null || live === confirmed) return;
    if (live) [passes, fails] = [passes + 1, 0];
    else [passes, fails] = [0, fails + 1];
    const enough = live ? passes >= config.passes : fails >= config.fails;
    if (!enough) return;
    confirmed = live;
    onChange(backend.target, live);
  }

  function tick(): void {
    check(backend).then(
      (live) => runtime.run(() => result(live)),
      (error: unknown) => {
        if (error instanceof GoPanic) runtime.run(() => runtime.die(2, error.message));
        else runtime.run(() => result(false));
      },
    );
    cancel = runtime.after(intervalMs, tick);
  }

  tick();
  return () => {
    stopped = true;
    cancel();
  };
}

function checkOf(config: HealthcheckConfig): Check | null {
  const timeoutMs = msOf(config.timeout);
  switch (config.kind) {
    case 'ping':
      return (backend) => ping(dialAddress(backend.found), timeoutMs);
    case 'probe':
      return (backend) => probe(deref(config.ProbeHealthcheckConfig), dialAddress(backend.found), timeoutMs);
    case 'exec':
      return async (backend) => runCommand(deref(config.ExecHealthcheckConfig), backend, timeoutMs);
    default:
      return null;
  }
}

/** Null: an output that is neither the good one nor the bad one. */
function runCommand(config: ExecCheckConfig, { found }: Backend, timeoutMs: number): Promise<boolean | null> {
  return new Promise((resolve) => {
    if (config.exec_command === '') return resolve(false);
    // A time-out of 0 fires at once in the real program, too.
    const timeout = Math.max(1, timeoutMs);
    execFile(
      config.exec_command,
      [found.host, found.port],
      { timeout, killSignal: 'SIGKILL' },
      (error, out) => {
        if (error !== null) return resolve(false);
        if (out === config.exec_expected_positive_output) return resolve(true);
        resolve(out === config.exec_expected_negative_output ? false : null);
      },
    );
  });
}
