/**
 * The composition root: builds every part by hand, connects them with direct calls, and owns the order of start and stop
 * (DESIGN §5.5). Invariant: no part knows another's concrete type; what follows from what is written here and in
 * feedback.ts, and nowhere else.
 */
import type { App, AppOptions } from './app-handle.js';
import { createAfterPlan } from './after-plan.js';
import { sleep, within } from './clock.js';
import { createBugs } from './bugs.js';
import { createBalancerEvents } from './balancer-events.js';
import { createClusterSide } from './cluster-side.js';
import { type Ports, timeRequests, timeSource } from './effects.js';
import { ok } from './errors.js';
import { createFeedback } from './feedback.js';
import { createApplier } from './gobetween/applier.js';
import { createContested } from './gobetween/contested.js';
import { createGuardedBalancer } from './gobetween/guard.js';
import { createLedger } from './gobetween/ledger.js';
import { createWatch } from './gobetween/watch.js';
import { createFirstPlan } from './first-plan.js';
import { createGauges } from './gauges.js';
import { createHolders } from './holders.js';
import { decodeName } from './model/name.js';
import { observeAnswer } from './model/observed.js';
import type { Problem } from './model/problem.js';
import type { ServiceKey } from './model/service.js';
import { countByKind } from './plan/change.js';
import { createHistory } from './operator/history.js';
import { createOrders } from './operator/orders.js';
import { createOperatorSide } from './operator-side.js';
import { createArbiter } from './ports/arbiter.js';
import { createBackoff } from './queue/backoff.js';
import { createWorkqueue } from './queue/workqueue.js';
import { createReconciler } from './reconciler.js';
import { createRound } from './round.js';
import { reservedPorts, type Settings } from './settings/settings.js';
import { createPeers } from './peers.js';
import { createPages } from './pages.js';
import { changeEvent, problemEvent } from './operator/events.js';
import { createChangeLog } from './telemetry/change-log.js';
import { createLog } from './telemetry/log.js';
import { createMetrics } from './telemetry/metrics.js';
import { createProblemBoard } from './telemetry/problems.js';
import { createSubmit } from './submit.js';
import { createSweep } from './sweep.js';
import { createWarmStart } from './warm-start.js';
import { createWritingBack } from './writing-back.js';

const applierStopMs = 8_000;
const writeStopMs = 5_000; // a lost write is made again by the next start
const lookMs = 20;

