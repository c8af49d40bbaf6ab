/**
 * Every effect the program has, in one object (DESIGN §5.7): replace these and it runs under a virtual clock. Invariant:
 * nothing else in the pipeline touches time, randomness, a socket or the system.
 */
import { hostname } from 'node:os';
import { type Clock, systemClock } from './clock.js';
import type { Result } from './errors.js';
import { createClient } from './gobetween/client.js';
import { createTryListener, type TryListener } from './gobetween/listener-try.js';
import type { Answer, Balancer, Outcome } from './gobetween/outcome.js';
import { type Random, systemRandom } from './random.js';
import type { Settings } from './settings/settings.js';
import { createDnsProbe, type DnsProbe } from './source/dns-probe.js';
import { createLsnrSource } from './source/lsnr.js';
import { type AgentLocator, createAgentLocator, lsnrPath } from './source/probe.js';
import type { Source } from './source/source.js';
import { createSrvLookup, type SrvLookup } from './source/srv-lookup.js';
import type { AgentAction } from './telemetry/labels.js';
import { type Compute, createInlineCompute } from './worker/compute.js';
import { createStateFile, type StateFile } from './state/state-file.js';
import { createPoolCompute } from './worker/pool.js';
import { createThreads } from './worker/threads.js';

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly source: Source;
  /** What is wrong with the way to the agent, as of its last use. */
  readonly agent: Pick<AgentLocator, 'problem'>;
  readonly balancer: Balancer;
  readonly compute: Compute;
  readonly dnsProbe: DnsProbe;
  /** What is looked at when a person asks: the record of a server, and whether it listens. */
  readonly srv: SrvLookup;
  readonly tryListener: TryListener;
  /** Where what was read is kept across starts; null: nowhere. */
  readonly state: StateFile | null;
  /** The system's host name. */
  readonly hostname: string;
  /** Where log lines go; standard error when absent. */
  readonly writeLog?: (line: string) => void;
}

/** The real ones: the agent's socket, GoBetween's API, the system's clock. */
export function createRealPorts(settings: Settings): Ports {
  const clock = systemClock;
  const random = systemRandom;
  const agent = createAgentLocator({ clock, given: settings.socket });
  const compute =
    settings.workers === 0
      ? createInlineCompute()
      : createPoolCompute({ threads: createThreads({ size: settings.workers, clock }), clock });
  return {
    clock,
    random,
    agent,
    source: createLsnrSource({
      clock,
      random,
      timeoutMs: settings.agentTimeoutMs,
      locate: lsnrPath(agent),
      readStatus: compute.readStatus,
    }),
    balancer: createClient({
      url: settings.gobetweenUrl,
      clock,
      reqTimeoutMs: settings.reqTimeoutMs,
      user: settings.gobetweenUser ?? undefined,
      password: settings.gobetweenPassword ?? undefined,
      ca: settings.gobetweenCa ?? undefined,
      concurrency: settings.concurrency,
    }),
    compute,
    dnsProbe: createDnsProbe({ clock, random }),
    srv: createSrvLookup({ clock, random }),
    tryListener: createTryListener(clock),
    state: settings.stateDir === null ? null : createStateFile(settings.stateDir),
    hostname: hostname(),
  };
}

type Op = 'status' | 'list' | 'create' | 'remove' | 'get' | 'stats';

/** Wraps calls so that each is recorded under its name, with what it came to and how long it took. */
function stopwatch<Name, Answered>(clock: Clock, record: (name: Name, answer: Answered, ms: number) => void) {
  return <A extends unknown[], R extends Answered>(name: Name, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const startedAt = clock.now();
      const answer = await call(...args);
      record(name, answer, clock.now() - startedAt);
      return answer;
    };
}

/** Times each request to GoBetween. */
export function timeRequests(
  balancer: Balancer,
  clock: Clock,
  record: (op: Op, outcome: Outcome, ms: number) => void,
): Balancer {
  const timed = stopwatch<Op, Answer<unknown>>(clock, (op, { outcome }, ms) => record(op, outcome, ms));
  return {
    status: timed('status', () => balancer.status()),
    list: timed('list', () => balancer.list()),
    create: timed('create', (name: string, body: string) => balancer.create(name, body)),
    remove: timed('remove', (name: string) => balancer.remove(name)),
    get: timed('get', (name: string) => balancer.get(name)),
    stats: timed('stats', (name: string) => balancer.stats(name)),
    close: () => balancer.close(),
  };
}

/** Times each request to the agent, by the agent's own name for it; the stream of events is none. */
export function timeSource(
  source: Source,
  clock: Clock,
  record: (action: AgentAction, outcome: string, ms: number) => void,
): Source {
  const timed = stopwatch<AgentAction, Result<unknown>>(clock, (action, answer, ms) =>
    record(action, answer.ok ? 'ok' : answer.failure.code, ms),
  );
  return {
    nodeName: timed('whoami', () => source.nodeName()),
    list: timed('daemon_status', () => source.list()),
    clusterConfig: timed('object_config', () => source.clusterConfig()),
    config: timed('object_config', (...args: Parameters<Source['config']>) => source.config(...args)),
    setBind: timed('object_action', (...args: Parameters<Source['setBind']>) => source.setBind(...args)),
    watch: (handlers) => source.watch(handlers),
    close: () => source.close(),
  };
}
