/** The lean GoBetween as a process: the REST API over servers that listen nowhere, and a record of what reached it. */
import { encodeIndented } from '../../src/sim/gobetween/json-encode.js';
import { type Fixture, firstState, serversOf } from '../fixture.js';
import { nowMs, pause } from '../machine-clock.js';
import { serve } from '../remote.js';
import { createLeanServers } from './gobetween-servers.js';
import { type LeanAnswer, type LeanServer, listenLean } from './http-lean.js';

export interface Write {
  readonly name: string;
  readonly kind: 'create' | 'remove';
  readonly status: number;
  readonly at: number;
  /** Where the created server listens. */
  readonly bind: string;
}

const servers = createLeanServers();
const counts = new Map<string, number>();
const writes: Write[] = [];
/** Who waits for a server of this name. */
const waiting = new Map<string, (at: number) => void>();
const expected = new Map<string, Promise<number>>();
let lives = 0;
let startTime = '';
let server: LeanServer | null = null;
let port = 0;

const STATS = encodeIndented({
  active_connections: 0,
  rx_total: 0,
  tx_total: 0,
  rx_second: 0,
  tx_second: 0,
  backends: [],
});
const ok = (body: string): LeanAnswer => ({ status: 200, body });

function answer(method: string, path: string, body: string): LeanAnswer {
  const [, first = '', encoded = '', third] = path.split('/');
  const kind = encoded === '' ? first : third;
  const label = `${method} /${first}${encoded === '' ? '' : '/:name'}${third === undefined ? '' : `/${third}`}`;
  counts.set(label, (counts.get(label) ?? 0) + 1);
  if (method === 'GET' && encoded === '') {
    if (first === '') return ok(info());
    return first === 'servers' ? ok(servers.list()) : { status: 404, body: '404 page not found' };
  }
  const name = decodeURIComponent(encoded);
  if (method === 'GET')
    return ok(kind === 'stats' ? (servers.has(name) ? STATS : 'null') : servers.show(name));
  const refused = method === 'POST' ? servers.create(name, body) : null;
  if (method === 'DELETE') servers.remove(name);
  const bind = method === 'POST' ? (/"bind":"([^"]*)"/.exec(body)?.[1] ?? '') : '';
  const status = refused === null ? 200 : 409;
  if (method === 'POST' && status === 200) waiting.get(name)?.(nowMs());
  writes.push({ name, kind: method === 'POST' ? 'create' : 'remove', status, at: nowMs(), bind });
  return refused === null ? ok('null') : { status, body: JSON.stringify(refused) };
}

function info(): string {
  return encodeIndented({
    configuration: { kind: 'file', path: 'config.json' },
    pid: 20_000 + lives,
    startTime,
    time: new Date().toISOString(),
    uptime: '1m0s',
    version: '',
  });
}

async function listen(): Promise<void> {
  lives += 1;
  startTime = new Date().toISOString();
  server = await listenLean(port, answer);
  port = server.port;
}

export type GobetweenProcess = typeof methods;

const methods = {
  async start() {
    await listen();
    return { url: `http://127.0.0.1:${port}` };
  },
  /** The servers of a fixture's first `count` services, as if an earlier janitor had made them. */
  fill({ fixture, count }: { readonly fixture: Fixture; readonly count: number }) {
    for (let service = 0; service < count; service++) {
      for (const { name, body } of serversOf(fixture, service, firstState(fixture, service))) {
        const refused = servers.create(name, body);
        if (refused !== null) throw new Error(refused);
      }
    }
    return servers.list().length;
  },
  /** The process ends and comes back empty; when it listens again. */
  async restart(downMs: number) {
    await server?.close();
    servers.clear();
    await pause(downMs);
    const at = nowMs();
    await listen();
    return at;
  },
  /** From now on the next creation of this name is noted. Awaited before it is caused: it could else come first. */
  expect(name: string): void {
    const created = new Promise<number>((resolve) => {
      waiting.set(name, (at) => {
        waiting.delete(name);
        resolve(at);
      });
    });
    expected.set(name, created);
  },
  /** When the server that was expected was created. */
  async created(name: string): Promise<number> {
    const created = expected.get(name);
    if (created === undefined) throw new Error(`${name} was not expected`);
    const at = await created;
    expected.delete(name);
    return at;
  },
  counts: () => Object.fromEntries(counts),
  writes: () => writes,
  /** First and last creation since `forget`, and how many servers there are. */
  span() {
    const created = writes.filter(({ kind, status }) => kind === 'create' && status === 200);
    return { first: created[0]?.at ?? null, last: created.at(-1)?.at ?? null, servers: servers.binds().size };
  },
  binds: () => servers.binds(),
  clear: () => servers.clear(),
  forget() {
    counts.clear();
    writes.length = 0;
  },
};
serve(methods);
