/**
 * A stand-in for GoBetween: the REST API as recorded from the real one, and real forwarding. It runs in this process;
 * `exit` and lethal requests end it as a process ends: every socket closed, everything forgotten.
 * Invariant: the API keeps its port through restarts. test/contract judges it by recordings of the real program.
 */
import { type RequestListener, createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, type Server, type Socket, createServer as createTcp } from 'node:net';
import type { ConnectionOptions } from './config.js';
import { formatDuration } from './go-strings.js';
import { type ApiOptions, handleRequest } from './http-api.js';
import type { PlainObject } from './json-encode.js';
import { type Registry, createRegistry, shownName } from './registry.js';
import { type RuntimeControl, createRuntime } from './runtime.js';

export interface GoBetweenOptions {
  /** `host:port` of the API. @default '127.0.0.1:0' */
  readonly bind?: string;
  readonly basicAuth?: { readonly login: string; readonly password: string };
  readonly cors?: boolean;
  /** PEM texts: the API speaks https only. The paths are shown by /dump. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly certPath?: string;
    readonly keyPath?: string;
  };
  /** The `[defaults]` section of its configuration file. */
  readonly defaults?: Partial<Readonly<Record<keyof ConnectionOptions, string | number>>>;
  /** Milliseconds between the answer to a DELETE and the end of the listener. @default nearly always 0, 2 % 1-4 ms */
  readonly closeLagMs?: () => number;
  /**
   * Loses the races that the real program may lose: a DELETE of a server with traffic in the last second, or of a
   * udp server younger than 300 ms, ends the process; a udp session that replaces one just ended ends at once.
   * @default false
   */
  readonly races?: boolean;
  readonly log?: (line: string) => void;
}

export interface SimRequest {
  readonly method: string;
  /** The server's name; the request target where there is none. */
  readonly name: string;
  /** 0: the connection was closed without an answer. */
  readonly status: number;
}

export interface SimGoBetween {
  /** http(s)://host:port, the same after a restart. */
  readonly url: string;
  /** Another one after each start. */
  readonly pid: number;
  readonly alive: boolean;
  /** The process ends. */
  exit(code?: number): Promise<void>;
  /** Starts it again, on the same API port, without a server. */
  start(): Promise<void>;
  /** As SIGSTOP: what arrives is read on `resume`, and acts then, even if its sender has left. */
  hang(): void;
  resume(): void;
  onExit(fn: (code: number) => void): void;
  /** All answered requests since the first start. */
  readonly requests: readonly SimRequest[];
  count(method: string): number;
}

interface Life {
  readonly runtime: RuntimeControl;
  readonly registry: Registry;
  readonly server: Server;
  readonly sockets: Set<Socket>;
  readonly pid: number;
}

let lastPid = 20_000;

/** A later start may find a client's socket still on the port. */
const LISTEN_TRIES = 40;
const LISTEN_PAUSE_MS = 25;

