/**
 * A plain client of the agent's raw socket, for tests of the stand-in: bytes out, bytes in, and the event stream as a
 * list that can be waited for. It knows nothing of the janitor.
 */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly bytes: Buffer;
  /** The JSON before the NUL; undefined when nothing or no whole document came. */
  readonly json: unknown;
  readonly nulTerminated: boolean;
}

/** Sends bytes verbatim and collects what comes until the agent closes. */
export function askBytes(
  socketPath: string,
  request: string,
  how: { halfClose?: boolean } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => {
      const bytes = Buffer.concat(chunks);
      const nulTerminated = bytes.at(-1) === 0;
      let json: unknown;
      if (nulTerminated) json = JSON.parse(bytes.subarray(0, -1).toString('utf8'));
      resolve({ bytes, json, nulTerminated });
    });
    if (how.halfClose === true) socket.end(request);
    else socket.write(request);
  });
}

/** Sends one request and gives its answer as JSON. */
export async function ask(socketPath: string, request: unknown): Promise<unknown> {
  return (await askBytes(socketPath, `${JSON.stringify(request)}\0`)).json;
}

export interface StreamMessage {
  readonly kind: string;
  readonly id?: number;
  readonly nodename?: string;
  readonly data: unknown;
}

export interface Follower {
  readonly messages: readonly StreamMessage[];
  /** What came after the last NUL: not empty when the stream was cut within a frame. */
  rest(): string;
  ended(): boolean;
  until(wanted: (messages: readonly StreamMessage[]) => boolean, withinMs?: number): Promise<void>;
  close(): void;
}

/** Subscribes to events; resolves when the connection is made and the request sent. */
export function follow(socketPath: string, options: Record<string, unknown> = {}): Promise<Follower> {
  const messages: StreamMessage[] = [];
  let rest = '';
  let ended = false;
  const socket = connect(socketPath);
  socket.on('data', (chunk: Buffer) => {
    const frames = (rest + chunk.toString('latin1')).split('\0');
    rest = frames.pop() ?? '';
    for (const frame of frames) messages.push(JSON.parse(frame) as StreamMessage);
  });
  socket.on('close', () => {
    ended = true;
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('connect', () => {
      socket.write(`${JSON.stringify({ action: 'events', options })}\0`, () =>
        resolve({
          messages,
          rest: () => rest,
          ended: () => ended,
          async until(wanted, withinMs = 60_000) {
            const deadline = performance.now() + withinMs;
            while (!wanted(messages)) {
              if (performance.now() > deadline) throw new Error(`not seen within ${withinMs} ms`);
              await pause(2);
            }
          },
          close: () => socket.destroy(),
        }),
      );
    });
  });
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
