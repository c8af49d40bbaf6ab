/**
 * The whole chain for the tests of one file: a real agent, its DNS, a real GoBetween behind a proxy that counts, and backends of
 * ours on the addresses that the services' records name. Everything lives in one temporary directory and ends with the file.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { startBackend } from '../../src/sim/backend/backend.js';
import { startRealBalancer, type Writes } from '../../src/sim/world-balancer.js';
import { findPortBlock, type PortBlock } from '../../src/sim/world-ports.js';
import { showBackends, type ShownBackend, type ShownServers, showServers } from '../../src/sim/world-rest.js';
import { pause } from '../../src/sim/world-wait.js';
import { flagsFor, type Program, readMetrics, startProgram } from './process.js';
import { type AgentNode, createRealAgent, ini, type RealAgent } from './real-agent.js';
import { startAgentProxy } from './real-agent-proxy.js';
import { startFedDns, startPowerDns } from './real-dns.js';
import { findRealParts, type RealParts } from './real-requirements.js';
import { eventually } from './world.js';

export interface RealWorldOptions {
  /** Members of the cluster; only `n1`, the first, runs. */
  readonly nodes?: readonly string[];
  /** Before the agent starts. */
  readonly prepare?: (agent: RealAgent) => Promise<void>;
  /** Names that the agent's node resolves to addresses of backends; see `address`. */
  readonly hosts?: readonly string[];
}

export interface RealWorld {
  readonly agent: RealAgent;
  readonly ports: PortBlock;
  /** The janitor's flags for this world, by name without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  /** A loopback address of this world's own with a backend `who` that says its name on port 8080. */
  backend(who: string): Promise<string>;
  /** The address of one of `hosts`. */
  address(host: string): string;
  servers(): Promise<ShownServers>;
  backends(server: string): Promise<readonly ShownBackend[]>;
  writes(): Writes;
}

export interface Janitor extends Program {
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Problems and warnings in force with this code. */
  problems(code: string): Promise<number>;
  /** Ready: the list is complete and the first plan went out. */
  ready(withinMs?: number): Promise<void>;
}

const BACKEND_PORT = 8080;

const parts = findRealParts();
if (typeof parts === 'string')
  console.error(`# SKIPPED: the tests against a real agent and GoBetween. ${parts}`);

/** A test of the real chain: skipped, saying why, where the machine has none. */
export function realTest(name: string, timeoutMs: number, run: (t: TestContext) => Promise<void>): void {
  test(name, { timeout: timeoutMs, skip: typeof parts === 'string' ? parts : false }, run);
}

/** One world for all tests of a file, made with the first that asks. */
export function shareRealWorld(options: RealWorldOptions = {}): () => Promise<RealWorld> {
  const cleanups: (() => Promise<unknown>)[] = [];
  let world: Promise<RealWorld> | null = null;
  after(async () => {
    await world?.catch(() => undefined);
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  return () => {
    assert.ok(typeof parts !== 'string');
    world ??= build(parts, options, cleanups);
    return world;
  };
}

async function build(
  { agentSource, python, gobetween: gobetweenBin, pdns }: RealParts,
  { nodes, prepare, hosts = [] }: RealWorldOptions,
  cleanups: (() => Promise<unknown>)[],
): Promise<RealWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'gobtw-real-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const net = `127.${between(65, 250)}.${between(1, 250)}`;
  const hostAddresses = new Map(hosts.map((host, index) => [host, `${net}.${200 + index}`]));
  const agent = await createRealAgent({
    source: agentSource,
    python,
    root: join(dir, 'agent'),
    dns: `${net}.1`,
    ...(nodes === undefined ? {} : { nodes }),
    hosts: [...hostAddresses].map(([host, address]) => `${address} ${host}`),
  });
  await prepare?.(agent);
  cleanups.push(() => agent.stop());
  await agent.start();
  const dns = await (pdns === null
    ? startFedDns(agent, `${net}.1`)
    : startPowerDns(pdns, agent, join(dir, 'pdns'), `${net}.1`));
  cleanups.push(() => dns.stop());
  const ports = await findPortBlock(40);
  cleanups.push(async () => ports.release());
  const gobetween = await startRealBalancer(gobetweenBin, dir, ports.take());
  cleanups.push(() => gobetween.stop());
  let last = 1;

  function address(host: string): string {
    const found = hostAddresses.get(host);
    if (found === undefined) throw new Error(`no such host: ${host}`);
    return found;
  }

  return {
    agent,
    ports,
    flags: {
      socket: agent.socketPath,
      gobetween: gobetween.url,
      'port-range': `${ports.range.from}-${ports.range.to}`,
      listen: `127.0.0.1:${ports.take()}`,
      control: 'off',
      sweep: '2s',
      'quiet-wait': '500ms',
    },
    address,
    async backend(who) {
      last += 1;
      const at = hostAddresses.get(who) ?? `${net}.${last}`;
      const backend = await startBackend({ address: at, port: BACKEND_PORT, proto: 'tcp', name: who });
      cleanups.push(() => backend.stop());
      return at;
    },
    servers: () => showServers(gobetween.url),
    backends: (server) => showBackends(gobetween.url, server),
    writes: () => gobetween.writes(),
  };
}

/** Starts the program in this world; it is killed with the test, if it still runs. */
export function startJanitor(
  t: TestContext,
  world: RealWorld,
  more: Readonly<Record<string, string>> = {},
): Janitor {
  const program = startProgram(t, ['run', ...flagsFor(world, more)]);
  const listen = more['listen'] ?? world.flags['listen'] ?? '';
  const metrics = (): Promise<ReadonlyMap<string, number>> => readMetrics(listen);
  return {
    ...program,
    metrics,
    problems: async (code) => (await metrics()).get(`gobtw_janitor_problems{code="${code}"}`) ?? Number.NaN,
    ready: (withinMs = 20_000) =>
      eventually(async () => assert.equal((await fetch(`http://${listen}/readyz`)).status, 200), withinMs),
  };
}

/** Waits until the agent's status satisfies `look`. Asks rarely: a request each half second starves the stream of events. */
export async function whenAgent(
  world: RealWorld,
  look: (node: AgentNode) => boolean,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const node = (await world.agent.status()).monitor.nodes[world.agent.node];
    if (node !== undefined && look(node)) return;
    assert.ok(
      performance.now() < deadline,
      `the agent does not come to show what is waited for: ${String(look)}`,
    );
    await pause(700);
  }
}

/** A proxy that counts what the janitor asks of the agent; ends with the test. Its path goes into `--socket`. */
export async function countRequests(t: TestContext, world: RealWorld) {
  const proxy = await startAgentProxy(`${world.agent.root}.sock`, world.agent.socketPath);
  t.after(() => proxy.stop());
  return proxy;
}

/** The config of a service with one address, `expose`d on the backends' port. */
export function serviceConfig(
  ipname: string,
  env: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): string {
  return ini({
    DEFAULT: { nodes: 'n1', orchestrate: 'start', ...more },
    'ip#1': { type: 'host', ipname, ipdev: 'lo', netmask: '32', expose: `${BACKEND_PORT}/tcp` },
    env,
  });
}

function between(from: number, to: number): number {
  return from + Math.floor(Math.random() * (to - from));
}
