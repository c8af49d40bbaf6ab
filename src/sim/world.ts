/**
 * A whole little cluster of stand-ins on loopback: cluster model, v2.1 agent on a unix socket, DNS, GoBetween and
 * backends. Needs no privileges and no fixed port. The janitor is not in it: the demo and the tests start one against it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimAgent, startAgent } from './agent/agent.js';
import { followCluster } from './backend/follow-cluster.js';
import { createCluster, type SimCluster } from './cluster/cluster.js';
import { type SimDns, startDns } from './dns/dns.js';
import { startRealBalancer, startStandIn, type Writes } from './world-balancer.js';
import { findPortBlock, type PortBlock } from './world-ports.js';
import {
  deleteServer,
  postServer,
  showBackends,
  type ShownBackend,
  type ShownServers,
  showServers,
} from './world-rest.js';
import { type ServiceSpec, servicePath, serviceText } from './world-service.js';

export interface WorldOptions {
  readonly clusterName?: string;
  /** The first one is the gateway, whose agent the janitor talks to. */
  readonly nodes?: readonly string[];
  /** Path of a real GoBetween to run instead of the stand-in. */
  readonly gobetweenBin?: string | undefined;
  /** Ports that `ports.take` can give, and ports that a janitor may allocate. */
  readonly singles?: number;
  readonly allocatable?: number;
}

export interface World {
  readonly cluster: SimCluster;
  readonly agent: SimAgent;
  readonly dns: SimDns;
  readonly gobetweenUrl: string;
  readonly socketPath: string;
  readonly ports: PortBlock;
  /** The janitor's flags for this world, by name without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  /** Returns the service's path. */
  addService(name: string, spec: ServiceSpec): string;
  scale(path: string, instances: number): void;
  setBind(path: string, bind: string): void;
  /** The value of igw_gobtw_bind as it stands in the config now. */
  bindOf(path: string): string | undefined;
  /** Announced, as `om delete` does. */
  remove(path: string): void;
  has(path: string): boolean;
  /** Paths of all services; slaves belong to their scaler. */
  services(): readonly string[];
  servers(): Promise<ShownServers>;
  backends(server: string): Promise<readonly ShownBackend[]>;
  /** Creates a server that is none of the janitor's. */
  addForeign(name: string, body: unknown): Promise<void>;
  /** A process that is neither GoBetween nor ours listens on the port returned. */
  listenForeign(): Promise<number>;
  /** Removes a server behind the janitor's back. */
  dropServer(name: string): Promise<void>;
  writes(): Writes;
  stopGoBetween(): Promise<void>;
  startGoBetween(): Promise<void>;
  restartGoBetween(): Promise<void>;
  /** It keeps its connections and answers nothing, until it resumes. */
  hangGoBetween(): void;
  resumeGoBetween(): void;
  stop(): Promise<void>;
}

const ALLOCATABLE = 60;

/** Starts everything; when one part cannot start, the others are stopped again and the error is thrown. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const cleanups: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    return await build(options, cleanups, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  options: WorldOptions,
  cleanups: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'igw-world-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  const ports = await findPortBlock(options.allocatable ?? ALLOCATABLE, options.singles);
  cleanups.push(() => ports.release());
  const nodes = options.nodes ?? ['gw1', 'gw2'];
  const gateway = nodes[0] ?? 'gw1';
  const cluster = createCluster({
    name: options.clusterName ?? 'demo',
    nodes,
    dns: ['127.0.0.1'],
    firstAddress: randomLoopback(),
  });
  const dns = await startDns({ cluster, bind: '127.0.0.1:0' });
  cleanups.push(() => dns.stop());
  const socketPath = join(dir, 'lsnr.sock');
  const agent = await startAgent({ cluster, node: gateway, socketPath });
  cleanups.push(() => agent.stop());
  const backends = followCluster(cluster);
  cleanups.push(() => backends.stop());
  const { gobetweenBin } = options;
  const gobetween = await (gobetweenBin === undefined
    ? startStandIn()
    : startRealBalancer(gobetweenBin, dir, ports.take()));
  cleanups.push(() => gobetween.stop());

  return {
    cluster,
    agent,
    dns,
    gobetweenUrl: gobetween.url,
    socketPath,
    ports,
    flags: {
      socket: socketPath,
      gobetween: gobetween.url,
      hostname: gateway,
      'port-range': `${ports.range.from}-${ports.range.to}`,
      listen: '127.0.0.1:0',
      control: 'off',
    },
    addService(name, spec) {
      const path = servicePath(name, spec.namespace);
      cluster.create(path, serviceText(spec, dns.port));
      return path;
    },
    scale: (path, instances) => cluster.scale(path, instances),
    setBind: (path, bind) => cluster.set(path, 'env.igw_gobtw_bind', bind),
    bindOf: (path) => /^igw_gobtw_bind\s*=\s*(.*)$/m.exec(cluster.configText(path) ?? '')?.[1]?.trim(),
    remove: (path) => cluster.delete(path, { announced: true }),
    has: (path) => cluster.paths().includes(path),
    services: () => cluster.paths().filter((path) => path !== 'cluster' && !/(^|\/)\d+\.[^/]+$/.test(path)),
    servers: () => showServers(gobetween.url),
    backends: (server) => showBackends(gobetween.url, server),
    addForeign: (name, body) => postServer(gobetween.url, name, body),
    async listenForeign() {
      const port = ports.take();
      const server = createServer((socket) => socket.destroy());
      cleanups.push(() => server.close());
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: '0.0.0.0', port }, resolve);
      });
      return port;
    },
    dropServer: (name) => deleteServer(gobetween.url, name),
    writes: () => gobetween.writes(),
    stopGoBetween: () => gobetween.stop(),
    startGoBetween: () => gobetween.start(),
    async restartGoBetween() {
      await gobetween.stop();
      await gobetween.start();
    },
    hangGoBetween: () => gobetween.hang(),
    resumeGoBetween: () => gobetween.resume(),
    stop,
  };
}

/** Somewhere in 127/8, so that worlds side by side give their backends different addresses. */
function randomLoopback(): string {
  const part = (from: number, to: number): number => from + Math.floor(Math.random() * (to - from));
  return `127.${part(16, 250)}.${part(0, 250)}.1`;
}
