/**
 * A tap on a connection: forwards bytes between clients and a server and says when answers passed, so that a latency can be
 * taken from outside of the program under test. It adds two hops of its own to what it measures.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface Tap {
  close(): Promise<void>;
}

type Place = { readonly path: string } | { readonly host: string; readonly port: number };

/** `onAnswer` gets each chunk from the server after it was handed to the client's socket, with the time in milliseconds. */
export async function startTap(
  from: Place,
  to: Place,
  onAnswer: (chunk: Buffer, nowMs: number) => void,
): Promise<Tap> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...to, noDelay: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.end();
      });
    }
    client.on('data', (chunk: Buffer) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      client.write(chunk);
      onAnswer(chunk, performance.now());
    });
  });
  await new Promise<void>((resolve) => server.listen(from, resolve));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
