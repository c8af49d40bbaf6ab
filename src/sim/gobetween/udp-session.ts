/** One client of a udp server and its socket to a backend. Source: server/udp/session/session.go. */
import { createSocket } from 'node:dgram';
import { type Discovered, dialAddress } from './backend.js';
import type { Runtime } from './runtime.js';

export interface SessionOptions {
  readonly backend: Discovered;
  /** 0: never. Counts from the last datagram of the client. */
  readonly clientIdleMs: number;
  /** 0: never. Counts from the last datagram of the backend. */
  readonly backendIdleMs: number;
  /** 0: no limit. */
  readonly maxResponses: bigint;
  /** Null: replies are not read. */
  readonly reply: ((answer: Buffer) => void) | null;
  readonly sent: (bytes: number) => void;
  readonly ended: () => void;
}

export interface Session {
  /** A session that is done is replaced at the next datagram. */
  readonly done: boolean;
  send(message: Buffer): void;
  close(): void;
}

export function createSession(runtime: Runtime, options: SessionOptions): Session {
  const { host, port } = dialAddress(options.backend);
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const waiting: Buffer[] = [];
  let connected = false;
  let done = false;
  let responses = 0n;
  let cancelClient = (): void => undefined;
  let cancelBackend = (): void => undefined;

  function close(): void {
    if (done) return;
    done = true;
    cancelClient();
    cancelBackend();
    socket.close();
    options.ended();
  }
  const armClient = (): void => {
    cancelClient();
    if (options.clientIdleMs > 0) cancelClient = runtime.after(options.clientIdleMs, close);
  };
  const armBackend = (): void => {
    cancelBackend();
    if (options.backendIdleMs > 0 && options.reply !== null) {
      cancelBackend = runtime.after(options.backendIdleMs, close);
    }
  };
  const write = (message: Buffer): void => {
    socket.send(message, (error) => {
      if (error === null) runtime.run(() => options.sent(message.length));
    });
  };

  // A backend that refuses ends the session, as the failed read does.
  socket.on('error', () => runtime.run(close));
  socket.on('message', (answer) => {
    runtime.run(() => {
      if (done || options.reply === null) return;
      armBackend();
      options.reply(answer);
      responses++;
      if (options.maxResponses > 0n && responses >= options.maxResponses) close();
    });
  });
  // Called with the error, too, where the backend cannot be reached at all.
  socket.connect(port, host, (error?: Error | null) => {
    if (error) runtime.run(close);
    if (done || error) return;
    connected = true;
    for (const message of waiting.splice(0)) write(message);
  });
  armClient();
  armBackend();

  return {
    get done() {
      return done;
    },
    send(message) {
      if (done) return;
      armClient();
      if (connected) write(message);
      else waiting.push(message);
    },
    close,
  };
}
