/**
 * The REST API: authentication, CORS, routes and answers, down to headers. One handler per request, which reads the
 * whole body first. Source: api/*.go; reference/gobetween-rest.md §1-§4; test/contract replays the recordings.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Route, routeOf } from './http-route.js';
import { decodeServer } from './json-decode.js';
import { type Plain, type PlainObject, encodeIndented, encodeString } from './json-encode.js';
import type { Registry } from './registry.js';
import { encodeToml } from './toml.js';

export interface ApiOptions {
  readonly registry: Registry;
  readonly basicAuth: { readonly login: string; readonly password: string } | null;
  readonly cors: boolean;
  readonly info: () => PlainObject;
  /** The configuration of the process, without its servers, for /dump. */
  readonly dump: () => PlainObject;
  /** One line per request, as it is answered: status 0 when the connection was closed instead. */
  readonly record: (method: string, name: string, status: number) => void;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
/** Above this Go does not know the length in time, and sends chunks. */
const CHUNKED_ABOVE = 2048;

const json = (status: number, body: string, type = JSON_TYPE): Answer => ({
  status,
  headers: { 'Content-Type': type },
  body,
});
const text = (status: number, body: string, type = TEXT_TYPE): Answer => json(status, body, type);

/** Answers one request; null closes the connection without an answer, as a handler that panics does. */
export async function handleRequest(
  options: ApiOptions,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? '';
  const { route, query } = routeOf(method, request.url ?? '');
  const answer = await answerTo(options, request, method, route, query, body);
  options.record(method, 'name' in route ? route.name : (request.url ?? ''), answer?.status ?? 0);
  if (answer === null) {
    request.socket.destroy();
    return;
  }
  if (route.kind === 'bad-request') response.shouldKeepAlive = false;
  send(response, method, answer);
}

function send(response: ServerResponse, method: string, answer: Answer): void {
  const bytes = Buffer.from(answer.body, 'utf8');
  response.writeHead(answer.status, answer.headers);
  if (method === 'HEAD' || answer.status === 204) response.end();
  else if (bytes.length > CHUNKED_ABOVE) {
    response.write(bytes);
    response.end();
  } else response.end(bytes);
}

async function answerTo(
  options: ApiOptions,
  request: IncomingMessage,
  method: string,
  route: Route,
  query: URLSearchParams,
  body: Buffer,
): Promise<Answer | null> {
  if (route.kind === 'bad-request') return text(400, '400 Bad Request');
  if (route.kind === 'redirect') return redirect(method, route.status, route.location);
  const cors = options.cors ? corsHeaders(request, method) : {};
  const allowed = 'Access-Control-Allow-Methods' in cors;
  if (allowed) return { status: 204, headers: cors, body: '' };
  const answer = authorized(options, request, route)
    ? await perform(options, route, query, body)
    : { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="Authorization Required"' }, body: '' };
  return answer === null ? null : { ...answer, headers: { ...cors, ...answer.headers } };
}

function authorized({ basicAuth }: ApiOptions, request: IncomingMessage, route: Route): boolean {
  if (basicAuth === null || route.kind === 'ping' || route.kind === 'not-found') return true;
  const expected = Buffer.from(`${basicAuth.login}:${basicAuth.password}`).toString('base64');
  return request.headers.authorization === `Basic ${expected}`;
}

function corsHeaders(request: IncomingMessage, method: string): Readonly<Record<string, string>> {
  const { origin, host = '' } = request.headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return {};
  const always = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Credentials': 'true' };
  if (method !== 'OPTIONS') return always;
  return {
    ...always,
    'Access-Control-Allow-Methods': 'PUT,POST,DELETE,GET,OPTIONS',
    'Access-Control-Allow-Headers': 'Origin,Authorization',
    'Access-Control-Max-Age': '43200',
  };
}

function redirect(method: string, status: number, location: string): Answer {
  if (method !== 'GET') return { status, headers: { Location: location }, body: '' };
  const escaped = location.replaceAll('&', '&amp;').replaceAll("'", '&#39;');
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', Location: location },
    body: `<a href="${escaped}">Moved Permanently</a>.\n\n`,
  };
}

async function perform(
  options: ApiOptions,
  route: Route,
  query: URLSearchParams,
  body: Buffer,
): Promise<Answer | null> {
  const { registry } = options;
  switch (route.kind) {
    case 'ping':
      return text(200, 'OK');
    case 'info':
      return json(200, encodeIndented(options.info()));
    case 'dump':
      return dump(options, query.get('format') ?? 'toml');
    case 'list':
      return json(200, await registry.list());
    case 'get':
      return json(200, (await registry.get(route.name)) ?? 'null');
    case 'stats':
      return json(200, encodeIndented(registry.stats(route.name)));
    case 'remove':
      await registry.remove(route.name);
      return json(200, 'null');
    case 'create':
      return create(registry, route.name, body);
    default:
      return text(404, '404 page not found', 'text/plain');
  }
}

async function create(registry: Registry, name: string, body: Buffer): Promise<Answer | null> {
  const decoded = decodeServer(body);
  if ('error' in decoded) return json(400, encodeString(decoded.error), TEXT_TYPE);
  const created = await registry.create(name, decoded.config);
  if (created === 'panicked') return null;
  return created === 'created' ? json(200, 'null') : json(409, encodeString(created.refused));
}

async function dump(options: ApiOptions, format: string): Promise<Answer> {
  if (format !== 'toml' && format !== 'json') return json(500, encodeString(`Unknown format ${format}`));
  const servers: Record<string, Plain> = {};
  for (const [name, config] of await options.registry.configs()) servers[name] = config;
  const document = { ...options.dump(), servers };
  return text(200, format === 'toml' ? encodeToml(document) : encodeIndented(document));
}
