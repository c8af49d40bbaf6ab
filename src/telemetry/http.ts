/**
 * The HTTP server of the page, metrics and health: read-only, small, and strict about what it answers (SPEC §8, §9).
 * Invariant: nothing that a client sends changes anything, and no client can hold more than a few small buffers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { fail, ok, type Result } from '../errors.js';
import type { HealthReport } from './health.js';

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What one path answers. May be asynchronous; throwing is a bug, answered with 500. */
export type Route = (request: {
  readonly accept: string | undefined;
  readonly url: URL;
}) => Page | Promise<Page>;

export interface HttpServer {
  /** Listens; the value is the address, with the port that the system chose for port 0. */
  start(): Promise<Result<{ readonly addr: string; readonly port: number }>>;
  /** Answers what was asked within a second, and closes every connection; resolves when the port is free. */
  stop(): Promise<void>;
}

export interface HttpOptions {
  readonly clock: Clock;
  readonly listen: { readonly addr: string; readonly port: number };
  readonly routes: ReadonlyMap<string, Route>;
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

/** A plain list of the paths, at `/`. */
export function indexRoute(paths: readonly string[]): Route {
  return () => ({ status: 200, contentType: text, body: `gobtw-janitor\n\n${paths.join('\n')}\n` });
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json; charset=utf-8';

function healthPage(report: HealthReport): Page {
  return { status: report.ok ? 200 : 503, contentType: json, body: `${JSON.stringify(report)}\n` };
}

const lingerMs = 1000;

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

export function createHttpServer(options: HttpOptions): HttpServer {
  const { addr, port } = options.listen;
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void answer(options, request, response),
  );
  server.maxConnections = 128;
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  return {
    start: () => listen(server, addr, port),
    stop: () =>
      new Promise((resolve) => {
        const cancel = options.clock.after(lingerMs, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, addr: string, port: number): ReturnType<HttpServer['start']> {
  return new Promise((resolve) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      const reason = (error.code !== undefined && reasons[error.code]) || error.message;
      const where = addr.includes(':') ? `[${addr}]:${port}` : `${addr}:${port}`;
      resolve(fail({ code: 'listen-failed', retry: 'no', message: `cannot listen on ${where}: ${reason}` }));
    };
    server.once('error', refused);
    server.listen({ host: addr, port, exclusive: true }, () => {
      server.off('error', refused);
      server.on('error', () => undefined); // accepting failed, for instance without free descriptors: the next one may not
      const bound = server.address();
      resolve(ok({ addr, port: typeof bound === 'object' && bound !== null ? bound.port : port }));
    });
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
): Promise<void> {
  const page = await pageOf(options, request);
  const body = Buffer.from(page.body);
  response.writeHead(page.status, {
    ...headers,
    ...(page.status === 405 ? { Allow: 'GET, HEAD' } : {}),
    ...(hasBody(request) ? { Connection: 'close' } : {}),
    'Content-Type': page.contentType,
    'Content-Length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A body is never read: the connection ends instead. */
function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

async function pageOf(options: HttpOptions, request: IncomingMessage): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, contentType: text, body: 'only GET and HEAD\n' };
  }
  const base = 'http://localhost';
  const target = request.url ?? '/';
  const url = target.startsWith('/') && URL.canParse(base + target) ? new URL(base + target) : null;
  const route = url === null ? undefined : options.routes.get(url.pathname);
  if (url === null || route === undefined) return { status: 404, contentType: text, body: 'not found\n' };
  try {
    return await route({ accept: request.headers.accept, url });
  } catch (error) {
    options.onError?.(url.pathname, error);
    return { status: 500, contentType: text, body: 'internal error\n' };
  }
}
