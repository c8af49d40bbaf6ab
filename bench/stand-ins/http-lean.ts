/**
 * As much of HTTP/1.1 as GoBetween's clients here speak: keep-alive, Content-Length bodies, one answer per request, in
 * order. A full HTTP server would take the core that the program under test is measured on.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface LeanAnswer {
  readonly status: 200 | 400 | 404 | 409;
  readonly body: string;
}

export interface LeanServer {
  readonly port: number;
  /** Breaks every connection and listens no more. */
  close(): Promise<void>;
}

const REASONS = { 200: 'OK', 400: 'Bad Request', 404: 'Not Found', 409: 'Conflict' } as const;
/** Above this GoBetween does not know the length in time, and sends chunks. */
const CHUNKED_ABOVE = 2048;

export async function listenLean(
  port: number,
  answer: (method: string, path: string, body: string) => LeanAnswer,
): Promise<LeanServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      for (;;) {
        const request = takeRequest(received);
        if (request === null) return;
        received = received.subarray(request.bytes);
        send(socket, answer(request.method, request.path, request.body));
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, backlog: 4096 }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function takeRequest(received: Buffer) {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = received.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const bytes = end + 4 + length;
  if (received.length < bytes) return null;
  const [method = '', path = ''] = head.slice(0, head.indexOf('\r\n')).split(' ', 2);
  return { method, path, body: length === 0 ? '' : received.toString('utf8', end + 4, bytes), bytes };
}

function send(socket: Socket, { status, body }: LeanAnswer): void {
  const head = `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: application/json; charset=utf-8\r\n`;
  if (body.length <= CHUNKED_ABOVE) {
    socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return;
  }
  const bytes = Buffer.from(body, 'utf8');
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n`);
  socket.write(bytes);
  socket.write('\r\n0\r\n\r\n');
}