/** Starts a stand-in; resolves when its API listens. */
export async function startGoBetween(options: GoBetweenOptions = {}): Promise<SimGoBetween> {
  const [, host = '127.0.0.1', firstPort = '0'] = /^(.*):(\d+)$/.exec(options.bind ?? '127.0.0.1:0') ?? [];
  const requests: SimRequest[] = [];
  const listeners: ((code: number) => void)[] = [];
  let port = Number(firstPort);
  let life: Life | null = null;

  async function begin(): Promise<void> {
    const runtime = createRuntime(options.log ?? ((): void => undefined), (code) => void end(code));
    const registry = createRegistry({
      runtime,
      defaults: readDefaults(options.defaults ?? {}),
      closeLagMs: options.closeLagMs ?? usualLagMs,
      races: options.races ?? false,
    });
    const pid = ++lastPid;
    const startedAt = Date.now();
    const api: ApiOptions = {
      registry,
      basicAuth: options.basicAuth ?? null,
      cors: options.cors ?? false,
      info: () => ({
        configuration: { kind: 'file', path: 'config.json' },
        pid,
        startTime: rfc3339(startedAt),
        time: rfc3339(Date.now()),
        uptime: formatDuration(Date.now() - startedAt),
        version: '',
      }),
      dump: () => dumpHead(options, `${host}:${port}`),
      record: (method, name, status) => requests.push({ method, name: shownName(name), status }),
    };
    const sockets = new Set<Socket>();
    const server = createListener(options.tls, listenerOf(runtime, api));
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    life = { runtime, registry, server, sockets, pid };
    port = await listen(server, host, port);
  }

  async function end(code: number): Promise<void> {
    if (life === null) return;
    const { runtime, registry, server, sockets } = life;
    life = null;
    runtime.end();
    registry.killAll();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    for (const fn of listeners) fn(code);
    await closed;
  }

  await begin();
  return {
    get url() {
      return `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
    },
    get pid() {
      return life?.pid ?? 0;
    },
    get alive() {
      return life !== null;
    },
    exit: (code = 0) => end(code),
    async start() {
      if (life === null) await begin();
    },
    hang: () => life?.runtime.hang(),
    resume: () => life?.runtime.resume(),
    onExit: (fn) => void listeners.push(fn),
    requests,
    count: (method) => requests.filter((request) => request.method === method).length,
  };
}

const usualLagMs = (): number => (Math.random() < 0.02 ? 1 + Math.random() * 3 : 0);

/** Reads the body, then acts in the process: at once, or on resume. */
function listenerOf(runtime: RuntimeControl, api: ApiOptions): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      runtime.run(() => {
        handleRequest(api, request, Buffer.concat(chunks), response).catch((error: unknown) => {
          // A fault of the stand-in itself must not look like an answer of GoBetween.
          process.emitWarning(`gobetween stand-in: ${String(error)}`);
          request.socket.destroy();
        });
      });
    });
  };
}

/** Keep-alive without limits, as Go's default server; https answers plain http with a line of text. */
function createListener(tls: GoBetweenOptions['tls'], listener: RequestListener): Server {
  const limits = {
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
    connectionsCheckingInterval: 1e9,
  };
  if (tls === undefined) return createHttp(limits, listener);
  const https = createHttps({ ...limits, cert: tls.cert, key: tls.key }, listener);
  return createTcp((socket) => {
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      socket.unshift(first);
      if (/^(GET \/|HEAD |POST |PUT \/|OPTIO)/.test(first.toString('latin1'))) {
        socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
      } else {
        https.emit('connection', socket);
      }
    });
  });
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  for (let tries = 1; ; tries++) {
    const problem = await new Promise<Error | null>((resolve) => {
      const failed = (error: Error): void => resolve(error);
      server.once('error', failed);
      server.listen({ host, port, backlog: 4096 }, () => {
        server.off('error', failed);
        resolve(null);
      });
    });
    if (problem === null) return (server.address() as AddressInfo).port;
    if (port === 0 || tries >= LISTEN_TRIES) throw problem;
    await new Promise((resolve) => setTimeout(resolve, LISTEN_PAUSE_MS));
  }
}

/** time.RFC3339Nano in UTC: no final zeros in the fraction. */
function rfc3339(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.?0*Z$/, 'Z');
}

function readDefaults(defaults: NonNullable<GoBetweenOptions['defaults']>): ConnectionOptions {
  const textOf = (key: keyof ConnectionOptions): string | null => {
    const value = defaults[key];
    return value === undefined ? null : String(value);
  };
  const most = defaults.max_connections;
  return {
    max_connections: most === undefined ? null : BigInt(most),
    client_idle_timeout: textOf('client_idle_timeout'),
    backend_idle_timeout: textOf('backend_idle_timeout'),
    backend_connection_timeout: textOf('backend_connection_timeout'),
  };
}

/** Everything /dump shows above the servers, the API's password included. */
function dumpHead(options: GoBetweenOptions, bind: string): PlainObject {
  const { basicAuth, tls, cors, defaults } = options;
  return {
    logging: { level: '', output: '', format: '' },
    api: {
      enabled: true,
      bind,
      basic_auth: basicAuth === undefined ? null : { ...basicAuth },
      tls: tls === undefined ? null : { cert_path: tls.certPath ?? '', key_path: tls.keyPath ?? '' },
      cors: cors ?? false,
    },
    metrics: { enabled: false, bind: '' },
    defaults: { ...readDefaults(defaults ?? {}) },
    acme: null,
    profiler: null,
  };
}
