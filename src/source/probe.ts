/**
 * Finds the agent's socket and which dialect speaks on it (SPEC §6). One request serves both dialects: v2.1 answers it with
 * JSON within a millisecond, v3 with HTTP 400; anything else would cost 5 s or hang. Invariant: a socket file proves nothing
 * (one outlives its agent), only one that accepts and answers counts.
 */
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.js';
import { fail, ok, type Failure, type Result } from '../errors.js';
import type { Problem } from '../model/problem.js';
import { socketFailure } from './lsnr-request.js';

export type Dialect = 'v2.1' | 'v3';

export interface Agent {
  readonly path: string;
  readonly dialect: Dialect;
}

export interface AgentLocatorOptions {
  readonly clock: Clock;
  /** `--socket` or OPENSVC_LSNR_SOCK: a socket, or the directory of one; nothing else is tried then. */
  readonly given: string | null;
  /** Directories to look into. @default /var/run/lsnr, /var/lib/opensvc/lsnr */
  readonly directories?: readonly string[];
  /** One probe. @default 7000 */
  readonly timeoutMs?: number;
}

export interface AgentLocator {
  /**
   * Failures: agent-absent (no socket there), stale-mount, agent-unreachable (refuses), agent-timeout, agent-dialect (answers
   * neither way).
   */
  locate(): Promise<Result<Agent>>;
  /** `stale-mount`, as of the last `locate`. */
  problem(): Problem | null;
}

const PROBE = '{"action":"whoami","method":"GET","node":"ANY"}\r\n\r\n\0';
const DIRECTORIES = ['/var/run/lsnr', '/var/lib/opensvc/lsnr'];
/** A v2 file may outlive an upgrade to v3, so the newer name goes first. */
const NAMES = ['http.sock', 'lsnr.sock'];

const failure = (code: string, message: string): Failure => ({ code, retry: 'backoff', message });

export function createAgentLocator(options: AgentLocatorOptions): AgentLocator {
  const { clock, given, directories = DIRECTORIES, timeoutMs = 7000 } = options;
  let staleDirectory: string | null = null;

  async function locate(): Promise<Result<Agent>> {
    let stale: string | null = null;
    let worst: Failure | undefined;
    for (const path of await candidates(given, directories)) {
      const found = await probeSocket(clock, path, timeoutMs);
      const directory = dirname(path);
      if (found.ok) {
        staleDirectory = null;
        return ok({ path, dialect: found.value });
      }
      if (await isDeleted(directory)) {
        stale = directory;
        worst = failure('stale-mount', `${directory} was deleted on the host and mounted anew elsewhere`);
      } else worst ??= found.failure;
    }
    staleDirectory = stale;
    return fail(
      worst ??
        failure(
          'agent-absent',
          `no agent's socket at ${given ?? directories.join(' nor ')}; check that it runs, or name another place by --socket`,
        ),
    );
  }

  return {
    locate,
    problem: () => (staleDirectory === null ? null : staleMount(staleDirectory)),
  };
}

/** The sockets to try, best first. What was given is tried even when it does not exist: its failure says so. */
async function candidates(given: string | null, directories: readonly string[]): Promise<readonly string[]> {
  const isDirectory = async (path: string): Promise<boolean> =>
    (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (given !== null && !(await isDirectory(given))) return [given];
  const paths: string[] = [];
  for (const place of given === null ? directories : [given]) {
    for (const path of NAMES.map((name) => join(place, name))) {
      if ((await exists(path)) || (await isDeleted(place))) paths.push(path);
    }
  }
  return paths;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A bind mount of a directory that no longer exists on the host shows no link. */
async function isDeleted(directory: string): Promise<boolean> {
  const info = await stat(directory).catch(() => undefined);
  return info?.isDirectory() === true && info.nlink === 0;
}

/**
 * Where the v2.1 dialect connects to. `fresh`: probed anew, as at each reconnection of the stream (an upgraded agent speaks
 * another dialect); otherwise as found last. Failures: those of `locate`, and agent-dialect for an agent of v3.
 */
export function lsnrPath(locator: AgentLocator): (fresh: boolean) => Promise<Result<string>> {
  let known: string | null = null;
  let probing: Promise<Result<string>> | undefined;

  async function probe(): Promise<Result<string>> {
    const agent = await locator.locate();
    probing = undefined;
    known = agent.ok && agent.value.dialect === 'v2.1' ? agent.value.path : null;
    if (!agent.ok) return agent;
    if (known !== null) return ok(known);
    return fail(
      failure('agent-dialect', `${agent.value.path}: an agent of v3, which is not yet spoken here`),
    );
  }

  return async (fresh) => {
    if (!fresh && known !== null) return ok(known);
    probing ??= probe();
    return probing;
  };
}

/** Asks the one question at `path` and tells the dialect from the first bytes of the answer. */
function probeSocket(clock: Clock, path: string, timeoutMs: number): Promise<Result<Dialect>> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let head = '';
    let connected = false;
    const cancel = clock.after(timeoutMs, () =>
      settle(fail(failure('agent-timeout', `${path}: no answer to whoami within ${timeoutMs} ms`))),
    );
    function settle(result: Result<Dialect>): void {
      cancel();
      socket.destroy();
      resolve(result);
    }
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      connected = true;
      socket.write(PROBE);
    });
    socket.on('data', (chunk: string) => {
      head += chunk;
      if (/^\s*\{/.test(head)) settle(ok('v2.1'));
      else if (head.startsWith('HTTP/')) settle(ok('v3'));
      else if (head.length >= 5)
        settle(fail(failure('agent-dialect', `${path}: answers as no known agent does`)));
    });
    socket.on('error', (error) => settle(fail(socketFailure(path, error, connected))));
    socket.on('close', () => settle(fail(failure('agent-closed', `${path}: closed without an answer`))));
  });
}

function staleMount(directory: string): Problem {
  return {
    code: 'stale-mount',
    severity: 'problem',
    key: null,
    place: directory,
    message: 'the directory of the agent’s socket was deleted on the host after it was mounted here',
    keeps: 'every server, as it is; nothing new is learnt from the cluster',
    mend: 'restart this container, and mount the parent of the directory, which outlives an agent’s restart',
  };
}
