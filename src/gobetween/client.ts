/**
 * The HTTP side of one GoBetween: requests, time-outs and caps, and the only place that reads GoBetween's error texts.
 * Invariant: nothing here throws or retries; each call ends within its time-out, and what it came to is an Outcome.
 * A status has a connection of its own, kept alive for ever: when GoBetween runs out of files, new connections hang.
 * Source: reference/gobetween-rest.md §1-§3, SPEC §7.
 */
import { type Dispatcher, Pool } from 'undici';
import type { Cancel, Clock } from '../clock.js';
import { type BodyBytes, createBodyBytes, createSharedBytes } from '../body-bytes.js';
import type { Answer, BackendStats, Balancer, BalancerStatus, Outcome, ServerStats } from './outcome.js';

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
}

interface Limits {
  readonly totalMs: number;
  readonly betweenBytesMs: number;
}

type Reply =
  | { readonly status: number; readonly bytes: Uint8Array }
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
  const writeHeaders = { ...headers, 'content-type': 'application/json' };
  const servers = createSharedBytes(bodyCapBytes);
  const one: Limits = { totalMs: reqTimeoutMs, betweenBytesMs: reqTimeoutMs };

  /** By undici's dispatch: a stream, an abort signal and a promise of it for each answer cost as much as the request. */
  function exchange(
    via: Pool,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: string | null,
    limits: Limits,
    intake: BodyBytes,
  ): Promise<Reply> {
    return new Promise((resolve) => {
      let request: Dispatcher.DispatchController | null = null;
      let isOver = false;
      let status = 0;
      let cancelIdle: Cancel = () => undefined;

      function end(reply: Reply): void {
        if (isOver) return;
        isOver = true;
        cancelTotal();
        cancelIdle();
        resolve(reply);
      }
      function giveUp(outcome: Outcome, detail: string): void {
        end({ outcome, detail });
        request?.abort(new Error(detail));
      }
      const expire = (): void => giveUp('timeout', 'no answer in time');
      const cancelTotal = clock.after(limits.totalMs, expire);
      function watchSilence(): void {
        cancelIdle();
        if (limits.betweenBytesMs < limits.totalMs) cancelIdle = clock.after(limits.betweenBytesMs, expire);
      }
      watchSilence();

      const sent = body === null ? headers : writeHeaders;
      via.dispatch(
        { method, path, body, headers: sent },
        {
          onRequestStart(started) {
            request = started;
            if (isOver) started.abort(new Error('no place in time'));
          },
          onResponseStart(_request, statusCode) {
            status = statusCode;
          },
          onResponseData(_request, chunk) {
            if (isOver) return; // the buffer may be another answer's by now
            if (intake.append(chunk)) watchSilence();
            else giveUp('too-large', `the answer is larger than ${bodyCapBytes} bytes`);
          },
          onResponseEnd: () => end({ status, bytes: intake.bytes }),
          onResponseError: (_request, error) => end(transportFailure(error)),
        },
      );
    });
  }

  async function call<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string | null,
    read: (text: string) => T | undefined,
    { via = pool, body = null }: { readonly via?: Pool; readonly body?: string | null } = {},
  ): Promise<Answer<T>> {
    if (path === null) return { outcome: 'invalid', detail: 'a name that no request can carry' };
    const reply = await exchange(via, method, path, body, one, createBodyBytes(bodyCapBytes));
    return readReply(reply, (bytes) => read(textOf(bytes)));
  }

  return {
    status: () => call('GET', '/', readStatus, { via: statusPool }),
    async list() {
      servers.begin();
      return readReply(await exchange(pool, 'GET', '/servers', null, listLimits, servers), (bytes) => bytes);
    },
    create: (name, body) => call('POST', serverPath(name), () => null, { body }),
    remove: (name) => call('DELETE', serverPath(name), () => null),
    get: (name) => call('GET', serverPath(name), (text) => text),
    stats: (name) => call('GET', serverPath(name, '/stats'), readStats),
    whenCut: (fn) => void statusPool.on('disconnect', fn),
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

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('utf8');
}

function readReply<T>(reply: Reply, read: (bytes: Uint8Array) => T | undefined): Answer<T> {
  if ('outcome' in reply) return reply;
  const { status, bytes } = reply;
  const value = status === 200 ? read(bytes) : undefined;
  if (value !== undefined) return { outcome: 'ok', value, detail: '' };
  const text = textOf(bytes);
  if (status === 200) {
    return { outcome: 'invalid', detail: `not GoBetween's answer: ${brief(text)}` };
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
  const backends = Array.isArray(value.backends) ? value.backends.flatMap(readBackend) : [];
  return { activeConnections: active, rxSecond: rx, txSecond: tx, backends };
}

function readBackend(value: unknown): BackendStats[] {
  const { host, port, stats } = recordOf(value);
  if (typeof host !== 'string' || typeof port !== 'string') return [];
  const counters = recordOf(stats);
  const count = (name: string): number => (typeof counters[name] === 'number' ? counters[name] : 0);
  return [
    {
      host,
      port,
      live: counters.live === true,
      activeConnections: count('active_connections'),
      totalConnections: count('total_connections'),
      refusedConnections: count('refused_connections'),
      rxSecond: count('rx_second'),
      txSecond: count('tx_second'),
    },
  ];
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

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
