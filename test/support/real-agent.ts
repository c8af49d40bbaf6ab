/**
 * A real OpenSVC v2.1 agent as a one-node cluster: a given checkout, started in network, host name and mount namespaces of its
 * own, with everything it writes below one temporary directory. Invariant: only processes of those namespaces are ever
 * signalled, each by its pid; after `stop` none is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { pause, until } from '../../src/sim/world-wait.js';
import { isolated } from './real-requirements.js';

export interface RealAgentOptions {
  readonly source: string;
  readonly python: string;
  /** Where the agent lives; made, and filled with a copy of `source`. */
  readonly root: string;
  readonly nodes?: readonly string[];
  /** `cluster.dns` */
  readonly dns: string;
  /** Further lines of the agent's /etc/hosts. */
  readonly hosts?: readonly string[];
}

export interface RealAgent {
  readonly root: string;
  readonly socketPath: string;
  readonly node: string;
  pid(): number;
  start(): Promise<void>;
  /** As `om daemon stop` does; resolves when the process has ended. */
  stopGracefully(): Promise<void>;
  kill(): Promise<void>;
  request(message: object, timeoutMs?: number): Promise<unknown>;
  status(): Promise<AgentStatus>;
  /** Writes the config file of a service, whole; null removes the file. The agent looks within 15 s, or after `wake`. */
  dropConfig(path: string, text: string | null): Promise<void>;
  wake(): Promise<void>;
  /** `dropConfig` and `wake`. */
  writeConfig(path: string, text: string | null): Promise<void>;
  readConfig(path: string): Promise<string>;
  /** Runs an om command in the agent's namespaces; rejects with its output when it fails. */
  om(...args: readonly string[]): Promise<string>;
  /** Processor time of the daemon, all threads, in seconds. */
  cpuSeconds(): number;
  /** Ends every process of the agent. */
  stop(): Promise<void>;
}

export interface AgentStatus {
  readonly cluster: {
    readonly name: string;
    readonly nodes: readonly string[];
    readonly dns?: readonly string[];
  };
  readonly monitor: {
    readonly nodes: Readonly<Record<string, AgentNode | undefined>>;
    readonly services: Readonly<Record<string, unknown>>;
  };
}
export interface AgentNode {
  readonly monitor: { readonly status: string };
  readonly stats?: object;
  /** Absent while the agent starts. */
  readonly services?: {
    readonly config: Readonly<Record<string, { readonly csum: string }>>;
    readonly status: Readonly<
      Record<string, { readonly monitor?: { readonly status?: string } } | undefined>
    >;
  };
}

export const CLUSTER = 'clu1';
const NODE = 'n1';
const START_MS = 120_000;
const SECRET = '0123456789abcdef0123456789abcdef';

/** Runs in the new namespaces: no name look-up and no traffic leaves them. The daemon does not outlive the test. */
const ENTER = `
hostname "$1"; ip link set lo up
mount --bind "$2/tmp/hosts" /etc/hosts
mount --bind "$2/tmp/resolv.conf" /etc/resolv.conf 2>/dev/null
mount --bind /dev/null /proc/1/environ 2>/dev/null
exec setpriv --pdeathsig KILL "$3" -m opensvc daemon start --foreground`;

