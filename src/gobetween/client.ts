/**
 * The HTTP side of one GoBetween: requests, time-outs and caps, and the only place that reads GoBetween's error texts.
 * Invariant: nothing here throws or retries; each call ends within its time-out, and what it came to is an Outcome.
 * A status has a connection of its own, kept alive for ever: when GoBetween runs out of files, new connections hang.
 * Source: reference/gobetween-rest.md §1-§3, SPEC §7.
 */
import { Pool } from 'undici';
import type { Clock } from '../clock.js';
import type { Answer, Balancer, BalancerStatus, Outcome, ServerStats } from './outcome.js';

export type Operation = 'status' | 'list' | 'create' | 'delete' | 'get' | 'stats';

export interface ClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  readonly clock: Clock;
  /** One request, lists apart. */
  readonly reqTimeoutMs: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Contents of a CA file, PEM. */
  readonly ca?: string | undefined;
  /** Writes in flight at most; the pool has room for the reads beside them. */
  readonly concurrency: number;
  /** One call per request, for the metrics. */
  readonly onRequest?: (operation: Operation, outcome: Outcome, ms: number) => void;
}

interface Limits {
  readonly totalMs: number;
  readonly betweenBytesMs: number;
}

type Reply =
  | { readonly status: number; readonly text: string }
  | { readonly outcome: Outcome; readonly detail: string };

const listLimits: Limits = { totalMs: 60_000, betweenBytesMs: 10_000 };
const bodyCapBytes = 64 * 1024 * 1024;
const detailCap = 500;
/** GoBetween never closes an idle connection; a failed one is noticed by its socket. */
const keepAliveMs = 600_000;

/** A client for one GoBetween. Callers keep at most one `list` in flight. */
export function createClient(options: ClientOptions): Balancer {
  const { clock, reqTimeoutMs } = options;
  const poolOptions = {
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    connect: { timeout: reqTimeoutMs, ...(options.ca === undefined ? {} : { ca: options.ca }) },
  };
  const statusPool = new Pool(options.url, { ...poolOptions, connections: 1 });
  const pool = new Pool(options.url, { ...poolOptions, connections: options.concurrency + 2 });
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.user !== undefined) {
    const login = `${options.user}:${options.password ?? ''}`;
    headers['authorization'] = `Basic ${Buffer.from(login, 'utf8').toString('base64')}`;
  }
  const one: Limits = { totalMs: reqTimeoutMs, betweenBytesMs: reqTimeoutMs };

  async function exchange(
    via: Pool,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: string | null,
    limits: Limits,
  ): Promise<Reply> {
    const abort = new AbortController();
    let expired = false;
    const expire = (): void => {
      expired = true;
      abort.abort();
    };
    const cancelTotal = clock.after(limits.totalMs, expire);
    let cancelIdle = clock.after(limits.betweenBytesMs, expire);
    try {
      const sent = body === null ? headers : { ...headers, 'content-type': 'application/json' };
      const answer = await via.request({ method, path, body, headers: sent, signal: abort.signal });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > bodyCapBytes)
          return { outcome: 'too-large', detail: `the answer is larger than ${bodyCapBytes} bytes` };
        chunks.push(chunk);
        cancelIdle();
        cancelIdle = clock.after(limits.betweenBytesMs, expire);
      }
      return { status: answer.statusCode, text: Buffer.concat(chunks, bytes).toString('utf8') };
    } catch (error) {
      return expired ? { outcome: 'timeout', detail: 'no answer in time' } : transportFailure(error);
    } finally {
      cancelTotal();
      cancelIdle();
    }
  }

  async function call<T>(
    operation: Operation,
    request: { via?: Pool; method: 'GET' | 'POST' | 'DELETE'; path: string | null; body?: string },
    read: (text: string) => T | undefined,
  ): Promise<Answer<T>> {
    if (request.path === null) return { outcome: 'invalid', detail: 'a name that no request can carry' };
    const startedMs = clock.now();
    const limits = operation === 'list' ? listLimits : one;
    const { via = pool, method, path, body = null } = request;
    const answer = readReply(await exchange(via, method, path, body, limits), read);
    options.onRequest?.(operation, answer.outcome, clock.now() - startedMs);
    return answer;
  }

  return {
    status: () => call('status', { via: statusPool, method: 'GET', path: '/' }, readStatus),
    list: () => call('list', { method: 'GET', path: '/servers' }, (text) => text),
    create: (name, body) => call('create', { method: 'POST', path: serverPath(name), body }, () => null),
    remove: (name) => call('delete', { method: 'DELETE', path: serverPath(name) }, () => null),
    get: (name) => call('get', { method: 'GET', path: serverPath(name) }, (text) => text),
    stats: (name) => call('stats', { method: 'GET', path: serverPath(name, '/stats') }, readStats),
    async close() {
      await Promise.all([statusPool.destroy(), pool.destroy()]);
    },
  };
}

