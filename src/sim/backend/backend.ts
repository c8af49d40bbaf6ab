/**
 * A backend that says who it is: over TCP one HTTP answer for each connection, over UDP one datagram for each datagram.
 * The 127/8 addresses need no setup on Linux, so that each instance of a service can have an address of its own.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';

export interface Identity {
  readonly service: string;
  readonly instance: string;
  readonly address: string;
  readonly port: number;
}

export interface BackendOptions {
  readonly address: string;
  readonly port: number;
  readonly proto: 'tcp' | 'udp';
  /** The service, by display path. */
  readonly name: string;
  /** Which of its instances: path and node. @default the service */
  readonly instance?: string;
}

export interface SimBackend {
  readonly identity: Identity;
  readonly proto: 'tcp' | 'udp';
  /** Requests or datagrams answered. */
  served(): number;
  stop(): Promise<void>;
}

/** The reply to an HTTP request: the identity as JSON. The connection stays open between requests, as HTTP/1.1 wants. */
function httpReply(identity: Identity): string {
  const json = `${JSON.stringify(identity)}\n`;
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(json)}`,
    `x-served-by: ${identity.instance}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${json}`;
}

/** Starts one backend; rejects when the address and port are taken. */
export function startBackend(options: BackendOptions): Promise<SimBackend> {
  const { address, port, proto, name } = options;
  const identity = { service: name, instance: options.instance ?? name, address, port };
  return proto === 'tcp' ? startTcp(identity) : startUdp(identity);
}

async function startTcp(wanted: Identity): Promise<SimBackend> {
  let identity = wanted;
  let answered = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      for (let end = request.indexOf('\r\n\r\n'); end >= 0; end = request.indexOf('\r\n\r\n')) {
        const last = /^connection:\s*close/im.test(request.slice(0, end));
        request = request.slice(end + 4);
        answered += 1;
        socket.write(httpReply(identity));
        if (last) socket.end();
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted.port, wanted.address, resolve);
  });
  const bound = server.address();
  if (typeof bound === 'object' && bound !== null) identity = { ...wanted, port: bound.port };
  return {
    identity,
    proto: 'tcp',
    served: () => answered,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function startUdp(wanted: Identity): Promise<SimBackend> {
  let answered = 0;
  const socket = createSocket(wanted.address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(wanted.port, wanted.address, resolve);
  });
  const identity = { ...wanted, port: socket.address().port };
  socket.on('message', (message, from) => {
    answered += 1;
    const reply = JSON.stringify({ ...identity, echo: message.toString('utf8') });
    socket.send(reply, from.port, from.address, () => undefined);
  });
  return {
    identity,
    proto: 'udp',
    served: () => answered,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
