/**
 * One raw connection: a request ends at a chunk that ends with NUL, or when the client half-closes; then comes one answer
 * and the end. An unfinished request is dropped after `idleMs` without a byte, and nobody is told.
 */
import type { Socket } from 'node:net';

export interface ConnectionHandlers {
  /** Called at most once, with everything received. */
  onRequest(bytes: Buffer): void;
  /** The client half-closed or left after its request: ends an event stream. */
  onEnd(): void;
}

export function readRequest(socket: Socket, idleMs: number, handlers: ConnectionHandlers): void {
  const chunks: Buffer[] = [];
  let complete = false;
  socket.setTimeout(idleMs);
  socket.on('timeout', () => {
    if (!complete) socket.destroy();
  });
  // a client that goes away is no error of ours
  socket.on('error', () => socket.destroy());

  function finish(): void {
    complete = true;
    socket.setTimeout(0);
    handlers.onRequest(Buffer.concat(chunks));
  }

  socket.on('data', (chunk: Buffer) => {
    if (complete) return;
    chunks.push(chunk);
    if (chunk.at(-1) === 0) finish();
  });
  socket.on('end', () => {
    if (complete) handlers.onEnd();
    else finish();
  });
}

/** The request as a value; undefined when there is none at all, and a string when it is no JSON. */
export function decodeRequest(bytes: Buffer): unknown {
  const text = bytes.toString('utf8').replace(/\0+$/, '');
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
