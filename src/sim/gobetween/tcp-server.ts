/**
 * A tcp or tls server: listens, and hands each connection to a backend. The order of the checks is the real one's:
 * SNI, limit of connections, access, backend, TLS. Source: server/tcp/server.go; reference §3, §4, §6.
 */
import { type Server, type Socket, connect, createServer, isIPv4 } from 'node:net';
import { type SecureContext, TLSSocket, connect as connectTls } from 'node:tls';
import { type Access, parseAccess } from './access.js';
import { listenError, resolveListen } from './address.js';
import { type Backend, dialAddress } from './backend.js';
import { helloHostname } from './client-hello.js';
import { durationOr } from './go-strings.js';
import { createScheduler } from './scheduler.js';
import type { Built, ServerParts } from './server.js';
import { proxy } from './tcp-proxy.js';
import { loadBackendsTls, loadServerTls } from './tls-files.js';

const BACKLOG = 4096;

/** Builds a server that does not listen yet. Throws GoPanic where the real constructor does. */
export function buildTcpServer(parts: ServerParts): Built {
  const { runtime, config, stats } = parts;
  const scheduler = createScheduler(runtime, config, stats);
  let access: Access | null = null;
  if (config.access !== null) {
    const parsed = parseAccess(config.access);
    if ('error' in parsed) return { refused: parsed.error };
    access = parsed.access;
  }
  let backendsTls: SecureContext | null = null;
  if (config.backends_tls !== null) {
    const loaded = loadBackendsTls(config.backends_tls);
    if ('error' in loaded) return { refused: loaded.error };
    backendsTls = loaded.context;
  }

  const options = config.ConnectionOptions;
  const clientIdleMs = durationOr(options.client_idle_timeout, 0);
  const backendIdleMs = durationOr(options.backend_idle_timeout, 0);
  const connectMs = durationOr(options.backend_connection_timeout, 0);
  const clients = new Set<Socket>();
  const sniffing = new Set<Socket>();
  let listener: Server | null = null;
  let serverTls: SecureContext | null = null;
  let lastTrafficMs = Number.NEGATIVE_INFINITY;

  const disconnected = (client: Socket): void => {
    client.destroy();
    clients.delete(client);
    stats.connections = clients.size;
  };

  function accept(client: Socket): void {
    client.on('error', () => undefined);
    if (listener?.listening !== true) return void client.destroy();
    if (config.sni === null) return admit(client, '');
    sniffing.add(client);
    const cancel = runtime.after(durationOr(config.sni.read_timeout, 2000), () => client.destroy());
    client.once('readable', () => {
      cancel();
      sniffing.delete(client);
      const first = client.read() as Buffer | null;
      if (first === null) return void client.destroy();
      client.unshift(first);
      runtime.run(() => admit(client, helloHostname(first)));
    });
    client.once('close', () => sniffing.delete(client));
  }

  function admit(client: Socket, sni: string): void {
    const most = options.max_connections;
    if (most !== 0n && BigInt(clients.size) >= most) return void client.destroy();
    clients.add(client);
    stats.connections = clients.size;
    const address = client.remoteAddress;
    if (address === undefined || access?.allows(address) === false) return disconnected(client);
    const backend = scheduler.take({ address, sni });
    if (backend === null) {
      runtime.log('all backends have reached max connections limit');
      return disconnected(client);
    }
    dial(client, backend);
  }

  function dial(client: Socket, backend: Backend): void {
    const address = dialAddress(backend.found);
    const tls = config.backends_tls;
    const socket =
      backendsTls === null || tls === null
        ? connect(address)
        : connectTls({
            ...address,
            secureContext: backendsTls,
            rejectUnauthorized: !tls.ignore_verify,
          });
    const cancel = connectMs > 0 ? runtime.after(connectMs, () => socket.destroy()) : (): void => undefined;
    const failed = (): void => {
      cancel();
      runtime.run(() => {
        scheduler.refused(backend.target);
        disconnected(client);
      });
    };
    const gone = (): void => void socket.destroy();
    client.once('close', gone);
    socket.on('error', () => undefined);
    socket.once('close', failed);
    socket.once(backendsTls === null ? 'connect' : 'secureConnect', () => {
      cancel();
      socket.off('close', failed);
      client.off('close', gone);
      runtime.run(() => join(client, socket, backend.target));
    });
  }

  function join(client: Socket, socket: Socket, target: string): void {
    if (client.destroyed || !clients.has(client)) {
      socket.destroy();
      return disconnected(client);
    }
    scheduler.connected(target);
    if (config.proxy_protocol !== null) socket.write(proxyHeader(client));
    const plain =
      serverTls === null ? client : terminate(client, serverTls, config.tls?.tlsCommon.session_tickets);
    const count = (rx: number, tx: number): void => {
      lastTrafficMs = performance.now();
      scheduler.traffic(target, rx, tx);
    };
    proxy(
      runtime,
      [
        { from: socket, to: plain, idleMs: backendIdleMs, report: (bytes) => count(bytes, 0) },
        { from: plain, to: socket, idleMs: clientIdleMs, report: (bytes) => count(0, bytes) },
      ],
      () => {
        scheduler.disconnected(target);
        disconnected(client);
      },
    );
  }

  async function listen(): Promise<string | null> {
    const where = await resolveListen('tcp', config.bind);
    if ('error' in where) return `listen tcp: ${where.error}`;
    const server = createServer({ pauseOnConnect: true }, (client) => runtime.run(() => accept(client)));
    listener = server;
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        resolve(listenError('tcp', where.shown, error.code));
      });
      server.listen({ host: where.host, port: where.port, backlog: BACKLOG }, () => resolve(null));
    });
  }

  function close(): void {
    listener?.close();
    for (const client of [...clients, ...sniffing]) client.destroy();
    clients.clear();
    stats.connections = 0;
  }

  return {
    server: {
      createdAtMs: performance.now(),
      get busy() {
        return performance.now() - lastTrafficMs < 1000;
      },
      async start() {
        if (config.tls !== null) {
          const loaded = loadServerTls(config.tls);
          if ('error' in loaded) return loaded.error;
          serverTls = loaded.context;
        }
        scheduler.start();
        const refused = await listen();
        if (refused !== null) this.stop();
        return refused;
      },
      stop() {
        const lag = parts.closeLagMs();
        const now = (): void => {
          scheduler.stop();
          parts.closed();
          close();
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

function terminate(client: Socket, secureContext: SecureContext, tickets: boolean | undefined): TLSSocket {
  const socket = new TLSSocket(client, {
    isServer: true,
    secureContext,
    ...(tickets === true ? {} : { sessionTimeout: 1 }),
  });
  // A failed handshake ends the connection; the raw socket does not close by itself.
  socket.on('error', () => client.destroy());
  socket.on('close', () => client.destroy());
  return socket;
}

const plainIp = (address: string | undefined): string => (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');

function proxyHeader(client: Socket): string {
  const [source, destination] = [plainIp(client.remoteAddress), plainIp(client.localAddress)];
  const family = isIPv4(source) ? 'TCP4' : 'TCP6';
  return `PROXY ${family} ${source} ${destination} ${client.remotePort} ${client.localPort}\r\n`;
}