/** One path segment; null for names that GoBetween cannot address (gobetween-rest.md §1 Names). */
function serverPath(name: string, suffix = ''): string | null {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return null;
  try {
    return `/servers/${encodeURIComponent(name)}${suffix}`;
  } catch {
    return null; // half a surrogate pair
  }
}

function readReply<T>(reply: Reply, read: (text: string) => T | undefined): Answer<T> {
  if ('outcome' in reply) return reply;
  const { status, text } = reply;
  if (status === 200) {
    const value = read(text);
    if (value === undefined) return { outcome: 'invalid', detail: `not GoBetween's answer: ${brief(text)}` };
    return { outcome: 'ok', value, detail: '' };
  }
  if (status === 401) return { outcome: 'unauthorized', detail: 'GoBetween refuses the user or password' };
  if (status === 409) {
    const words = refusalText(text);
    return { outcome: classifyRefusal(words), detail: brief(words) };
  }
  // A 5xx is never GoBetween's own here: something in between answers for one that is away.
  if (status >= 500) return { outcome: 'unreachable', detail: `HTTP ${status} ${brief(text)}` };
  return { outcome: 'invalid', detail: `HTTP ${status} ${brief(refusalText(text))}` };
}

/**
 * What a 409 means, by its text (the only sign there is). Patterns are anchored at the parts that GoBetween writes,
 * for the rest may be a user's own value.
 */
export function classifyRefusal(text: string): Outcome {
  if (text.startsWith('Server with this name already exists: ')) return 'exists';
  if (text.endsWith(': too many open files')) return 'no-files';
  if (/^(open |read |tls: |x509: |asn1: |failed to load )/.test(text)) return 'file-error';
  if (/(^|: )listen (tcp|udp)\S* .*: bind: address already in use$/s.test(text)) return 'port-busy';
  if (/(^|: )listen (tcp|udp)\S* .*: bind: cannot assign requested address$/s.test(text)) return 'no-address';
  if (/(^|: )listen (tcp|udp)\S* .*: bind: permission denied$/s.test(text)) return 'denied';
  return 'invalid';
}

/** The body of a refusal is a JSON string; a proxy's may be anything. */
function refusalText(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

function transportFailure(error: unknown): Reply {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const detail = brief(typeof message === 'string' && message !== '' ? message : String(code));
  // Closed after the request was sent: a handler of GoBetween panicked, or its process ended just then.
  if (code === 'UND_ERR_SOCKET') return { outcome: 'closed', detail };
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return { outcome: 'timeout', detail };
  return { outcome: 'unreachable', detail };
}

function readStatus(text: string): BalancerStatus | undefined {
  const value = readObject(text);
  if (value === undefined || value === null) return undefined;
  const { pid, startTime } = value;
  return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : undefined;
}

function readStats(text: string): ServerStats | null | undefined {
  const value = readObject(text);
  if (value === undefined || value === null) return value;
  const { active_connections: active, rx_second: rx, tx_second: tx } = value;
  if (typeof active !== 'number' || typeof rx !== 'number' || typeof tx !== 'number') return undefined;
  return { activeConnections: active, rxSecond: rx, txSecond: tx };
}

function readObject(text: string): Record<string, unknown> | null | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown> | null)
      : undefined;
  } catch {
    return undefined;
  }
}

function brief(text: string): string {
  return text.length > detailCap ? `${text.slice(0, detailCap)}...` : text;
}
