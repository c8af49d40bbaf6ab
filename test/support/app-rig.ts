/**
 * The whole program in virtual time: createApp over a cluster in memory, a GoBetween in memory and a DNS that answers,
 * without a socket. The janitor can be restarted, GoBetween too; both sides keep what they had.
 */
import type { App } from '../../src/app-handle.js';
import { createApp } from '../../src/app.js';
import { fail, ok } from '../../src/errors.js';
import { parseListen } from '../../src/model/bind.js';
import { normalise } from '../../src/model/normalise.js';
import type { Problem } from '../../src/model/problem.js';
import type { Listen } from '../../src/model/server.js';
import { displayPath } from '../../src/model/service.js';
import { type Given, parseSettings } from '../../src/settings/settings.js';
import type { DnsVerdict } from '../../src/source/dns-probe.js';
import type { StateFile } from '../../src/state/state-file.js';
import { type Compute, createInlineCompute } from '../../src/worker/compute.js';
import { createFakeBalancer, type FakeBalancer } from './fake-balancer.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';
import { createMemorySource, type MemorySource } from './memory-source.js';

export interface AppRig {
  readonly clock: FakeClock;
  readonly source: MemorySource;
  readonly balancer: FakeBalancer;
  /** The janitor that runs now. */
  readonly app: App;
  /** By DNS server's address; whoever is not here answers. */
  readonly dns: Map<string, DnsVerdict>;
  /** Values written back, as `web: 80/tcp-0.0.0.0:1234`. */
  readonly written: string[];
  /** What the janitor logged, at the level given by `log-level` (errors only by default). */
  readonly log: LogLine[];
  /** `stale-mount`, when the way to the agent is in trouble. */
  agentProblem: Problem | null;
  /** One page of the janitor that runs now; needs `listen`. */
  page(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** One sample of /metrics; needs `listen`. */
  metric(series: string): Promise<number | undefined>;
  /** Sets a service's bind, and other keywords without their prefix. */
  put(path: string, bind: string, more?: Readonly<Record<string, string>>): void;
  bindOf(path: string): string | undefined;
  advance(ms: number): Promise<void>;
  /** What GoBetween serves: name → bind. */
  served(): Readonly<Record<string, string>>;
  /** POSTs and DELETEs since the last call. */
  calls(): readonly string[];
  /** Problems now, as `code path`, sorted, each once; warnings about expose lines are left out. */
  problems(): readonly string[];
  /** Stops the janitor if it runs, and starts another one, which remembers nothing. */
  restart(given?: Given): Promise<void>;
  stop(): Promise<void>;
}

export interface AppRigOptions {
  readonly given?: Given;
  /** Before the first start. */
  readonly prepare?: (rig: AppRig) => void;
  readonly hostname?: string;
  readonly compute?: Compute;
  /** One request to GoBetween. @default 1 */
  readonly latencyMs?: number;
  readonly clock?: FakeClock;
  readonly state?: StateFile;
  /** @default true */
  readonly keepsState?: boolean;
  /** Another gateway, on this node of the cluster of the first. */
  readonly beside?: { readonly rig: AppRig; readonly node: string };
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const quiet: Given = { listen: 'off', control: 'off', 'log-level': 'error', 'log-format': 'json' };
const writeMs = 400;

function bodyListen(body: string): Listen {
  const { bind, protocol } = normalise(JSON.parse(body), 'post');
  const listen = parseListen(bind);
  if (listen === null) throw new Error(`GoBetween would not listen on ${bind}`);
  return { proto: protocol === 'udp' ? 'udp' : 'tcp', ...listen };
}

/** A janitor on node n1 that has run for 2 s. */
export async function openApp(options: AppRigOptions = {}): Promise<AppRig> {
  const clock = options.clock ?? options.beside?.rig.clock ?? createFakeClock();
  const source = createMemorySource(clock);
  if (options.beside !== undefined) {
    const { rig: first, node } = options.beside;
    Object.assign(source, { services: first.source.services, ownName: node, nodes: first.source.nodes });
  }
  const balancer = createFakeBalancer(clock, {
    latencyMs: options.latencyMs ?? 1,
    listenOf: bodyListen,
    show: (body) => JSON.stringify(normalise(JSON.parse(body), 'post')),
  });
  const dns = new Map<string, DnsVerdict>();
  const written: string[] = [];
  const log: LogLine[] = [];
  let app: App;
  let running = false;
  let seen = 0;
  let edits = 0;

  /** Checksums of several gateways' edits must differ. */
  function edit(path: string, env: Readonly<Record<string, string>>): void {
    source.put(path, env, { csums: { n1: `${source.ownName}-${++edits}` } });
  }

  source.setBind = async (key, value) => {
    source.requests.push(`set ${key}`);
    await new Promise<void>((resolve) => clock.after(writeMs, resolve));
    const path = displayPath(key);
    const service = source.services.get(path);
    if (service === undefined)
      return fail({ code: 'agent-unknown-object', retry: 'no', message: `no service ${path}` });
    written.push(`${path}: ${value}`);
    edit(path, { ...service.env, igw_gobtw_bind: value });
    return ok(undefined);
  };

  function create(given: Given = {}): App {
    const parsed = parseSettings({ ...quiet, ...options.given, ...given }, {});
    if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
    return createApp(
      parsed.settings,
      {
        clock,
        random: { next: () => (options.beside === undefined ? 0.1 : 0.9) },
        source,
        agent: { problem: () => rig.agentProblem },
        balancer,
        compute: options.compute ?? createInlineCompute(),
        writeLog: (line) => void log.push(JSON.parse(line) as LogLine),
        dnsProbe: async ({ ip }) => dns.get(ip) ?? { answers: true },
        srv: async () => ({ answers: true, rcode: 'NOERROR', records: [] }),
        tryListener: async () => ({ state: 'not-tried', why: 'in memory' }),
        hostname: options.hostname ?? options.beside?.node ?? 'n1',
        state: options.state ?? null,
      },
      '0.0.0',
      { keepsState: options.keepsState ?? true },
    );
  }

  const rig: AppRig = {
    clock,
    source,
    balancer,
    get app() {
      return app;
    },
    dns,
    written,
    log,
    agentProblem: null,
    async page(path) {
      const answer = await fetch(`${app.address()}${path}`);
      return { status: answer.status, text: await answer.text() };
    },
    async metric(series) {
      const { text } = await rig.page('/metrics');
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    put(path, bind, more = {}) {
      const others = Object.entries(more).map(([name, value]) => [`igw_gobtw_${name}`, value]);
      edit(path, { igw_gobtw_bind: bind, ...(Object.fromEntries(others) as Record<string, string>) });
    },
    bindOf: (path) => source.services.get(path)?.env['igw_gobtw_bind'],
    advance: (ms) => clock.advance(ms),
    served: () =>
      Object.fromEntries(
        [...balancer.servers]
          .map(([name, body]) => [name, (JSON.parse(body) as { bind: string }).bind] as const)
          .sort(),
      ),
    calls() {
      const all = balancer.writes();
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh;
    },
    problems() {
      const told = app.problems().filter(({ code }) => code !== 'not-exposed');
      const lines = told.map(({ code, key }) => `${code} ${key === null ? '' : displayPath(key)}`.trim());
      return [...new Set(lines)].sort();
    },
    async restart(given) {
      await rig.stop();
      app = create(given);
      await start();
    },
    async stop() {
      if (!running) return;
      running = false;
      const stopped = app.stop();
      await clock.advance(10_000);
      await stopped;
    },
  };

  async function start(): Promise<void> {
    running = true;
    const starting = app.start();
    await clock.advance(2_000);
    const opened = await starting;
    if (!opened.ok) throw new Error(opened.failure.message);
  }

  app = create();
  options.prepare?.(rig);
  await start();
  return rig;
}
