/**
 * The cluster's DNS of a real agent, on port 53 of a loopback address of its own: PowerDNS asking the agent, as in production,
 * or else the DNS stand-in, fed from the agent's status.
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createDataset, type Json } from '../../src/sim/cluster/dataset.js';
import { startDns } from '../../src/sim/dns/dns.js';
import { until } from '../../src/sim/world-wait.js';
import { queryTcp } from './dns-client.js';
import { type AgentStatus, CLUSTER, type RealAgent } from './real-agent.js';

export interface RealDns {
  readonly address: string;
  stop(): Promise<void>;
}

const START_MS = 20_000;
/** Not more often: a request each half second or more starves the agent's stream of events. */
const FEED_MS = 1000;

/** PowerDNS `bin` before the agent's own DNS socket; `dir` gets its files. */
export async function startPowerDns(
  bin: string,
  agent: RealAgent,
  dir: string,
  address: string,
): Promise<RealDns> {
  await mkdir(dir);
  const backend = join(agent.root, 'var/dns/pdns.sock');
  // It gives up for good when nothing listens there; the agent's DNS thread starts later than its listener.
  if (!(await until(() => accepts(backend), START_MS)))
    throw new Error(`the agent has no DNS socket ${backend}`);
  const settings = {
    launch: 'remote',
    'remote-connection-string': `unix:path=${backend}`,
    'local-address': address,
    'local-port': '53',
    'socket-dir': dir,
    daemon: 'no',
    guardian: 'no',
    'disable-syslog': 'yes',
    loglevel: '3',
    'cache-ttl': '0',
    'query-cache-ttl': '0',
    'negquery-cache-ttl': '0',
    setuid: '',
    setgid: '',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(dir, 'pdns.conf'), lines.join(''));
  const child = spawn(bin, [`--config-dir=${dir}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (said = (said + chunk).slice(-4000)));
  }
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  if (!(await until(() => answers(address), START_MS))) {
    await stop();
    throw new Error(`${bin} does not answer on ${address}:53\n${said}`);
  }
  return { address, stop };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => resolve(true));
    socket.on('connect', () => socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

async function answers(host: string): Promise<boolean> {
  const reply = await queryTcp(53, 'SOA', CLUSTER, { host }).catch(() => null);
  return reply?.rcode === 'NOERROR';
}

/** The part that a zone is made of; an agent that starts shows nodes without any services. */
function zoneNodes(nodes: AgentStatus['monitor']['nodes']): Json {
  const parts = Object.entries(nodes).map(([name, node]) => {
    const status = Object.entries(node?.services?.status ?? {}).filter(([, instance]) => instance != null);
    return [name, { services: { status: Object.fromEntries(status) }, stats: node?.stats ?? {} }];
  });
  return Object.fromEntries(parts) as Json;
}

/** The stand-in; what it answers is at most a second older than the agent's status, and stays while the agent is away. */
export async function startFedDns(agent: RealAgent, address: string): Promise<RealDns> {
  const dataset = createDataset({ monitor: { nodes: {} } });
  const feed = ({ monitor }: AgentStatus): void =>
    dataset.put(['monitor', 'nodes'], zoneNodes(monitor.nodes));
  feed(await agent.status());
  const dns = await startDns({ cluster: { name: CLUSTER, dns: [address], dataset }, bind: `${address}:53` });
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    void agent
      .status()
      .then(feed, () => undefined)
      .finally(() => (asking = false));
  }, FEED_MS);
  return {
    address,
    async stop() {
      clearInterval(timer);
      await dns.stop();
    },
  };
}
