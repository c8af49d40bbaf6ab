/**
 * A stand-in for the v2.1 agent of one node: the raw socket `lsnr.sock` over a simulated cluster, with every request a
 * gateway makes and every defect it must survive. Invariant: what it answers is what recordings of a real one hold.
 */
import { rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { SimCluster } from '../cluster/cluster.js';
import { candidate } from './status-answer.js';
import type { Answer } from './answers.js';
import { decodeRequest, readRequest } from './connection.js';
import { defaultFlaws, type Flaws } from './flaws.js';
import { pythonJson } from './python-json.js';
import { createRouter, type Routed } from './router.js';
import { selects } from './selector.js';
import { createSessionStats } from './session-stats.js';
import { createStream, type EventStream } from './stream.js';
import { createView, type Phase, SETTLED } from './view.js';

/** A slow start: nothing, then configs, then `perStep` statuses each `stepMs`, then the peers, then idle. */
export interface Startup {
  readonly emptyMs: number;
  readonly stepMs: number;
  readonly perStep: number;
  readonly rejoinMs: number;
}

export interface SeenRequest {
  readonly action: string;
  readonly method: string | null;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface SimAgentOptions {
  readonly cluster: SimCluster;
  readonly node: string;
  readonly socketPath: string;
  readonly flaws?: Partial<Flaws>;
  /** Without it the agent is settled as soon as it listens. */
  readonly startup?: Startup;
  readonly onRequest?: (request: SeenRequest) => void;
}

export interface SimAgent {
  readonly node: string;
  readonly socketPath: string;
  /** Live switches. */
  readonly flaws: Flaws;
  /** Subscribers, and the ways to lose them. */
  readonly stream: EventStream;
  /** Requests seen for an action (`daemon_status`, `object_config`, …; `set` counts within `object_action`). */
  count(action: string): number;
  /** Shows only part of the cluster, as during a start; `{ name: 'idle' }` shows everything. */
  show(phase: { readonly name: Phase['name']; readonly statuses?: number }): void;
  /** Graceful: the node goes to maintenance, streams end, the socket file stays and refuses connections. */
  stop(): Promise<void>;
  /** As SIGKILL: connections break at once; the socket file stays. */
  kill(): Promise<void>;
  /** Starts again on a new inode, ids from 1. */
  start(startup?: Startup): Promise<void>;
  /** Resolves when the last slow start has ended. */
  settled(): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts an agent that listens on `socketPath`. Source: reference/opensvc-v2-protocol.md. */
export async function startAgent(options: SimAgentOptions): Promise<SimAgent> {
  const { cluster, node, socketPath } = options;
  const flaws = defaultFlaws(options.flaws);
  const stream = createStream(flaws);
  const view = createView(cluster, node);
  const stats = createSessionStats((changes) => stream.note(changes));
  const parts = { cluster, node, view, flaws, listener: stats };
  const route = createRouter(parts);
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let unsubscribe: (() => void)[] = [];
  let startId = 0;
  let settling = Promise.resolve();

  function accept(socket: Socket): void {
    sockets.add(socket);
    const session = stats.accepted();
    socket.on('close', () => {
      sockets.delete(socket);
      stream.unsubscribe(socket);
      stats.closed(session);
    });
    readRequest(socket, flaws.idleMs, {
      onRequest: (bytes) => void serve(socket, session, bytes),
      // an event stream ends at once; an answer that is being made is still sent
      onEnd: () => {
        stream.unsubscribe(socket);
        if (streams.has(socket)) socket.destroySoon();
      },
    });
  }

  const streams = new WeakSet<Socket>();

  async function serve(socket: Socket, session: string, bytes: Buffer): Promise<void> {
    const request = decodeRequest(bytes);
    if (request === undefined) {
      socket.destroySoon();
      return;
    }
    const routed = route(request);
    if ('kind' in routed) {
      send(socket, routed);
      return;
    }
    counts.set(routed.action, (counts.get(routed.action) ?? 0) + 1);
    options.onRequest?.(routed);
    stats.requested(session, `${routed.method ?? 'None'} /${routed.action}`, bytes.length);
    if (routed.stream) follow(socket, routed);
    else send(socket, await delayed(routed), flaws.answerPadding.get(routed.action));
  }

  async function delayed(routed: Routed): Promise<Answer> {
    const wait = flaws.answerMs + flaws.spinMs * cluster.spinning.length;
    if (wait > 0) await pause(wait);
    return routed.answer();
  }

  function send(socket: Socket, answer: Answer, paddingBytes = 0): void {
    if (answer.kind === 'silent') return;
    if (answer.kind === 'closed') {
      socket.destroySoon();
      return;
    }
    const text = `${pythonJson(answer.body)}${' '.repeat(paddingBytes)}\0`;
    const bytes = Buffer.from(answer.kind === 'cut' ? text.slice(0, text.length / 2) : text, 'latin1');
    stats.answered(bytes.length);
    socket.end(bytes);
    // the daemon closes, whatever the client does
    socket.destroySoon();
  }

  function follow(socket: Socket, { options: wanted }: Routed): void {
    if (wanted['full'] === true) {
      const error = 'Object of type bytes is not JSON serializable';
      const traceback = `Traceback (most recent call last):\nTypeError: ${error}\n`;
      send(socket, { kind: 'body', body: { status: 500, error, traceback } });
      return;
    }
    const { selector } = wanted;
    const filter = typeof selector === 'string' && selector !== '**' ? selector : undefined;
    streams.add(socket);
    stream.subscribe(
      socket,
      filter === undefined ? undefined : (path) => selects(filter, candidate(parts, path)),
    );
  }

  async function listen(): Promise<void> {
    const made = createServer({ allowHalfOpen: true }, accept);
    server = made;
    const temporary = `${socketPath}~`;
    await rm(temporary, { force: true });
    await new Promise<void>((resolve, reject) => {
      made.once('error', reject);
      made.listen(temporary, 128, resolve);
    });
    // bound under another name, so that closing leaves the file behind, as the daemon does
    await rename(temporary, socketPath);
    unsubscribe = [
      cluster.dataset.subscribe((change) => {
        if (view.shows(change)) stream.note([change]);
      }),
      cluster.onEvent((event) => stream.sendEvent(event)),
    ];
  }

  function show(phase: { readonly name: Phase['name']; readonly statuses?: number }): void {
    const statuses =
      phase.statuses ?? (phase.name === 'init' || phase.name === 'empty' ? 0 : SETTLED.statuses);
    const changes = view.enter({ name: phase.name, statuses });
    stream.note(changes);
    cluster.setNodeStatus(node, phase.name === 'empty' ? 'init' : phase.name);
  }

  async function settle(startup: Startup): Promise<void> {
    const mine = startId;
    const step = async (ms: number): Promise<boolean> => {
      await pause(ms);
      return mine === startId;
    };
    if (!(await step(startup.emptyMs))) return;
    for (let statuses = 0; statuses < cluster.paths().length; statuses += Math.max(1, startup.perStep)) {
      show({ name: 'init', statuses });
      if (!(await step(startup.stepMs))) return;
    }
    show({ name: 'rejoin' });
    if (await step(startup.rejoinMs)) show({ name: 'idle' });
  }

  async function start(startup?: Startup): Promise<void> {
    if (server !== undefined) throw new Error('this agent is running');
    startId += 1;
    if (startup !== undefined) show({ name: 'empty' });
    else if (startId > 1) show({ name: 'idle' });
    await listen();
    settling = startup === undefined ? Promise.resolve() : settle(startup);
  }

  async function close(end: (socket: Socket) => void): Promise<void> {
    const closing = server;
    if (closing === undefined) return;
    server = undefined;
    startId += 1;
    for (const each of unsubscribe) each();
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
    for (const socket of sockets) end(socket);
    await closed;
    stream.close();
  }

  await start(options.startup);
  return {
    node,
    socketPath,
    flaws,
    stream,
    count: (action) => counts.get(action) ?? 0,
    show,
    async stop() {
      if (server === undefined) return;
      cluster.setNodeStatus(node, 'maintenance');
      stream.close();
      await close((socket) => socket.destroySoon());
    },
    kill: () => close((socket) => socket.destroy()),
    start,
    settled: () => settling,
  };
}
