/**
 * Every metric of the janitor, and the narrow functions that record them (DESIGN §7). Invariants: base units, `_total`
 * on counters only, no label whose values grow with the number of services, and every series exists from the start.
 */
import type { Problem, ProblemCode } from '../model/problem.js';
import type { L4 } from '../model/server.js';
import type { Change, ChangeReason } from '../plan/change.js';
import type { Policy } from '../plan/policy.js';
import {
  bounded,
  type ChangeResult,
  changeResults,
  type DriftKind,
  driftKinds,
  type EventKind,
  type EventOutcome,
  eventKinds,
  eventOutcomes,
  gapReasons,
  kindsOfReason,
  type PortState,
  phases,
  portStates,
  problemCodes,
  protocols,
  type QueueName,
  type RoundPhase,
  readOrigins,
  type ReadOrigin,
  type ServerState,
  serverStates,
  type WriteBackResult,
  writeBackResults,
} from './labels.js';
import { declareQueueMetrics, type QueueMetrics } from './queue-metrics.js';
import { createRegistrar, type Exposition, type MetricDescription } from './registrar.js';
import { declareRequestMetrics, type RequestMetrics } from './request-metrics.js';
import { declareTroubleInfo } from './trouble-info.js';

export interface Metrics extends RequestMetrics {
  queue(name: QueueName): QueueMetrics;
  event(kind: EventKind, outcome: EventOutcome, count?: number): void;
  /** Reasons that are not in the list of labels count as `other`. */
  eventGap(reason: string): void;
  streamConnected(up: boolean): void;
  agentUp(up: boolean): void;
  /** From the first sign of a change until GoBetween has it; `round` becomes an exemplar. */
  lag(ms: number, round?: string): void;
  /** The age of the oldest change that GoBetween does not have yet; 0: there is none. */
  oldestUnserved(ms: number): void;
  roundKeys(keys: number): void;
  roundPhase(phase: RoundPhase, ms: number): void;
  change(kind: Change['kind'], reason: ChangeReason, result: ChangeResult): void;
  superseded(count: number): void;
  drift(servers: Readonly<Record<DriftKind, number>>): void;
  /** What somebody else changed is as it should be again. */
  driftMended(kind: DriftKind): void;
  ports(proto: L4, usage: Readonly<Record<PortState, number>>): void;
  conflicts(claims: number): void;
  servers(state: ServerState, count: number): void;
  /** All that should be, and all of ours that are. */
  serversInAll(desired: number, observed: number): void;
  /** Client connections that a replacement or removal was about to drop. */
  connectionsDropped(reason: ChangeReason, connections: number): void;
  /** A config was wanted, and came from there. */
  configRead(origin: ReadOrigin): void;
  configCache(entries: number, bytes: number): void;
  apiConcurrency(requests: number): void;
  gobetweenUp(up: boolean): void;
  gobetweenRestart(): void;
  writeBack(result: WriteBackResult): void;
  /** `replaced`, `done` and `waitedMs` since the start; `utilisation` 0 to 1. */
  workers(now: WorkerFigures): void;
  /** In sync or not; `wallMs` is when that was last true. */
  synced(yes: boolean, wallMs: number): void;
  /** What holds now, and how many services are paused by an operator; everything counts as one. */
  orders(policy: Policy, pauses: number): void;
  problems(code: ProblemCode, count: number): void;
  problemRaised(code: ProblemCode): void;
  /** All problems in force: those of services are named. */
  trouble(problems: Iterable<Problem>): void;
  /** One scrape, in OpenMetrics or text by the Accept header. */
  expose(accept: string | undefined): Promise<Exposition>;
  /** For the documentation: our own metrics, in order. */
  describe(): readonly MetricDescription[];
}

export interface WorkerFigures {
  readonly jobs: number;
  readonly replaced: number;
  readonly utilisation: number;
  readonly done: number;
  readonly waitedMs: number;
}

