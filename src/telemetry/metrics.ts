/**
 * Every metric of the janitor, and the narrow functions that record them (DESIGN §7). Invariants: base units, `_total`
 * on counters only, no label whose values grow with the number of services, and every series exists from the start.
 */
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client';
import type { ProblemCode } from '../model/problem.js';
import type { L4 } from '../model/server.js';
import type { Change, ChangeReason } from '../plan/change.js';
import { openMetricsType, textOf, textType, wantsOpenMetrics } from './exposition.js';
import {
  type ApiOp,
  type ApiOutcome,
  agentActions,
  agentOutcomes,
  bounded,
  type ChangeResult,
  changeResults,
  driftKinds,
  type EventKind,
  type EventOutcome,
  eventKinds,
  eventOutcomes,
  gapReasons,
  kindsOfReason,
  opsOfOutcome,
  type PortState,
  phases,
  portStates,
  problemCodes,
  protocols,
  type QueueName,
  queueNames,
  type RoundPhase,
  type ServerState,
  serverStates,
  type WriteBackResult,
  writeBackResults,
} from './labels.js';

export interface QueueMetrics {
  added(): void;
  depth(keys: number): void;
  queued(ms: number): void;
  worked(ms: number): void;
  retried(): void;
  /** Work in progress: the sum of its ages, and the oldest; to be told once a second or so. */
  unfinished(sumMs: number, longestMs: number): void;
}

export interface Metrics {
  queue(name: QueueName): QueueMetrics;
  event(kind: EventKind, outcome: EventOutcome, count?: number): void;
  /** Reasons that are not in the list of labels count as `other`. */
  eventGap(reason: string): void;
  streamConnected(up: boolean): void;
  /** `outcome` is `ok` or the failure's code. */
  agentRequest(action: string, outcome: string, ms: number): void;
  /** From the first sign of a change until GoBetween has it; `round` becomes an exemplar. */
  lag(ms: number, round?: string): void;
  roundKeys(keys: number): void;
  roundPhase(phase: RoundPhase, ms: number): void;
  change(kind: Change['kind'], reason: ChangeReason, result: ChangeResult): void;
  superseded(count: number): void;
  drift(servers: Readonly<Record<(typeof driftKinds)[number], number>>): void;
  ports(proto: L4, usage: Readonly<Record<PortState, number>>): void;
  conflicts(claims: number): void;
  servers(state: ServerState, count: number): void;
  apiRequest(op: ApiOp, outcome: ApiOutcome, ms: number): void;
  apiConcurrency(requests: number): void;
  gobetweenUp(up: boolean): void;
  gobetweenRestart(): void;
  writeBack(result: WriteBackResult): void;
  /** `replaced` since the start; `utilisation` 0 to 1. */
  workers(now: { readonly jobs: number; readonly replaced: number; readonly utilisation: number }): void;
  /** In sync or not; `wallMs` is when that was last true. */
  synced(yes: boolean, wallMs: number): void;
  problems(code: ProblemCode, count: number): void;
  problemTransition(code: ProblemCode, transition: 'raised' | 'cleared'): void;
  /** One scrape, in OpenMetrics or text by the Accept header. */
  expose(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
  /** For the documentation: our own metrics, in order. */
  describe(): readonly MetricDescription[];
}

export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

const requestSeconds = [0.005, 0.05, 0.5, 5, 30];
const phaseSeconds = [0.001, 0.005, 0.02, 0.1, 0.5, 2];
const lagSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** Builds the registry. `nodeMetrics` adds prom-client's metrics of the process (`nodejs_…`, `process_…`). */
export function createMetrics(version: string, nodeMetrics: boolean): Metrics {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const described: MetricDescription[] = [];
  const note = (name: string, type: string, labels: readonly string[], help: string): string => {
    described.push({ name, type, labels, help });
    return name;
  };
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: note(name, 'counter', labelNames, help), help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: note(name, 'gauge', labelNames, help), help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) =>
    new Histogram({ name: note(name, 'histogram', labelNames, help), help, labelNames, buckets, registers });

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
  const lag = new Histogram<'round'>({
    name: note(
      'gobtw_janitor_lag_seconds',
      'histogram',
      [],
      'From the first sign of a change until GoBetween has it',
    ),
    help: 'From the first sign of a change until GoBetween has it',
    buckets: lagSeconds,
    registers,
    enableExemplars: true,
  });
  const servers = gauge(
    'gobtw_janitor_servers',
    'Servers by state; held are words that wait for a port, foreign is not ours',
    ['state'],
  );
  for (const state of serverStates) servers.set({ state }, 0);
  const drift = gauge(
    'gobtw_janitor_drift_servers',
    'Servers that somebody else changed, at the last sweep',
    ['kind'],
  );
  for (const kind of driftKinds) drift.set({ kind }, 0);
  const problems = gauge('gobtw_janitor_problems', 'Problems and warnings in force', ['code']);
  const transitions = counter('gobtw_janitor_problem_transitions_total', 'Problems raised and cleared', [
    'code',
    'transition',
  ]);
  for (const code of problemCodes) {
    problems.set({ code }, 0);
    for (const transition of ['raised', 'cleared']) transitions.inc({ code, transition }, 0);
  }
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
  const api = histogram('gobtw_janitor_api_request_seconds', 'Requests to GoBetween', requestSeconds, [
    'op',
    'outcome',
  ]);
  for (const [outcome, ops] of Object.entries(opsOfOutcome)) for (const op of ops) api.zero({ op, outcome });
  const concurrency = gauge(
    'gobtw_janitor_api_concurrency',
    'Requests to GoBetween that may be in flight, 1 to --concurrency',
  );
  const stream = gauge('gobtw_janitor_event_stream_connected', "1 when the agent's events arrive");
  const events = counter('gobtw_janitor_events_total', "The agent's events", ['kind', 'outcome']);
  for (const kind of eventKinds) for (const outcome of eventOutcomes) events.inc({ kind, outcome }, 0);
  const gaps = counter(
    'gobtw_janitor_event_gaps_total',
    'Times that events may have been missed, each followed by a list',
    ['reason'],
  );
  for (const reason of gapReasons) gaps.inc({ reason }, 0);
  const agent = histogram('gobtw_janitor_agent_request_seconds', 'Requests to the agent', requestSeconds, [
    'action',
    'outcome',
  ]);
  for (const action of agentActions) for (const outcome of agentOutcomes) agent.zero({ action, outcome });

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
  let replacedYet = 0;
  const workerUtilisation = gauge(
    'gobtw_janitor_worker_utilisation',
    'Share of the time in which worker threads worked, 0 to 1, since they started',
  );
  const queueLabels = ['name'] as const;
  const depth = gauge('workqueue_depth', 'Services waiting in the queue', queueLabels);
  const adds = counter('workqueue_adds_total', 'Services added to the queue', queueLabels);
  const queued = histogram(
    'workqueue_queue_duration_seconds',
    'Time that services waited in the queue',
    lagSeconds,
    queueLabels,
  );
  const worked = histogram(
    'workqueue_work_duration_seconds',
    'Time that services were worked on',
    lagSeconds,
    queueLabels,
  );
  const unfinished = gauge(
    'workqueue_unfinished_work_seconds',
    'Sum of the ages of work in progress',
    queueLabels,
  );
  const longest = gauge(
    'workqueue_longest_running_processor_seconds',
    'Age of the oldest work in progress',
    queueLabels,
  );
  const retries = counter('workqueue_retries_total', 'Services put back after a failure', queueLabels);
  for (const name of queueNames) {
    for (const metric of [depth, unfinished, longest]) metric.set({ name }, 0);
    for (const metric of [adds, retries]) metric.inc({ name }, 0);
    for (const metric of [queued, worked]) metric.zero({ name });
  }
  if (nodeMetrics) collectDefaultMetrics({ register: registry });