export async function createRealAgent(options: RealAgentOptions): Promise<RealAgent> {
  const { root, python } = options;
  const socketPath = join(root, 'var/lsnr/lsnr.sock');
  const environment = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: join(root, 'tmp'),
    LANG: 'C.UTF-8',
    PYTHONPATH: root,
  };
  let daemon: ChildProcess | null = null;
  /** The network namespace that marks what is ours. */
  let namespace = '';

  await prepare(options);

  function pid(): number {
    if (daemon?.pid === undefined) throw new Error('the agent does not run');
    return daemon.pid;
  }

  async function start(): Promise<void> {
    const output = openSync(join(root, 'log/console.log'), 'a');
    const [command, ...flags] = isolated;
    daemon = spawn(command, [...flags, 'bash', '-c', ENTER, 'agent', NODE, root, python], {
      cwd: root,
      env: environment,
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    const own = readlinkSync('/proc/self/ns/net');
    await until(() => (namespace = namespaceOf(pid())) !== own, 10_000);
    const settled = async (): Promise<boolean> => {
      if (daemon?.exitCode !== null) throw new Error(`the agent ended: ${await console()}`);
      const status = await read().catch(() => null);
      return status?.monitor.nodes[NODE]?.monitor.status === 'idle';
    };
    if (!(await until(settled, START_MS))) throw new Error(`the agent did not settle: ${await console()}`);
  }

  const console = async (): Promise<string> =>
    (await readFile(join(root, 'log/console.log'), 'utf8')).slice(-2000);

  function request(message: object, timeoutMs = 30_000): Promise<unknown> {
    return ask(socketPath, message, timeoutMs);
  }

  async function read(): Promise<AgentStatus> {
    return (await request({ action: 'daemon_status' })) as AgentStatus;
  }

  async function ended(withinMs: number): Promise<boolean> {
    const child = daemon;
    return (
      child === null || (await until(() => child.exitCode !== null || child.signalCode !== null, withinMs))
    );
  }

  async function kill(): Promise<void> {
    daemon?.kill('SIGKILL');
    await ended(10_000);
    daemon = null;
  }

  async function dropConfig(path: string, text: string | null): Promise<void> {
    const file = configFile(root, path);
    if (text === null) return rm(file);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }

  async function wake(): Promise<void> {
    await request({ action: 'wake_monitor', options: { reason: 'config file' } }).catch(() => undefined);
  }

  return {
    root,
    socketPath,
    node: NODE,
    pid,
    start,
    async stopGracefully() {
      await request({ action: 'daemon_stop' });
      if (!(await ended(30_000))) throw new Error('the agent does not stop');
      daemon = null;
    },
    kill,
    request,
    status: read,
    dropConfig,
    wake,
    async writeConfig(path, text) {
      await dropConfig(path, text);
      await wake();
    },
    readConfig: (path) => readFile(configFile(root, path), 'utf8'),
    om: (...args) =>
      run(
        'nsenter',
        ['-t', `${pid()}`, '-n', '-u', '-m', 'env', '-C', root, python, '-m', 'opensvc', ...args],
        environment,
      ),
    cpuSeconds: () => cpuSeconds(pid()),
    async stop() {
      await kill();
      // The commands that it had started outlive it; they are the other processes of its namespace.
      while (namespace !== '' && signalAll(namespace) > 0) await pause(50);
    },
  };
}

async function prepare({ source, root, dns, nodes = [NODE], hosts = [] }: RealAgentOptions): Promise<void> {
  const left = new Set(['.git', 'etc', 'var', 'log', 'tmp'].map((name) => join(source, name)));
  await cp(source, root, { recursive: true, filter: (path) => !left.has(path) });
  for (const dir of ['etc', 'log', 'tmp', 'var/lsnr', 'var/node', 'var/lock', 'var/dns']) {
    await mkdir(join(root, dir), { recursive: true });
  }
  await writeFile(join(root, 'opensvc/utilities/version/version.py'), "version = '2.1-src'\n");
  const cluster = {
    id: '11111111-1111-1111-1111-111111111111',
    name: CLUSTER,
    secret: SECRET,
    nodes: nodes.join(' '),
    dns,
  };
  await writeFile(join(root, 'etc/cluster.conf'), ini({ cluster }), { mode: 0o600 });
  const node = { env: 'TST', ready_period: '1s', rejoin_grace_period: '1s' };
  await writeFile(join(root, 'etc/node.conf'), ini({ node, listener: { addr: '127.0.0.1' } }));
  await writeFile(
    join(root, 'tmp/hosts'),
    ['127.0.0.1 localhost', `127.0.0.1 ${NODE}`, ...hosts, ''].join('\n'),
  );
  await writeFile(join(root, 'tmp/resolv.conf'), '');
}

/** Sections as the text of a config file. */
export function ini(sections: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  return Object.entries(sections)
    .map(
      ([name, keys]) =>
        `[${name}]\n${Object.entries(keys)
          .map(([key, value]) => `${key} = ${value}\n`)
          .join('')}\n`,
    )
    .join('');
}

function configFile(root: string, path: string): string {
  return join(root, path.includes('/') ? 'etc/namespaces' : 'etc', `${path}.conf`);
}

/** One request on a connection of its own; never half-closed, for the agent takes that for the end. */
function ask(socketPath: string, message: object, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath });
    let text = '';
    const timer = setTimeout(() => socket.destroy(new Error('the agent does not answer')), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(message)}\0`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\0')) return;
      resolve(JSON.parse(text.slice(0, -1)));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the agent closed the connection'));
    });
  });
}

function run(command: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${args.join(' ')}: exit ${String(code)}\n${output}`));
    });
  });
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}

/** Kills every process of a network namespace; returns how many there were. */
function signalAll(namespace: string): number {
  const found = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && namespaceOf(Number(name)) === namespace,
  );
  for (const name of found) {
    try {
      process.kill(Number(name), 'SIGKILL');
    } catch {
      // ended meanwhile
    }
  }
  return found.length;
}

/** utime + stime of /proc/PID/stat, which counts the threads; the unit is 1/100 s on Linux. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
