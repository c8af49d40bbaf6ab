/**
 * A Balancer in memory that keeps servers as GoBetween does: unique names, one listener per port and address (tcp and
 * udp apart, wildcards against all), a DELETE that answers before its port is free. Lags and failures are injected.
 * Bodies are `{"proto","addr","port","key","version","discovery"}`; the digest of a server is its body.
 */
import { type Clock, sleep } from '../../src/clock.js';
import type { Answer, Balancer, BalancerStatus, Outcome, ServerStats } from '../../src/gobetween/outcome.js';
import { conflicts } from '../../src/model/bind.js';
import type { Desired, Digest, L4, Listen, Observed, ServerName } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'STATS' | 'LIST' | 'STATUS';
  readonly name: string;
  readonly outcome: Outcome;
  readonly atMs: number;
  readonly body: string;
}

interface Injected {
  readonly method: Call['method'];
  readonly name: string | null;
  readonly outcome: Outcome;
  /** The request acts although its answer is lost. */
  readonly acts: boolean;
  left: number;
}

export interface FakeBalancer extends Balancer {
  readonly servers: Map<string, string>;
  /** Where other processes listen. */
  readonly occupied: Set<Listen>;
  /** Every request but STATS and STATUS, in order of arrival. */
  readonly calls: Call[];
  /** POSTs that met a busy port. */
  busy(): number;
  /** Bytes in the last second, by name. */
  readonly traffic: Map<string, number>;
  fail(
    method: Call['method'],
    outcome: Outcome,
    options?: { name?: string; times?: number; acts?: boolean },
  ): void;
  heal(): void;
  /** Everything is forgotten; `startTime` changes. */
  restart(): void;
  /** Does not answer until `hang(false)`. */
  hang(hung: boolean): void;
  /** Refuses connections. */
  down(isDown: boolean): void;
  writes(): string[];
}

export interface FakeOptions {
  readonly latencyMs?: number;
  /** How long a port stays busy after its DELETE was answered. */
  readonly closeLagMs?: number;
  readonly reqTimeoutMs?: number;
  /** Where a body listens; without it bodies are those of this file. */
  readonly listenOf?: (body: string) => Listen;
  /** What GET shows of a body. */
  readonly show?: (body: string) => string;
}