  return {
    queue: (name) => ({
      added: () => adds.inc({ name }),
      depth: (keys) => depth.set({ name }, keys),
      queued: (ms) => queued.observe({ name }, ms / 1000),
      worked: (ms) => worked.observe({ name }, ms / 1000),
      retried: () => retries.inc({ name }),
      unfinished(sumMs, longestMs) {
        unfinished.set({ name }, sumMs / 1000);
        longest.set({ name }, longestMs / 1000);
      },
    }),
    event: (kind, outcome, count = 1) => events.inc({ kind, outcome }, count),
    eventGap: (reason) => gaps.inc({ reason: bounded(gapReasons, reason) }),
    streamConnected: (isUp) => stream.set(isUp ? 1 : 0),
    agentRequest(action, outcome, ms) {
      const labels = {
        action: bounded(agentActions, action),
        outcome: bounded(agentOutcomes, outcome.replace(/^agent-/, '')),
      };
      agent.observe(labels, ms / 1000);
    },
    lag: (ms, round) =>
      lag.observe({
        labels: {},
        value: ms / 1000,
        ...(round === undefined ? {} : { exemplarLabels: { round } }),
      }),
    roundKeys: (keys) => roundKeys.observe(keys),
    roundPhase: (phase, ms) => roundPhase.observe({ phase }, ms / 1000),
    change: (kind, reason, result) => changes.inc({ kind, reason, result }),
    superseded: (count) => superseded.inc(count),
    drift(found) {
      for (const kind of driftKinds) drift.set({ kind }, found[kind]);
    },
    ports(proto, usage) {
      for (const state of portStates) ports.set({ proto, state }, usage[state]);
    },
    conflicts: (claims) => conflicts.set(claims),
    servers: (state, count) => servers.set({ state }, count),
    apiRequest: (op, outcome, ms) => api.observe({ op, outcome }, ms / 1000),
    apiConcurrency: (requests) => concurrency.set(requests),
    gobetweenUp: (isUp) => up.set(isUp ? 1 : 0),
    gobetweenRestart: () => restarts.inc(),
    workers({ jobs, replaced, utilisation }) {
      workerJobs.set(jobs);
      workersReplaced.inc(replaced - replacedYet);
      replacedYet = replaced;
      workerUtilisation.set(utilisation);
    },
    writeBack: (result) => writeBacks.inc({ result }),
    synced(yes, wallMs) {
      inSync.set(yes ? 1 : 0);
      if (yes) lastSync.set(wallMs / 1000);
    },
    problems: (code, count) => problems.set({ code }, count),
    problemTransition: (code, transition) => transitions.inc({ code, transition }),
    async expose(accept) {
      const openMetrics = await registry.metrics();
      if (wantsOpenMetrics(accept)) return { contentType: openMetricsType, body: openMetrics };
      return { contentType: textType, body: textOf(openMetrics) };
    },
    describe: () => described,
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
