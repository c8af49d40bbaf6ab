/**
 * A man in the middle of the agent's socket: a test may change, cut, hold or invent answers, and write anything into the
 * event stream. Requests and answers are JSON texts without their final NUL.
 */
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface AgentRequest {
  readonly action: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Returns the bytes to answer with, final NUL included if there shall be one; null leaves the connection to the hook. */
export type AgentHook = (
  request: AgentRequest,
  forward: () => Promise<string>,
  socket: Socket,
) => Promise<string | Buffer | null>;

export interface AgentProxy {
  readonly socketPath: string;
  readonly requests: readonly AgentRequest[];
  count(action: string): number;
  hook: AgentHook | undefined;
  /** Open event streams. */
  streams(): number;
  /** Writes bytes into every open stream of events. */
  inject(bytes: string | Buffer): void;
  /** Ends every open stream of events. */
  cutStreams(): void;
}

const UNTIL_NUL = 0;

/** Listens on `socketPath` in front of the agent on `target` until the test ends. */
export async function startAgentProxy(t: TestContext, target: string): Promise<AgentProxy> {
  const socketPath = `${target}.proxy`;
  const requests: AgentRequest[] = [];
  const sockets = new Set<Socket>();
  const streams = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      streams.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf(UNTIL_NUL);
      if (end < 0) return;
      const text = received.subarray(0, end).toString('utf8');
      received = received.subarray(end + 1);
      void serve(socket, text);
    });
  });

  async function serve(socket: Socket, text: string): Promise<void> {
    const request = JSON.parse(text) as AgentRequest;
    requests.push(request);
    if (request.action === 'events') return follow(socket, text);
    const forward = (): Promise<string> => ask(target, text);
    const answer = await (
      proxy.hook?.(request, forward, socket) ?? forward().then((body) => `${body}\0`)
    ).catch(() => '');
    if (answer === null) return;
    socket.end(answer);
  }

  /** The stream goes through as it is; what the agent ends ends here. */
  function follow(socket: Socket, text: string): void {
    const upstream = connect({ path: target });
    streams.add(socket);
    upstream.on('connect', () => upstream.write(`${text}\0`));
    upstream.on('data', (chunk) => socket.write(chunk));
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.end());
    socket.on('close', () => upstream.destroy());
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  t.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const proxy: AgentProxy = {
    socketPath,
    requests,
    count: (action) => requests.filter((request) => request.action === action).length,
    hook: undefined,
    streams: () => streams.size,
    inject: (bytes) => {
      for (const socket of streams) socket.write(bytes);
    },
    cutStreams: () => {
      for (const socket of streams) socket.destroy();
    },
  };
  return proxy;
}

/** One request; the answer without its NUL. */
function ask(target: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: target });
    const chunks: Buffer[] = [];
    socket.on('connect', () => socket.write(`${text}\0`));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const bytes = Buffer.concat(chunks);
      const end = bytes.indexOf(UNTIL_NUL);
      resolve(bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8'));
    });
  });
}
