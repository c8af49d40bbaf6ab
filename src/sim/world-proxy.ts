/** A proxy in front of a real GoBetween's API that counts requests by method: the binary itself keeps no account. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingProxy {
  readonly url: string;
  count(method: string): number;
  /** Listens (again) on the same port. */
  open(): Promise<void>;
  /** Refuses connections, and cuts those that are open, as a dead process does. */
  close(): Promise<void>;
}

/** Forwards to 127.0.0.1:`targetPort`. What the target cuts short is cut short for the client too. */
export async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  const counts = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const method = incoming.method ?? 'GET';
    counts.set(method, (counts.get(method) ?? 0) + 1);
    const forwarded = request(
      { host: '127.0.0.1', port: targetPort, method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        answer.on('error', () => outgoing.destroy());
      },
    );
    forwarded.on('error', () => incoming.socket.destroy());
    incoming.pipe(forwarded);
  });
  let port = 0;
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (server.listening) return resolve();
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, () => {
        port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    count: (method) => counts.get(method) ?? 0,
    open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
