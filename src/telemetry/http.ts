/**
 * The HTTP server of the page, the API, metrics, health and control: small, and strict about what it answers (SPEC §8, §9).
 * Invariant: only what is listed as a command changes anything, and only the control socket lists any; no client can hold
 * more than a few small buffers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { type Cancel, type Clock, sleep } from '../clock.js';
import { fail, ok, type Result } from '../errors.js';
import type { HealthReport } from './health.js';

interface Head {
  readonly status: number;
  readonly contentType: string;
  /** Of a document: what it may load. Everything is forbidden without it. */
  readonly contentSecurityPolicy?: string;
}

export interface Page extends Head {
  readonly body: string;
}

/** A long answer, made piece by piece while it is sent: others get their turn in between. */
export interface LongPage extends Head {
  readonly pieces: Iterable<string>;
}

/** An answer without an end, for viewers. */
export interface FollowPage extends Head {
  /** `send` answers false once the viewer is too far behind; it is cut off then. null: there are too many viewers. */
  readonly follow: (send: (text: string) => boolean) => Cancel | null;
}

/** What one path answers. May be asynchronous; throwing is a bug, answered with 500. */
export type Route = (request: {
  readonly accept: string | undefined;
  readonly host: string | undefined;
  readonly url: URL;
}) => Page | LongPage | FollowPage | Promise<Page | LongPage | FollowPage>;

export interface HttpServer {
  /** Listens; the value is the address, with the port that the system chose for port 0. */
  start(): Promise<Result<{ readonly addr: string; readonly port: number }>>;
  /** Answers what was asked within a second, and closes every connection; resolves when the port is free. */
  stop(): Promise<void>;
}

export interface HttpOptions {
  readonly clock: Clock;
  readonly listen: { readonly addr: string; readonly port: number } | { readonly path: string };
  readonly routes: ReadonlyMap<string, Route>;
  /** What changes something: by POST. @default none */
  readonly commands?: ReadonlyMap<string, Route>;
  /** Told of bugs only: a client must not be able to fill the log. */
  readonly onError?: (path: string, error: unknown) => void;
}

/** /metrics, /healthz and /readyz: all that `--metrics-listen` serves. */
export function watchRoutes(deps: {
  readonly expose: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly liveness: () => HealthReport;
  readonly readiness: () => HealthReport;
}): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/metrics', async ({ accept }) => ({ status: 200, ...(await deps.expose(accept)) })],
    ['/healthz', () => healthPage(deps.liveness())],
    ['/readyz', () => healthPage(deps.readiness())],
  ]);
}

/**
 * Routes that are answered only when asked for by an address, as `localhost` or by one of `names`: a web page elsewhere may
 * make a browser ask us under its own name (DNS rebinding), and must not read what services are exposed here.
 */
export function onlyUnderNames(
  names: () => readonly string[],
  routes: ReadonlyMap<string, Route>,
): ReadonlyMap<string, Route> {
  const body = 'ask by address, or by a name of this host\n';
  return new Map(
    [...routes].map(([path, route]): [string, Route] => [
      path,
      (request) =>
        isOneOf(request.host, names()) ? route(request) : { status: 421, contentType: text, body },
    ]),
  );
}

function isOneOf(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return isIP(name) !== 0 || name === 'localhost' || names.some((own) => own.toLowerCase() === name);
}

const text = 'text/plain; charset=utf-8';
export const json = 'application/json; charset=utf-8';

function healthPage(report: HealthReport): Page {
  return { status: report.ok ? 200 : 503, contentType: json, body: `${JSON.stringify(report)}\n` };
}

const lingerMs = 1000;
/** A viewer that is further behind is cut off; it comes back and begins anew. */
const mostBehindBytes = 4 * 1024 * 1024;

