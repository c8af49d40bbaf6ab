/**
 * The servers by name, under one lock, in memory only. Names are bytes, kept as latin1 strings, so that they sort and
 * compare as Go's do. Source: manager/manager.go; reference/gobetween-rest.md §3, §4.
 */
import type { ConnectionOptions, ServerConfig } from './config.js';
import { type PlainObject, encodeIndented, encodeString, plainServer } from './json-encode.js';
import { INVALID_BYTE, decodeUtf8 } from './go-utf8.js';
import { GoPanic } from './panic.js';
import { prepareConfig } from './prepare.js';
import type { Runtime } from './runtime.js';
import type { Built, RunningServer } from './server.js';
import { type ServerStats, createServerStats } from './stats.js';
import { buildTcpServer } from './tcp-server.js';
import { buildUdpServer } from './udp-server.js';

export type Created = 'created' | 'panicked' | { readonly refused: string };

export interface Registry {
  create(name: string, config: ServerConfig): Promise<Created>;
  remove(name: string): Promise<void>;
  /** The configuration as indented JSON, or null. */
  get(name: string): Promise<string | null>;
  list(): Promise<string>;
  /** Every configuration by its shown name, sorted. */
  configs(): Promise<readonly (readonly [string, PlainObject])[]>;
  /** Not under the lock, and leaks: names whose creation failed late keep theirs. */
  stats(name: string): PlainObject | null;
  killAll(): void;
}

export interface RegistryOptions {
  readonly runtime: Runtime;
  readonly defaults: ConnectionOptions;
  readonly closeLagMs: () => number;
  /** Whether races that the real program may lose are lost. */
  readonly races: boolean;
}

interface Entry {
  readonly server: RunningServer;
  readonly udp: boolean;
  readonly plain: PlainObject;
  /** JSON at the margin of GET /servers/:name, and one level in. */
  readonly text: string;
  readonly nested: string;
}

/** Bytes to what Go shows of them. */
export const shownName = (name: string): string => decodeUtf8(Buffer.from(name, 'latin1'), INVALID_BYTE);

const UDP_RACE_MS = 300;

export function createRegistry({ runtime, defaults, closeLagMs, races }: RegistryOptions): Registry {
  const entries = new Map<string, Entry>();
  /** Includes those that were deleted and still close. */
  const running = new Set<RunningServer>();
  const statistics = new Map<string, ServerStats>();
  let lock: Promise<unknown> = Promise.resolve();

  function locked<T>(fn: () => T | Promise<T>): Promise<T> {
    const result = lock.then(fn);
    lock = result.catch(() => undefined);
    return result;
  }

  async function build(name: string, config: ServerConfig): Promise<Created> {
    const shown = shownName(name);
    if (entries.has(name)) return { refused: `Server with this name already exists: ${shown}` };
    const prepared = prepareConfig(shown, config, defaults);
    if ('refused' in prepared) return prepared;
    const stats = createServerStats();
    statistics.set(name, stats);
    const udp = prepared.config.protocol === 'udp';
    const built: Built = (udp ? buildUdpServer : buildTcpServer)({
      runtime,
      config: prepared.config,
      stats,
      closeLagMs,
      races,
      closed: () => {
        // The real one deletes by name, whoever owns it by then.
        statistics.delete(name);
        if ('server' in built) running.delete(built.server);
      },
    });
    if ('refused' in built) return built;
    running.add(built.server);
    const refused = await built.server.start();
    if (refused !== null) return { refused };
    if (!runtime.alive) {
      built.server.kill();
      return 'panicked';
    }
    const plain = plainServer(prepared.config);
    entries.set(name, {
      server: built.server,
      udp,
      plain,
      text: encodeIndented(plain),
      nested: encodeIndented(plain, '    '),
    });
    return 'created';
  }

  const sorted = (): [string, Entry][] => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

  return {
    create: (name, config) =>
      locked(async () => {
        try {
          return await build(name, config);
        } catch (error) {
          if (error instanceof GoPanic) return 'panicked';
          throw error;
        }
      }),
    remove: (name) =>
      locked(() => {
        const entry = entries.get(name);
        if (entry === undefined) return;
        entries.delete(name);
        const { server, udp } = entry;
        const young = performance.now() - server.createdAtMs < UDP_RACE_MS;
        if (races && (server.busy || (udp && young))) runtime.die(2, 'send on closed channel');
        else server.stop();
      }),
    get: (name) => locked(() => entries.get(name)?.text ?? null),
    list: () =>
      locked(() => {
        if (entries.size === 0) return '{}';
        const members = sorted().map(
          ([name, entry]) => `    ${encodeString(shownName(name))}: ${entry.nested}`,
        );
        return `{\n${members.join(',\n')}\n}`;
      }),
    configs: () => locked(() => sorted().map(([name, entry]) => [shownName(name), entry.plain] as const)),
    stats: (name) => statistics.get(name)?.view() ?? null,
    killAll() {
      for (const server of running) server.kill();
      running.clear();
      entries.clear();
      statistics.clear();
    },
  };
}
