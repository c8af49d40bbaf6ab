/** Clients and backends around a GoBetween under test: each backend tells its name first, then echoes. */
import { type Socket as UdpSocket, createSocket } from 'node:dgram';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from './gobetween-http.js';
import type { PortRange } from './gobetween-ports.js';
import type { NamedTarget, Target } from './gobetween-target.js';

export interface TcpBackend {
  readonly port: number;
  readonly connections: number;
  /** Everything that arrived, of all connections. */
  readonly received: string;
  close(): Promise<void>;
}

export interface Client {
  /** What has arrived so far. */
  readonly text: string;
  readonly ended: boolean;
  write(text: string): void;
  /** Resolves when the text has come, the connection has ended, or `waitMs` have passed. */
  until(text: string, waitMs?: number): Promise<string>;
  /** Milliseconds until the connection ended. */
  whenEnded(waitMs?: number): Promise<number>;
  close(): void;
}

export interface Lab {
  readonly target: Target;
  /** A port of this run that no test has had. */
  nextPort(): number;
  post(name: string, config: Record<string, unknown>): Promise<void>;
  remove(name: string): Promise<void>;
  stats(name: string): Promise<Stats>;
  dial(port: number, localAddress?: string): Client;
  /** The name of the backend that a connection reaches; '' when it is closed. */
  reach(port: number, localAddress?: string): Promise<string>;
  tcpBackend(name: string, port?: number): Promise<TcpBackend>;
  close(): Promise<void>;
}

export interface Stats {
  readonly active_connections: number;
  readonly rx_total: number;
  readonly tx_total: number;
  readonly rx_second: number;
  readonly tx_second: number;
  readonly backends: readonly {
    readonly host: string;
    readonly port: string;
    readonly priority: number;
    readonly weight: number;
    readonly sni?: string;
    readonly stats: Readonly<Record<string, number | boolean>>;
  }[];
}

export async function createLab(named: NamedTarget, ports: PortRange): Promise<Lab> {
  const target = await named.start({ api: { enabled: true, bind: `127.0.0.1:${ports.port(998)}` } });
  let next = 1;
  const closers: (() => Promise<void>)[] = [];
  const clients = new Set<Client>();
  const lab: Lab = {
    target,
    nextPort: () => ports.port(next++),
    async post(name, config) {
      const body = JSON.stringify(config);
      const answer = await send(target.url, { method: 'POST', path: `/servers/${name}`, body });
      if (answer.closed || answer.status !== 200) throw new Error(`POST ${name}: ${JSON.stringify(answer)}`);
    },
    async remove(name) {
      await send(target.url, { method: 'DELETE', path: `/servers/${name}` });
    },
    async stats(name) {
      const answer = await send(target.url, { method: 'GET', path: `/servers/${name}/stats` });
      if (answer.closed) throw new Error('no statistics');
      return JSON.parse(answer.text) as Stats;
    },
    dial(port, localAddress) {
      const client = createClient(
        connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) }),
      );
      clients.add(client);
      return client;
    },
    async reach(port, localAddress) {
      const client = lab.dial(port, localAddress);
      const text = await client.until('\n');
      client.close();
      return text.trim();
    },
    async tcpBackend(name, port) {
      const backend = await createTcpBackend(name, port ?? 0);
      closers.push(() => backend.close());
      return backend;
    },
    async close() {
      for (const client of clients) client.close();
      await target.stop();
      for (const close of closers) await close();
    },
  };
  return lab;
}

/** Wraps a connected or connecting socket. */
export function createClient(socket: Socket): Client {
  let text = '';
  let ended = false;
  const startedAt = performance.now();
  let endedAfter = 0;
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
    endedAfter = performance.now() - startedAt;
  });
  const wait = async (done: () => boolean, waitMs: number): Promise<void> => {
    for (const until = Date.now() + waitMs; !done() && Date.now() < until; ) await sleep(5);
  };
  return {
    get text() {
      return text;
    },
    get ended() {
      return ended;
    },
    write: (line) => void socket.write(line),
    async until(part, waitMs = 2000) {
      await wait(() => ended || text.includes(part), waitMs);
      return text;
    },
    async whenEnded(waitMs = 3000) {
      await wait(() => ended, waitMs);
      return ended ? endedAfter : Number.POSITIVE_INFINITY;
    },
    close: () => socket.destroy(),
  };
}

/** Waits until `look` says yes; false when it does not within `waitMs`. */
export async function eventually(look: () => boolean | Promise<boolean>, waitMs = 3000): Promise<boolean> {
  for (const until = Date.now() + waitMs; ; ) {
    if (await look()) return true;
    if (Date.now() >= until) return false;
    await sleep(25);
  }
}

export async function createTcpBackend(name: string, port: number): Promise<TcpBackend> {
  let connections = 0;
  let received = '';
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.write(`${name}\n`);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      socket.write(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get received() {
      return received;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

export interface UdpPeer {
  readonly socket: UdpSocket;
  readonly port: number;
  readonly messages: string[];
  /** Distinct senders seen, `port` each. */
  readonly senders: Set<number>;
}

/** A udp socket on loopback; with a name it answers each datagram with `name:datagram`. */
export async function createUdpPeer(name?: string): Promise<UdpPeer> {
  const socket = createSocket('udp4');
  const messages: string[] = [];
  const senders = new Set<number>();
  socket.on('message', (message, { port, address }) => {
    messages.push(message.toString());
    senders.add(port);
    if (name !== undefined) socket.send(`${name}:${message.toString()}`, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { socket, port: socket.address().port, messages, senders };
}

/** An assertion that both targets give the same value, whatever it is. */
export function createAgreement(): (what: string, value: unknown) => unknown {
  const first = new Map<string, unknown>();
  return (what, value) => {
    if (!first.has(what)) first.set(what, value);
    return first.get(what);
  };
}