export function createApp(
  settings: Settings,
  ports: Ports,
  version: string,
  { refresh = false, keepsState = false }: AppOptions = {},
): App {
  const { clock, random, compute } = ports;
  const log = createLog({
    clock,
    level: settings.logLevel,
    format: settings.logFormat,
    colour: process.stderr.isTTY,
    ...(ports.writeLog === undefined ? {} : { write: ports.writeLog }),
  });
  const metrics = createMetrics(version, true);
  const source = timeSource(ports.source, clock, metrics.agentRequest);
  const history = createHistory(clock);
  const board = createProblemBoard({
    ...{ clock, log, metrics },
    onTurn(transition, problem) {
      history.note(problemEvent(transition, problem));
      if (problem.key !== null) operators.feed.touch(problem.key);
    },
  });
  const report = (scope: string, problems: readonly Problem[]): void => board.set(scope, problems);

  const ledger = createLedger(clock);
  const reserved = reservedPorts(settings);
  const arbiter = createArbiter({ clock, range: settings.portRange, reserved, wide: compute.wide });
  const holders = createHolders(arbiter);
  const queue = createWorkqueue<ServiceKey>({
    clock,
    backoff: createBackoff({ random }),
    metrics: metrics.queue('reconcile'),
  });
  const balancer = createGuardedBalancer(
    timeRequests(ports.balancer, clock, metrics.apiRequest), // within: the guard sees what a DELETE is for
    (name) => orders.policyOf(decodeName(name)?.key ?? null),
  );
  const orders = createOrders({
    ...{ clock, policy: settings.policy },
    tell(line) {
      log.info({}, line);
      history.note({ kind: 'order', service: null, server: null, text: line });
    },
    onChange(key) {
      operators.feed.touchAll();
      writeBack.resume();
      if (key === null) reconciler.dirtyAll();
      else reconciler.dirty(key);
    },
  });
  const bugs = createBugs(log, report);
  compute.whenLost(bugs.lost);
  const peers = createPeers(log, settings.gobetweenUrl);
  const firstPlan = createFirstPlan();
  /** A list of GoBetween's servers was read after the cluster's was complete: both sides are known. */
  let bothSeen = false;
  const onBothSeen = (): void => {
    bothSeen = true;
  };

  const { informer, cache, dns, identity } = createClusterSide({
    ...{ settings, ports, source, metrics, peers, report },
    on: {
      dnsChanged: () => reconciler.dirtyAll('dns'),
      dnsProbed: () => reconciler.poke(),
      contextChanged: () => round.contextChanged(),
      noticed: (key, since) => feedback.noticed(key, since),
      dirty: (key) => reconciler.dirty(key),
      dirtyAll: (reason) => reconciler.dirtyAll(reason),
      synced() {
        void watch.sweepNow();
        void warmStart.adopt().then(() => reconciler.poke());
      },
    },
  });

  const round = createRound({
    facts: informer.facts,
    context: identity.context,
    knownNames: identity.knownNames,
    balancer: { byKey: ledger.byKey, applied: (name) => ledger.state(name).applied },
    dns: {
      preferred: (port, protocol) => dns.preferred(port, protocol),
      acceptable: (ip, port, protocol) => dns.acceptable(ip, port, protocol),
    },
    arbiter,
    compute,
    refresh,
    report: (key, problems) => report(key, problems),
    clock,
    onPhase: metrics.roundPhase,
  });

  const reconciler = createReconciler({
    round,
    queue,
    clock,
    keys: informer.keys,
    ready: () => informer.synced() && warmStart.adopted() && bothSeen && dns.probed(),
    submit: (changes) => submit(changes),
    cancel(name, kept) {
      if (!kept) ledger.unowe(name);
      applier.cancel(name);
    },
    onFirstPlan(changes) {
      log.info(countByKind(changes), 'first plan');
      firstPlan.make(changes);
      operators.firstSync.planned(changes.filter(({ kind }) => kind !== 'adopt').length);
      board.firstSyncDone();
    },
    onRound({ keys }) {
      metrics.roundKeys(keys);
      board.endRound();
      warmStart.touch();
    },
    onSettled(key, changes, number) {
      feedback.planned(key, changes, number);
      afterPlan.settled(key);
      operators.feed.touch(key);
    },
    onFailed: bugs.failed,
    onMended: bugs.mended,
  });

  const writeBack = createWritingBack({
    ...{ clock, random, source, informer, metrics, report },
    allowed: () => settings.writeBack === 'on' && orders.policyOf(null) !== 'observe',
    note: (entry) => changeLog.note(entry),
  });

  const warmStart = createWarmStart({
    ...{ clock, log, report, informer, arbiter, round, cache },
    file: ports.state,
    mayWrite: keepsState,
    planned: reconciler.planned,
  });

  const changeLog = createChangeLog(
    clock,
    log,
    (kind) => (kind === 'write-back' ? writeBack.pending() : ledger.pending()),
    (line) => {
      if (line.kind !== 'adopt') history.note(changeEvent(line));
    },
  );
  const feedback = createFeedback({
    clock,
    ledger,
    holders,
    arbiter,
    metrics,
    changeLog,
    report,
    log,
    mended: (name, key) => contested.mended(name, key),
    dirty: (key, reason) => reconciler.dirty(key, reason),
    served(key) {
      round.served(key);
      afterPlan.served(key);
      operators.feed.touch(key);
    },
    distrust: () => watch.distrust(),
  });
  const applier = createApplier(
    { balancer, ledger, clock, random, parse: observeAnswer, on: feedback.on, restless: informer.restless },
    settings,
  );
  const watch = createWatch(
    {
      balancer,
      ledger,
      clock,
      random,
      observe: compute.observe,
      on: createBalancerEvents({
        sweep: createSweep({ ledger, holders, arbiter, informer, reconciler, metrics, onBothSeen }),
        seen: holders.set,
        url: settings.gobetweenUrl,
        peers,
        metrics,
        log,
        outage: (over) => (over ? applier.resume('outage') : applier.pause('outage')),
        dirtyAll: (reason) => reconciler.dirtyAll(reason),
      }),
    },
    settings,
  );

  ports.balancer.whenCut?.(watch.suspect);
  const contested = createContested(clock, { report, ended: (key) => reconciler.dirty(key, 'drift') });
  const submit = createSubmit({
    policyOf: orders.policyOf,
    anonymous: () => identity.problem() !== null,
    contested: contested.has,
    apply: (changes) => applier.submit(changes),
    withheld: feedback.withheld,
    metrics,
  });
  const afterPlan = createAfterPlan({
    clock,
    ledger,
    informer,
    writeBack,
    states: reconciler.states,
    paused: (key) => orders.holdBack(key) !== null,
    watch,
    again: (key) => reconciler.dirty(key),
  });
  function resync(): void {
    informer.resync();
    void watch.sweepNow();
  }
  const operators = createOperatorSide({
    ...{ clock, settings, version, orders, history, board, report, reconciler, ledger, applier, arbiter },
    ...{ informer, identity, peers, resync, log },
    ...{ srv: ports.srv, tryListener: ports.tryListener },
    oldestMs: feedback.oldestMs,
    stats: (name) => ports.balancer.stats(name),
  });
  const pages = createPages({
    clock,
    settings,
    metrics,
    api: operators.routes,
    names: () => [ports.hostname, ...identity.context().gatewayNames],
    state: {
      synced: informer.synced,
      planned: reconciler.planned,
      streaming: informer.streaming,
      swept: () => bothSeen,
      identity: identity.problem,
      agent: () => ports.agent.problem(),
      threads: compute.stats,
      refresh: createGauges({
        ...{ reconciler, ledger, applier, arbiter, queue, informer, cache, compute, metrics, clock, orders },
        balancerUp: watch.up,
        oldestMs: feedback.oldestMs,
        staleDefaults: round.staleDefaults,
        problems: board.all,
      }),
    },
  });
  let running: Promise<void> | null = null;
  let stopping = false;

  return {
    async start() {
      const opened = await pages.start();
      if (!opened.ok) return opened;
      operators.start();
      running = reconciler.run();
      await warmStart.load();
      if (stopping) return ok(undefined);
      informer.start();
      watch.start();
      return ok(undefined);
    },
    firstPlan: firstPlan.changes,
    planned: () => firstPlan.made,
    async settled() {
      await firstPlan.made;
      while (!stopping) {
        await applier.idle();
        if (reconciler.idle() && applier.pending() === 0 && writeBack.pending() === 0) return;
        await sleep(clock, lookMs);
      }
    },
    exposure: () => [...operators.exposures.keys()].flatMap(operators.exposures.of),
    gateway: operators.figures,
    connections: async (server) => (await ports.balancer.stats(server)).value?.activeConnections ?? null,
    problems: board.all,
    servers: () => ledger.size(),
    address: () => pages.address(),
    unreachable: peers.silent,
    say: (fields, message) => log.info(fields, message),
    resync,
    async stop() {
      stopping = true;
      operators.firstSync.stop();
      informer.stop();
      dns.stop();
      afterPlan.stop();
      contested.stop();
      queue.shutdown();
      await running;
      const written = within(clock, writeStopMs, writeBack.stop());
      await Promise.all([applier.stop(applierStopMs), written.then(() => source.close()), warmStart.stop()]);
      watch.stop();
      await Promise.all([operators.stop(), pages.stop(), ports.balancer.close(), compute.close()]);
      changeLog.flush();
      board.stop();
      log.flush();
    },
  };
}
