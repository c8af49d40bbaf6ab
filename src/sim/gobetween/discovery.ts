/**
 * The discovery loop: fetch, publish, wait, for ever. Interval 0 stops after the first success; a failure retries
 * after a fixed 2 s, whatever the interval; a success without backends empties the list whatever the policy.
 * Source: discovery/discovery.go; reference/gobetween-rest.md §5. docker, consul and lxd never find anything here.
 */
import { execFile } from 'node:child_process';
import { BACKEND_PATTERN, type Discovered, parseBackendLine } from './backend.js';
import type { DiscoveryConfig } from './config.js';
import { compileRegexp } from './go-regexp.js';
import { durationOr, parseDuration } from './go-strings.js';
import { GoPanic, deref } from './panic.js';
import type { Runtime } from './runtime.js';
import { fetchSrv } from './srv.js';

export interface Discovery {
  /** An interval that Go cannot parse ends the process here. */
  start(): void;
  stop(): void;
}

type Fetch = (config: DiscoveryConfig) => Promise<readonly Discovered[]>;

const RETRY_MS = 2000;

/** Throws GoPanic for an unknown kind, and for json and plaintext without their fields. */
export function createDiscovery(
  runtime: Runtime,
  config: DiscoveryConfig,
  publish: (backends: readonly Discovered[]) => void,
): Discovery {
  const fetch = Object.hasOwn(FETCHERS, config.kind) ? FETCHERS[config.kind] : undefined;
  if (fetch === undefined) throw new GoPanic('call of nil function');
  fillPatterns(config);
  let stopped = false;
  let cancel = (): void => undefined;
  let intervalMs = 0;

  const wait = (ms: number): void => {
    cancel = runtime.after(ms, fetchOnce);
  };

  function fetchOnce(): void {
    if (fetch === undefined) return;
    fetch(config).then(
      (found) => runtime.run(() => done(found)),
      (error: unknown) => runtime.run(() => failed(error)),
    );
  }

  function done(found: readonly Discovered[]): void {
    if (stopped) return;
    publish(found);
    if (intervalMs !== 0) wait(intervalMs);
  }

  function failed(error: unknown): void {
    if (error instanceof GoPanic) return runtime.die(2, error.message);
    if (stopped) return;
    runtime.log(`${config.kind} error ${String(error)} retrying in 2s`);
    if (config.failpolicy === 'setempty') publish([]);
    wait(RETRY_MS);
  }

  return {
    start() {
      const interval = parseDuration(config.interval);
      if ('error' in interval) return runtime.die(1, interval.error);
      intervalMs = interval.ms;
      runtime.spawn(fetchOnce);
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** Constructors that write their defaults into the configuration, where GET shows them. */
function fillPatterns(config: DiscoveryConfig): void {
  if (config.kind === 'json') {
    const json = deref(config.JsonDiscoveryConfig);
    for (const name of ['host', 'port', 'weight', 'priority', 'sni', 'max_connections']) {
      const key = `json_${name}_pattern`;
      if (json[key] === '') json[key] = name;
    }
  }
  if (config.kind === 'plaintext') {
    const plaintext = deref(config.PlaintextDiscoveryConfig);
    if (plaintext.plaintext_regex_pattern === '') plaintext.plaintext_regex_pattern = BACKEND_PATTERN;
  }
}

const nothingThere = async (): Promise<never> => {
  throw new Error('not simulated');
};

const FETCHERS: Readonly<Record<string, Fetch>> = {
  static: async (config) =>
    parseLines(deref(config.StaticDiscoveryConfig).static_list ?? [], BACKEND_PATTERN),
  srv: async (config) => fetchSrv(deref(config.SrvDiscoveryConfig), durationOr(config.timeout, 5000)),
  exec: fetchExec,
  plaintext: fetchPlaintext,
  json: nothingThere,
  consul: async ({ ConsulDiscoveryConfig }) => (deref(ConsulDiscoveryConfig), nothingThere()),
  docker: async ({ DockerDiscoveryConfig }) => (deref(DockerDiscoveryConfig), nothingThere()),
  lxd: nothingThere,
};

function parseLines(lines: readonly string[], pattern: string): Discovered[] {
  const found: Discovered[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const compiled = compileRegexp(pattern);
    // regexp.MustCompile
    if ('error' in compiled) throw new GoPanic(compiled.error);
    const backend = parseBackendLine(line, compiled.regexp);
    if (backend !== null) found.push(backend);
  }
  return found;
}

async function fetchExec(config: DiscoveryConfig): Promise<readonly Discovered[]> {
  const [command, ...args] = deref(config.ExecDiscoveryConfig).exec_command ?? [];
  if (command === undefined) throw new GoPanic('index out of range [0] with length 0');
  const timeout = Math.max(1, durationOr(config.timeout, 3000));
  const output = await new Promise<string>((resolve, reject) => {
    execFile(command, args, { timeout, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(error.message));
    });
  });
  return parseLines(output.split('\n'), BACKEND_PATTERN);
}

async function fetchPlaintext(config: DiscoveryConfig): Promise<readonly Discovered[]> {
  const { plaintext_endpoint: url, plaintext_regex_pattern: pattern } = deref(
    config.PlaintextDiscoveryConfig,
  );
  const timeout = durationOr(config.timeout, 5000);
  const answer = await fetch(url, timeout > 0 ? { signal: AbortSignal.timeout(timeout) } : {});
  return parseLines((await answer.text()).split('\n'), pattern);
}
