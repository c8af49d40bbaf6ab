/**
 * A cluster in memory behind the Source interface: holds services with their configs, answers as an agent would, and can be
 * made to fail, to hang, to lie in its lists, and to keep its events to itself. Time passes on the clock that it is given.
 */
import { sleep, type Clock } from '../../src/clock.js';
import { fail, ok, type Failure, type Result } from '../../src/errors.js';
import type { ServiceKey } from '../../src/model/service.js';
import type {
  ClusterConfig,
  ClusterList,
  ConfigAnswer,
  Source,
  WatchHandlers,
} from '../../src/source/source.js';
import { clusterList, keyOf, type ListedText } from './cluster-lists.js';

export interface MemoryService extends ListedText {
  readonly csums: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

export interface MemorySource extends Source {
  readonly services: Map<string, MemoryService>;
  nodes: Record<string, string>;
  members: readonly string[] | undefined;
  dns: readonly string[];
  clusterConfigCsum: string | null;
  ownName: string | null;
  /** Services that lists do not show. */
  readonly hidden: Set<string>;
  /** Failure of each kind of request; a request that is not named works. */
  readonly failing: Map<'list' | 'nodeName' | 'clusterConfig' | 'config' | 'evaluate' | ServiceKey, Failure>;
  latencyMs: { list: number; config: number };
  /** Every request, in order: `list`, `raw root/svc/web`, … */
  readonly requests: string[];
  /** At most this many config requests were in flight at a time. */
  readonly maxInFlight: () => number;
  handlers: WatchHandlers | undefined;
  /** Creates or edits, with a new checksum on n1 (or `csums`); the event is told unless `quiet`. */
  put(path: string, env: Record<string, string>, how?: Partial<ListedText> & { quiet?: boolean }): void;
  remove(path: string, how?: { quiet?: boolean }): void;
}

export const unreachable: Failure = { code: 'agent-unreachable', retry: 'backoff', message: 'ECONNREFUSED' };

export function createMemorySource(clock: Clock): MemorySource {
  let edits = 0;
  let inFlight = 0;
  let maxInFlight = 0;

  async function answer<T>(kind: 'list' | 'nodeName' | 'clusterConfig', value: () => T): Promise<Result<T>> {
    source.requests.push(kind);
    // As an agent's, the answer is made at the beginning; the time goes into sending it.
    const made = value();
    await sleep(clock, kind === 'list' ? source.latencyMs.list : 1);
    const failure = source.failing.get(kind);
    return failure === undefined ? ok(made) : fail(failure);
  }

  function listNow(): ClusterList {
    const shown = [...source.services].filter(([path]) => !source.hidden.has(path));
    return clusterList({
      nodes: source.nodes,
      ...(source.members === undefined ? {} : { members: source.members }),
      services: Object.fromEntries(shown),
      clusterConfigCsum: source.clusterConfigCsum,
    });
  }

  async function config(key: ServiceKey, { evaluate }: { evaluate: boolean }): Promise<Result<ConfigAnswer>> {
    source.requests.push(`${evaluate ? 'evaluate' : 'raw'} ${key}`);
    inFlight++;
    maxInFlight = Math.max(maxInFlight, inFlight);
    const service = [...source.services].find(([path]) => keyOf(path) === key)?.[1];
    await sleep(clock, source.latencyMs.config);
    inFlight--;
    const failure =
      source.failing.get(key) ??
      source.failing.get('config') ??
      (evaluate ? source.failing.get('evaluate') : undefined);
    if (failure !== undefined) return fail(failure);
    if (service === undefined) return fail({ code: 'unknown-object', retry: 'backoff', message: `'${key}'` });
    const env = evaluate
      ? Object.fromEntries(
          Object.entries(service.env).map(([name, text]) => [
            name,
            text.replaceAll(/\{env\.(\w+)\}/g, (_, ref: string) => service.env[ref] ?? ''),
          ]),
        )
      : service.env;
    return ok({ text: JSON.stringify({ DEFAULT: {}, env }) });
  }

  const source: MemorySource = {
    services: new Map(),
    nodes: { n1: 'idle' },
    members: undefined,
    dns: ['10.0.0.1'],
    clusterConfigCsum: 'cc',
    ownName: 'n1',
    hidden: new Set(),
    failing: new Map(),
    latencyMs: { list: 5, config: 2 },
    requests: [],
    maxInFlight: () => maxInFlight,
    handlers: undefined,
    async nodeName() {
      const { ownName } = source;
      if (ownName === null) return fail({ code: 'agent-no-name', retry: 'no', message: 'no name' });
      return answer('nodeName', () => ownName);
    },
    list: () => answer('list', listNow),
    clusterConfig: () => answer<ClusterConfig>('clusterConfig', () => ({ dns: source.dns })),
    config,
    setBind: async () => ok(undefined),
    watch(handlers) {
      source.handlers = handlers;
      handlers.onConnected(true);
      return () => {
        source.handlers = undefined;
      };
    },
    close: async () => undefined,
    put(path, env, { quiet = false, ...listed } = {}) {
      const csum = `v${++edits}`;
      const isNew = !source.services.has(path);
      const csums = listed.csums ?? { n1: csum };
      source.services.set(path, { ...listed, csums, env });
      if (quiet) return;
      for (const [node, shown] of Object.entries(csums)) source.handlers?.onConfig(keyOf(path), shown, node);
      if (isNew) source.handlers?.onMembership();
    },
    remove(path, { quiet = false } = {}) {
      source.services.delete(path);
      if (!quiet) source.handlers?.onMembership();
    },
  };
  return source;
}