export function createFakeBalancer(clock: Clock, options: FakeOptions = {}): FakeBalancer {
  const { latencyMs = 1, closeLagMs = 0, reqTimeoutMs = 5000, show = (body: string) => body } = options;
  const listenOf = options.listenOf ?? plainListenOf;
  const servers = new Map<string, string>();
  const calls: Call[] = [];
  const traffic = new Map<string, number>();
  const occupied = new Set<Listen>();
  const injected: Injected[] = [];
  let closing: { listen: Listen; untilMs: number }[] = [];
  let generation = 1;
  let busy = 0;
  let hung = false;
  let isDown = false;

  async function answer<T>(
    method: Call['method'],
    name: string,
    body: string,
    act: () => Answer<T>,
  ): Promise<Answer<T>> {
    const log = (outcome: Outcome): void => {
      if (method !== 'STATS' && method !== 'STATUS') {
        calls.push({ method, name, outcome, atMs: clock.now(), body });
      }
    };
    await sleep(clock, latencyMs);
    if (isDown) {
      log('unreachable');
      return { outcome: 'unreachable', detail: 'connection refused' };
    }
    if (hung) {
      log('timeout');
      await sleep(clock, reqTimeoutMs);
      return { outcome: 'timeout', detail: 'no answer in time' };
    }
    const failure = injected.find(
      (each) => each.left > 0 && each.method === method && (each.name ?? name) === name,
    );
    if (failure !== undefined) {
      failure.left -= 1;
      log(failure.outcome);
      if (failure.acts) act();
      if (failure.outcome === 'timeout') await sleep(clock, reqTimeoutMs);
      return { outcome: failure.outcome, detail: 'injected' };
    }
    const result = act();
    log(result.outcome);
    return result;
  }

  function post(name: string, body: string): Answer<null> {
    if (servers.has(name)) {
      return { outcome: 'exists', detail: `Server with this name already exists: ${name}` };
    }
    const listen = listenOf(body);
    closing = closing.filter(({ untilMs }) => untilMs > clock.now());
    const listening = [...[...servers.values()].map(listenOf), ...occupied];
    const taken = listening.some((other) => conflicts(other, listen));
    if (taken || closing.some((each) => conflicts(each.listen, listen))) {
      busy += 1;
      return { outcome: 'port-busy', detail: 'bind: address already in use' };
    }
    servers.set(name, body);
    return { outcome: 'ok', value: null, detail: '' };
  }

  function erase(name: string): Answer<null> {
    const body = servers.get(name);
    if (body !== undefined && closeLagMs > 0) {
      closing.push({ listen: listenOf(body), untilMs: clock.now() + closeLagMs });
    }
    servers.delete(name);
    return { outcome: 'ok', value: null, detail: '' };
  }

  function shown(name: string): string {
    const body = servers.get(name);
    return body === undefined ? 'null' : show(body);
  }

  const ok = <T>(value: T): Answer<T> => ({ outcome: 'ok', value, detail: '' });

  return {
    servers,
    occupied,
    calls,
    traffic,
    busy: () => busy,
    fail(method, outcome, { name, times = 1, acts = false } = {}) {
      injected.push({ method, name: name ?? null, outcome, acts, left: times });
    },
    heal() {
      injected.length = 0;
    },
    restart() {
      servers.clear();
      generation += 1;
    },
    hang(value) {
      hung = value;
    },
    down(value) {
      isDown = value;
    },
    writes: () =>
      calls
        .filter(({ method }) => method === 'POST' || method === 'DELETE')
        .map(({ method, name, outcome }) => `${method} ${name}${outcome === 'ok' ? '' : ` ${outcome}`}`),
    status: () =>
      answer<BalancerStatus>('STATUS', '', '', () => ok({ pid: generation, startTime: `t${generation}` })),
    list: () => answer('LIST', '', '', () => ok(Buffer.from(textOf(servers, show)))),
    create: (name, body) => answer('POST', name, body, () => post(name, body)),
    remove: (name) => answer('DELETE', name, '', () => erase(name)),
    get: (name) => answer('GET', name, '', () => ok(shown(name))),
    stats: (name) =>
      answer<ServerStats | null>('STATS', name, '', () =>
        ok(
          servers.has(name)
            ? {
                activeConnections: 1,
                rxSecond: traffic.get(name) ?? 0,
                txSecond: traffic.get(name) ?? 0,
                backends: [],
              }
            : null,
        ),
      ),
    close: () => Promise.resolve(),
  };
}

interface FakeBody {
  readonly proto: L4;
  readonly addr: string;
  readonly port: number;
  readonly key: string;
  readonly version: number;
}

function plainListenOf(body: string): Listen {
  const { proto, addr, port } = JSON.parse(body) as FakeBody;
  return { proto, addr, port };
}

function textOf(servers: ReadonlyMap<string, string>, show: (body: string) => string): string {
  return `{${[...servers].map(([name, body]) => `${JSON.stringify(name)}:${show(body)}`).join(',')}}`;
}

/** What the fake's list says; null when the text is no list. Names that begin with `foreign` are not ours. */
export function parseFake(text: string): readonly Observed[] | null {
  try {
    const list = JSON.parse(text) as Record<string, FakeBody>;
    return Object.entries(list).map(([name, body]) => observedFake(name, body));
  } catch {
    return null;
  }
}

export function observedFake(name: string, body: FakeBody): Observed {
  const owned = !name.startsWith('foreign');
  const canonical = JSON.stringify(body);
  return {
    name: name as ServerName,
    key: owned ? (body.key as ServiceKey) : null,
    owned,
    historical: false,
    listen: { proto: body.proto, addr: body.addr, port: body.port },
    digest: canonical as Digest,
    lookupServer: '10.0.0.1:53',
    canonical,
  };
}

/** A wished server; `at` is `[proto:]addr:port`, `version` stands for everything else. */
export function desire(name: string, at: string, version = 1): Desired {
  const parts = at.split(':');
  const proto: L4 = parts[0] === 'udp' ? 'udp' : 'tcp';
  const [addr = '', port = ''] = parts.slice(-2);
  const key = `root/svc/${name.split('/')[0] ?? name}`;
  const body = JSON.stringify({
    proto,
    addr,
    port: Number(port),
    key,
    version,
    discovery: { srv_lookup_server: '10.0.0.1:53' },
  });
  return {
    name: name as ServerName,
    key: key as ServiceKey,
    listen: { proto, addr, port: Number(port) },
    digest: body as Digest,
    body,
    lookupServer: '10.0.0.1:53',
  };
}
