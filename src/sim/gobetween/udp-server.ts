/**
 * A udp server: one session, with a backend and a socket of its own, per client address. max_requests 1 forwards
 * and forgets; larger ones are not enforced; max_responses ends the session. Source: server/udp; reference §6.
 * `transparent` is accepted, and only loses the replies: forging source addresses needs raw sockets.
 */
import { type Socket, createSocket } from 'node:dgram';
import { type Access, parseAccess } from './access.js';
import { listenError, resolveListen } from './address.js';
import { dialAddress } from './backend.js';
import { durationOr } from './go-strings.js';
import { deref } from './panic.js';
import { createScheduler } from './scheduler.js';
import type { Built, ServerParts } from './server.js';
import { type Session, createSession } from './udp-session.js';

/** Builds a server that does not listen yet. Throws GoPanic where the real constructor does. */
export function buildUdpServer(parts: ServerParts): Built {
  const { runtime, config, stats } = parts;
  const scheduler = createScheduler(runtime, config, stats);
  let access: Access | null = null;
  if (config.access !== null) {
    const parsed = parseAccess(config.access);
    if ('error' in parsed) return { refused: `Could not initialize access restrictions: ${parsed.error}` };
    access = parsed.access;
  }
  const udp = deref(config.udp);
  const sessions = new Map<string, Session>();
  const pool = new Map<string, Socket>();
  let socket: Socket | null = null;
  let lastTrafficMs = Number.NEGATIVE_INFINITY;
  let stopCleanup = (): void => undefined;

  const traffic = (target: string, rx: number, tx: number): void => {
    lastTrafficMs = performance.now();
    scheduler.traffic(target, rx, tx);
  };

  function received(message: Buffer, address: string, port: number): void {
    if (access?.allows(address) === false) return;
    if (udp.max_requests === 1n) return forget(message, address);
    const key = `${address} ${port}`;
    let session = sessions.get(key);
    if (session === undefined || session.done) {
      const replaces = session !== undefined;
      const backend = scheduler.take({ address, sni: '' });
      if (backend === null) return;
      const { target } = backend;
      scheduler.connected(target);
      session = createSession(runtime, {
        backend: backend.found,
        clientIdleMs: durationOr(config.ConnectionOptions.client_idle_timeout, 0),
        backendIdleMs: durationOr(config.ConnectionOptions.backend_idle_timeout, 0),
        maxResponses: udp.max_responses,
        reply: udp.transparent
          ? null
          : (answer) => {
              traffic(target, answer.length, 0);
              socket?.send(answer, port, address);
            },
        sent: (bytes) => traffic(target, 0, bytes),
        ended: () => scheduler.disconnected(target),
      });
      sessions.set(key, session);
      stats.connections = sessions.size;
      // The real one means to close the old session, but its goroutine sees the variable after it was assigned anew.
      if (replaces && parts.races) runtime.spawn(() => session?.close());
    }
    session.send(message);
  }

  function forget(message: Buffer, address: string): void {
    const backend = scheduler.take({ address, sni: '' });
    if (backend === null) return;
    const { target } = backend;
    const { host, port } = dialAddress(backend.found);
    let out = pool.get(target);
    if (out === undefined) {
      out = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      out.on('error', () => undefined);
      pool.set(target, out);
    }
    out.send(message, port, host, (error) => {
      if (error === null) runtime.run(() => traffic(target, 0, message.length));
    });
  }

  function cleanup(): void {
    for (const [key, session] of sessions) if (session.done) sessions.delete(key);
    stats.connections = sessions.size;
  }

  async function listen(): Promise<string | null> {
    const where = await resolveListen('udp', config.bind);
    if ('error' in where) return `Failed to resolve udp address ${config.bind} : ${where.error}`;
    const server = createSocket({ type: where.host.includes(':') ? 'udp6' : 'udp4' });
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        resolve(`Failed to create listening udp socket: ${listenError('udp', where.shown, error.code)}`);
      });
      server.bind({ address: where.host, port: where.port, exclusive: true }, () => {
        server.removeAllListeners('error');
        server.on('error', () => undefined);
        server.on('message', (message, { address, port }) => {
          runtime.run(() => received(message, address, port));
        });
        socket = server;
        resolve(null);
      });
    });
  }

  function close(): void {
    stopCleanup();
    socket?.close();
    socket = null;
    for (const session of sessions.values()) session.close();
    sessions.clear();
    for (const out of pool.values()) out.close();
    pool.clear();
  }

  return {
    server: {
      createdAtMs: performance.now(),
      get busy() {
        return performance.now() - lastTrafficMs < 1000;
      },
      async start() {
        // Nothing was started when this fails, so nothing is cleaned up: the statistics of the name stay for ever.
        const refused = await listen();
        if (refused !== null) return `Could not start listening UDP: ${refused}`;
        scheduler.start();
        stopCleanup = runtime.everyTwoSeconds(cleanup);
        return null;
      },
      stop() {
        const lag = parts.closeLagMs();
        const now = (): void => {
          close();
          parts.closed();
          scheduler.stop();
        };
        if (lag <= 0) runtime.spawn(now);
        else runtime.after(lag, now);
      },
      kill() {
        scheduler.stop();
        close();
      },
    },
  };
}
