/**
 * The lean agent's raw socket: the requests that a gateway makes, answered from memory. Invariant: for what it answers it
 * answers as src/sim does (test/unit/bench compares them), only at the size and rate of a bench.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { nodeOf, serviceOf } from '../fixture.js';
import { nowMs } from '../machine-clock.js';
import type { AgentData } from './agent-data.js';
import type { Stream } from './agent-stream.js';

export interface Seen {
  /** Requests by action. */
  readonly actions: Map<string, number>;
  /** Config reads in order: which service, when it was answered. */
  readonly reads: { readonly service: number; readonly at: number }[];
}

interface Request {
  readonly action?: string;
  readonly node?: string;
  readonly options?: { readonly path?: string; readonly evaluate?: boolean };
}

const WHOAMI =
  '{"nodes": {"n1": {"name": "root", "namespace": null, "auth": "secret", "raw_grant": "root", "grant": {"root": null}}}, "status": 0}';
const UNKNOWN = '{"error": "unknown service", "status": 1}';

export interface AgentSocketOptions {
  readonly path: string;
  readonly data: AgentData;
  readonly stream: Stream;
  readonly seen: Seen;
  /** Config reads a second, one after the other; 0: at once. */
  readonly readsPerSecond: () => number;
}

export async function listenAgent(options: AgentSocketOptions): Promise<Server> {
  const { data, stream, seen } = options;
  let free = 0;

  function accept(socket: Socket): void {
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('utf8');
      if (!received.endsWith('\0')) return;
      const request = JSON.parse(received.slice(0, -1)) as Request;
      received = '';
      serve(socket, request);
    });
  }

  function serve(socket: Socket, request: Request): void {
    const { action = '' } = request;
    seen.actions.set(action, (seen.actions.get(action) ?? 0) + 1);
    if (action === 'events') stream.subscribe(socket);
    else if (action === 'daemon_status') socket.end(data.status());
    else if (action === 'whoami') socket.end(`${WHOAMI}\0`);
    else if (action === 'object_config') readConfig(socket, request);
    else socket.end(`{"status": 501, "error": "handler None ${action} is not supported"}\0`);
  }

  function readConfig(socket: Socket, request: Request): void {
    const path = request.options?.path ?? '';
    const perSecond = path === 'cluster' ? 0 : options.readsPerSecond();
    if (perSecond <= 0) return answerConfig(socket, request, path);
    const now = nowMs();
    const start = Math.max(now, free);
    free = start + 1000 / perSecond;
    if (start - now < 1) answerConfig(socket, request, path);
    else setTimeout(() => answerConfig(socket, request, path), start - now);
  }

  function answerConfig(socket: Socket, request: Request, path: string): void {
    if (path === 'cluster') {
      socket.end(
        '{"cluster": {"id": "1d28d258-2508-76fb-7dde-22a17436ef9c", "name": "bench", "secret": "not-told", "nodes": "n1 n2 n3", "dns": "127.0.0.1"}, "metadata": {"name": "cluster", "kind": "ccfg", "namespace": null}}\0',
      );
      return;
    }
    const service = serviceOf(path);
    if (data.state(service) === undefined) {
      socket.end(`${UNKNOWN}\0`);
      return;
    }
    const node = nodeOf(service);
    const text = data.config(service);
    seen.reads.push({ service, at: nowMs() });
    if (request.node === 'ANY') socket.end(`{"nodes": {"${node}": ${text}}, "status": 0}\0`);
    else if (node === 'n1') socket.end(`${text}\0`);
    else socket.end(`{"status": "1", "error": "'${path}'", "traceback": "KeyError: '${path}'\\n"}\0`);
  }

  const server = createServer(accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.path, 128, resolve);
  });
  return server;
}