const policies: readonly Policy[] = ['sync', 'upsert-only', 'observe'];
const phaseSeconds = [0.001, 0.005, 0.02, 0.1, 0.5, 2];
const lagSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** Builds the registry. `nodeMetrics` adds prom-client's metrics of the process (`nodejs_…`, `process_…`). */
export function createMetrics(version: string, nodeMetrics: boolean): Metrics {
  const registrar = createRegistrar(nodeMetrics);
  const { counter, gauge, histogram } = registrar;

  const build = gauge('gobtw_janitor_build_info', 'Always 1; the version of the janitor and of Node.js', [
    'version',
    'node',
  ]);
  build.set({ version, node: process.versions.node }, 1);
  const inSync = gauge(
    'gobtw_janitor_synced',
    '1 when GoBetween has everything that the services may have; held words are no debt',
  );
  const lastSync = gauge('gobtw_janitor_last_sync_timestamp_seconds', 'When GoBetween last had everything');
  const lag = registrar.exemplary<'round'>(
    'gobtw_janitor_lag_seconds',
    'From the first sign of a change until GoBetween has all of it',
    lagSeconds,
  );
  const oldest = gauge(
    'gobtw_janitor_oldest_unserved_seconds',
    'Age of the oldest change that GoBetween does not have yet; 0 when there is none',
  );
  const servers = gauge(
    'gobtw_janitor_servers',
    'Servers by state; held and invalid are words without one, foreign is not ours',
    ['state'],
  );
  for (const state of serverStates) servers.set({ state }, 0);
  const desiredServers = gauge(
    'gobtw_janitor_servers_desired',
    'Servers that the services ask for and may have',
  );
  const observedServers = gauge('gobtw_janitor_servers_observed', 'Servers of ours in GoBetween');
  const drift = gauge(
    'gobtw_janitor_drift_servers',
    'Servers that somebody else changed, at the last sweep',
    ['kind'],
  );
  const driftFound = counter('gobtw_janitor_drift_found_total', 'Servers found changed by somebody else', [
    'kind',
  ]);
  const driftMended = counter(
    'gobtw_janitor_drift_mended_total',
    'Servers that are as they should be again',
    ['kind'],
  );
  for (const kind of driftKinds) {
    drift.set({ kind }, 0);
    for (const metric of [driftFound, driftMended]) metric.inc({ kind }, 0);
  }
  const problems = gauge('gobtw_janitor_problems', 'Problems and warnings in force', ['code']);
  const raised = counter('gobtw_janitor_problems_raised_total', 'Problems and warnings that came up', [
    'code',
  ]);
  for (const code of problemCodes) {
    problems.set({ code }, 0);
    raised.inc({ code }, 0);
  }
  const trouble = declareTroubleInfo(registrar);
  const conflicts = gauge('gobtw_janitor_conflicts', 'Claims held because another one has the port');
  const ports = gauge('gobtw_janitor_ports', 'Ports of the range by state', ['proto', 'state']);
  for (const proto of protocols) for (const state of portStates) ports.set({ proto, state }, 0);

  const changes = counter(
    'gobtw_janitor_changes_total',
    'Changes of servers; suppressed is what the policy forbids',
    ['kind', 'reason', 'result'],
  );
  for (const [reason, kinds] of Object.entries(kindsOfReason)) {
    for (const kind of kinds) for (const result of changeResults) changes.inc({ kind, reason, result }, 0);
  }
  const dropped = counter(
    'gobtw_janitor_dropped_connections_total',
    'Client connections that were open when their server was replaced or deleted, as far as they were counted',
    ['reason'],
  );
  for (const [reason, kinds] of Object.entries(kindsOfReason)) {
    const drops = kinds.some((kind) => kind === 'replace' || kind === 'delete');
    if (drops) dropped.inc({ reason }, 0);
  }
  const superseded = counter(
    'gobtw_janitor_superseded_total',
    'Wanted states replaced by a newer one before any call',
  );
  const writeBacks = counter('gobtw_janitor_write_backs_total', 'Allocated ports written into services', [
    'result',
  ]);
  for (const result of writeBackResults) writeBacks.inc({ result }, 0);

  const up = gauge('gobtw_janitor_gobetween_up', '1 when GoBetween answers');
  const restarts = counter('gobtw_janitor_gobetween_restarts_total', 'Restarts of GoBetween that were seen');
  const concurrency = gauge(
    'gobtw_janitor_api_concurrency',
    'Requests to GoBetween that may be in flight, 1 to --concurrency',
  );
  const agentUp = gauge('gobtw_janitor_agent_up', "1 when the agent's list of services can be read");
  const stream = gauge('gobtw_janitor_event_stream_connected', "1 when the agent's events arrive");
  const events = counter('gobtw_janitor_events_total', "The agent's events", ['kind', 'outcome']);
  for (const kind of eventKinds) for (const outcome of eventOutcomes) events.inc({ kind, outcome }, 0);
  const gaps = counter(
    'gobtw_janitor_event_gaps_total',
    'Times that events may have been missed, each followed by a list',
    ['reason'],
  );
  for (const reason of gapReasons) gaps.inc({ reason }, 0);
  const reads = counter(
    'gobtw_janitor_config_reads_total',
    'Configs that were wanted, by where they came from',
    ['origin'],
  );
  for (const origin of readOrigins) reads.inc({ origin }, 0);
  const cacheEntries = gauge('gobtw_janitor_config_cache_entries', 'Configs in the cache');
  const cacheBytes = gauge('gobtw_janitor_config_cache_bytes', 'Size of the configs in the cache');

  const roundKeys = histogram('gobtw_janitor_round_keys', 'Services in one round', [1, 4, 16, 64, 128, 512]);
  const roundPhase = histogram(
    'gobtw_janitor_round_duration_seconds',
    'Time of a round by phase',
    phaseSeconds,
    ['phase'],
  );
  for (const phase of phases) roundPhase.zero({ phase });
  const workerJobs = gauge('gobtw_janitor_worker_jobs', 'Jobs that wait for a worker thread or run on one');
  const workersReplaced = counter(
    'gobtw_janitor_worker_replaced_total',
    'Worker threads that crashed or hung, and were replaced',
  );
  const workersDone = counter('gobtw_janitor_worker_jobs_done_total', 'Jobs that worker threads did');
  const workersWaited = counter(
    'gobtw_janitor_worker_wait_seconds_total',
    'Time that jobs waited for a worker thread',
  );
  const workerUtilisation = gauge(
    'gobtw_janitor_worker_utilisation',
    'Share of the time in which worker threads worked, 0 to 1, since they started',
  );
  let counted = { replaced: 0, done: 0, waitedMs: 0 };
  const policy = gauge('gobtw_janitor_policy', '1 for the policy that holds, 0 for the others', ['policy']);
  for (const each of policies) policy.set({ policy: each }, 0);
  const paused = gauge(
    'gobtw_janitor_pauses',
    'Pauses in force that an operator ordered; a pause of everything is one',
  );
  const requests = declareRequestMetrics(registrar);
  const queue = declareQueueMetrics(registrar, lagSeconds);

  return {
    ...requests,
    queue,
    event: (kind, outcome, count = 1) => events.inc({ kind, outcome }, count),
    eventGap: (reason) => gaps.inc({ reason: bounded(gapReasons, reason) }),
    streamConnected: (isUp) => stream.set(isUp ? 1 : 0),
    agentUp: (isUp) => agentUp.set(isUp ? 1 : 0),
    lag: (ms, round) =>
      lag.observe({
        labels: {},
        value: ms / 1000,
        ...(round === undefined ? {} : { exemplarLabels: { round } }),
      }),
    oldestUnserved: (ms) => oldest.set(ms / 1000),
    roundKeys: (keys) => roundKeys.observe(keys),
    roundPhase: (phase, ms) => roundPhase.observe({ phase }, ms / 1000),
    change: (kind, reason, result) => changes.inc({ kind, reason, result }),
    superseded: (count) => superseded.inc(count),
    drift(found) {
      for (const kind of driftKinds) {
        drift.set({ kind }, found[kind]);
        driftFound.inc({ kind }, found[kind]);
      }
    },
    driftMended: (kind) => driftMended.inc({ kind }),
    ports(proto, usage) {
      for (const state of portStates) ports.set({ proto, state }, usage[state]);
    },
    conflicts: (claims) => conflicts.set(claims),
    servers: (state, count) => servers.set({ state }, count),
    serversInAll(desired, observed) {
      desiredServers.set(desired);
      observedServers.set(observed);
    },
    connectionsDropped: (reason, connections) => dropped.inc({ reason }, connections),
    configRead: (origin) => reads.inc({ origin }),
    configCache(entries, bytes) {
      cacheEntries.set(entries);
      cacheBytes.set(bytes);
    },
    apiConcurrency: (requests) => concurrency.set(requests),
    gobetweenUp: (isUp) => up.set(isUp ? 1 : 0),
    gobetweenRestart: () => restarts.inc(),
    workers({ jobs, replaced, utilisation, done, waitedMs }) {
      workerJobs.set(jobs);
      workersReplaced.inc(replaced - counted.replaced);
      workersDone.inc(done - counted.done);
      workersWaited.inc((waitedMs - counted.waitedMs) / 1000);
      counted = { replaced, done, waitedMs };
      workerUtilisation.set(utilisation);
    },
    writeBack: (result) => writeBacks.inc({ result }),
    synced(yes, wallMs) {
      inSync.set(yes ? 1 : 0);
      if (yes) lastSync.set(wallMs / 1000);
    },
    orders(now, pauses) {
      for (const each of policies) policy.set({ policy: each }, each === now ? 1 : 0);
      paused.set(pauses);
    },
    problems: (code, count) => problems.set({ code }, count),
    problemRaised: (code) => raised.inc({ code }),
    trouble,
    expose: registrar.expose,
    describe: registrar.describe,
  };
}

/** README's table of metrics, in Markdown. */
export function metricsTable(): string {
  const lines = createMetrics('', false)
    .describe()
    .map(({ name, type, labels, help }) => {
      const names = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${names} | ${help} |`;
    });
  return ['| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...lines].join('\n');
}