const headers = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function createHttpServer(options: HttpOptions): HttpServer {
  /** Answers without an end: nobody waits for them at the stop. */
  const following = new Set<ServerResponse>();
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void answer(options, request, response, following),
  );
  server.maxConnections = 128;
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  return {
    start: () => listen(server, options.listen),
    stop: () =>
      new Promise((resolve) => {
        const cancel = options.clock.after(lingerMs, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
        for (const response of following) response.end();
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, at: HttpOptions['listen']): ReturnType<HttpServer['start']> {
  const where =
    'path' in at ? at.path : at.addr.includes(':') ? `[${at.addr}]:${at.port}` : `${at.addr}:${at.port}`;
  return new Promise((resolve) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      const reason = (error.code !== undefined && reasons[error.code]) || error.message;
      resolve(fail({ code: 'listen-failed', retry: 'no', message: `cannot listen on ${where}: ${reason}` }));
    };
    server.once('error', refused);
    server.listen(
      'path' in at ? { path: at.path } : { host: at.addr, port: at.port, exclusive: true },
      () => {
        server.off('error', refused);
        server.on('error', () => undefined); // accepting failed, for instance without free descriptors: the next one may not
        const bound = server.address();
        const { address, port } =
          typeof bound === 'object' && bound !== null ? bound : { address: where, port: 0 };
        resolve(ok({ addr: 'addr' in at ? at.addr : address, port }));
      },
    );
  });
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'permission denied; ports below 1024 need the capability CAP_NET_BIND_SERVICE',
};

async function answer(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  following: Set<ServerResponse>,
): Promise<void> {
  const page = await pageOf(options, request);
  const head = {
    ...headers,
    'Content-Security-Policy': page.contentSecurityPolicy ?? nothing,
    ...(page.status === 405 ? { Allow: 'GET, HEAD' } : {}),
    ...(hasBody(request) ? { Connection: 'close' } : {}),
    'Content-Type': page.contentType,
  };
  if ('body' in page) {
    const body = Buffer.from(page.body);
    response.writeHead(page.status, { ...head, 'Content-Length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(page.status, head);
  if (request.method === 'HEAD') response.end();
  else if ('pieces' in page) await sendPieces(options, response, page.pieces);
  else {
    following.add(response);
    response.once('close', () => following.delete(response));
    sendFollowing(response, page.follow);
  }
}

/** One piece at a time, no faster than the client takes them, and with a turn of the loop between two. */
async function sendPieces(
  { clock, onError }: HttpOptions,
  response: ServerResponse,
  pieces: Iterable<string>,
): Promise<void> {
  try {
    for (const piece of pieces) {
      if (response.destroyed) return;
      if (response.write(piece)) await sleep(clock, 0);
      else await drained(response);
    }
    response.end();
  } catch (error) {
    onError?.('pieces', error);
    response.destroy();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function sendFollowing(response: ServerResponse, follow: FollowPage['follow']): void {
  const cancel = follow((frame) => {
    if (response.destroyed) return false;
    response.write(frame);
    if (response.writableLength <= mostBehindBytes) return true;
    response.destroy();
    return false;
  });
  if (cancel === null) response.end('event: full\ndata: {}\n\n');
  else response.once('close', cancel);
}

/** A body is never read: the connection ends instead. */
function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

async function pageOf(options: HttpOptions, request: IncomingMessage): Promise<Page | LongPage | FollowPage> {
  const isCommand = request.method === 'POST' && options.commands !== undefined;
  if (request.method !== 'GET' && request.method !== 'HEAD' && !isCommand) {
    return { status: 405, contentType: text, body: 'only GET and HEAD\n' };
  }
  const base = 'http://localhost';
  const target = request.url ?? '/';
  const url = target.startsWith('/') && URL.canParse(base + target) ? new URL(base + target) : null;
  const table = isCommand ? options.commands : options.routes;
  const route = url === null ? undefined : table?.get(url.pathname);
  if (url === null || route === undefined) return { status: 404, contentType: text, body: 'not found\n' };
  try {
    const { accept, host } = request.headers;
    return await route({ accept, host, url });
  } catch (error) {
    options.onError?.(url.pathname, error);
    return { status: 500, contentType: text, body: 'internal error\n' };
  }
}
