/**
 * Brings GoBetween to what the ledger wants. It gives tickets, that is names; what to do is read from the ledger when a
 * ticket runs, so a newer intent costs nothing. Invariants: one ticket per name, a few at a time; rates run on the monotonic
 * clock; a DELETE that begins a replacement is followed by its POST, also while stopping. Source: DESIGN §5.3, §5.5, SPEC §4, §7.
 */
import { createAlarm } from '../alarm.js';
import { type Clock, within } from '../clock.js';
import type { ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { Change } from '../plan/change.js';
import type { Random } from '../random.js';
import type { ApplierEvents } from './applier-events.js';
import { createBudget } from './budget.js';
import { createFlapHold } from './flap.js';
import type { GuardedBalancer } from './guard.js';
import { createIdlers } from './idlers.js';
import { laneClass, spends } from './lanes.js';
import type { Ledger } from './ledger.js';
import { type PacedWave, createPacing } from './pacing.js';
import { type ParseServer, type Performed, createPerform, isRoutine } from './perform.js';
import { createQuiet } from './quiet.js';
import { createRecheck } from './recheck.js';
import { isOutage, lookDelayMs, retryDelayMs } from './retry.js';
import { type Slot, createSchedule, deletes, skipsQuiet } from './schedule.js';
import { createTickets } from './tickets.js';

export interface ApplierLimits {
  /** Writes per second; 0: no limit. */
  readonly rate: number;
  /** Replacements and deletes per second, with a burst of 100; 0: no limit. */
  readonly replaceRate: number;
  /** Requests in flight, at most. */
  readonly concurrency: number;
  /** How long a DELETE waits for a second without bytes; 0: not at all. */
  readonly quietWaitMs: number;
}

export type PauseCause = 'operator' | 'outage';

export interface Applier {
  submit(changes: readonly Change[]): void;
  /** Forgets the wish for one server; a replacement whose DELETE was sent is undone. */
  cancel(name: ServerName): void;
  outage(): boolean;
  pause(cause?: PauseCause): void;
  /** Without a cause: lifts every pause. */
  resume(cause?: PauseCause): void;
  /** Resolves when nothing runs or will run by itself, failures that wait for a retry apart; at once in an outage. */
  idle(): Promise<void>;
  /** Servers that differ from their intent. */
  pending(): number;
  /** Requests in flight that are worth while now. */
  concurrency(): number;
  /** Mass replacements that go at a tenth of the rate. */
  waves(): readonly PacedWave[];
  /** Starts nothing new, ends every replacement whose DELETE was sent, within `budgetMs`. */
  stop(budgetMs: number): Promise<void>;
}

const outageAfter = 3;

export function createApplier(
  deps: {
    readonly balancer: GuardedBalancer;
    readonly ledger: Ledger;
    readonly clock: Clock;
    readonly random: Random;
    readonly parse: ParseServer;
    readonly on: ApplierEvents;
    /** A service whose config keeps changing lets others go before it. */
    readonly restless: (key: ServiceKey) => boolean;
  },
  limits: ApplierLimits,
): Applier {
  const { ledger, clock, random, on } = deps;
  const tickets = createTickets(clock, limits.concurrency);
  const balancer = tickets.watched(deps.balancer);
  const flap = createFlapHold(clock, (name) => on.calmed?.(name));
  const pacing = createPacing(
    clock,
    () => ledger.size(),
    (wave) => on.paced?.(wave),
  );
  const budget = createBudget(clock, limits.rate, limits.replaceRate);
  const { perform, read } = createPerform({ ...deps, balancer, rest: tickets.rest });
  const recheck = createRecheck({ ledger, clock, read, drifted: (name, key) => on.drifted?.(name, key) });
  const quiet = createQuiet({ balancer, clock, waitMs: limits.quietWaitMs });
  const pauses = new Set<PauseCause>();
  const idlers = createIdlers(isIdle);
  let failuresInRow = 0;
  let stopping = false;
  const pump = createAlarm(clock, startTickets);

  const schedule = createSchedule(
    { ledger, clock, flap, pacing, restless: deps.restless },
    {
      held(name, code, until, listen) {
        const by = listen === null ? [] : ledger.holders(listen, name);
        on.held?.({ name, key: ledger.intent(name)?.key ?? null, code, until, listen, by });
      },
      cleared: (name) => on.cleared?.(name),
      foundMet: ({ key, reason, sinceMs }, name, kind) =>
        on.applied?.({ name, key, kind, reason, ms: clock.now() - sinceMs }),
      foreign(name) {
        on.failed?.({
          name,
          key: null,
          listen: ledger.state(name).observed?.listen ?? null,
          outcome: 'forbidden',
          detail: 'not one of our servers',
          attempt: 1,
          retryInMs: null,
          restored: false,
        });
      },
      // After the present call, so that a batch is seen whole.
      ready: () => pump.within(0),
      mayStart: (name) => !stopping || ledger.endsHalf(name),
    },
  );

  ledger.whenFreed((listen, name) => {
    on.freed?.(listen, name);
    for (const waiter of ledger.wanting(listen, name)) schedule.touch(waiter);
  });

  const stands = (): boolean => pauses.size > 0 && !stopping;

  function startTickets(): void {
    while (!stands() && !tickets.isFull()) {
      const picked = schedule.lanes.pick(clock.now(), (lane) => budget.waitMs(lane) === 0);
      if (picked === null) break;
      const slot = schedule.slot(picked.name);
      const work = ledger.assess(picked.name);
      if (schedule.laneOf(slot, work) !== picked.lane || schedule.earliestMs(slot, work) > clock.now()) {
        schedule.lanes.remove(picked.name);
        slot.place = 'idle';
        schedule.touch(picked.name);
        continue;
      }
      budget.spend(picked.lane);
      slot.paid = spends[picked.lane] || slot.paid;
      schedule.grant(slot);
      tickets.give(
        laneClass[picked.lane],
        () => runTicket(slot),
        (performed) => afterTicket(slot, performed),
        isRoutine,
      );
    }
    const waits = schedule.lanes.waiting().map(budget.waitMs);
    if (!stands() && !tickets.isFull() && waits.length > 0) pump.within(Math.max(1, Math.min(...waits)));
    idlers.settle();
  }

  async function runTicket(slot: Slot): Promise<Performed | null> {
    const { name } = slot;
    if (!(await mayRun(slot))) return null;
    const work = ledger.assess(name);
    ledger.begin(name);
    const performed = await perform(name, work);
    ledger.end(name);
    return performed;
  }

  function afterTicket(slot: Slot, performed: Performed | null): void {
    if (performed !== null) conclude(slot, performed);
    slot.place = 'idle';
    // Who took the wish back while it was carried out, or had none, judged by what was there before.
    if (slot.takenBack || performed?.intent === null) on.outrun?.(slot.name);
    slot.takenBack = false;
    schedule.touch(slot.name);
    if (stopping) endHalves();
    pump.ring();
  }

  /** What a stop still does: the second halves, and what stands in their way. */
  function endHalves(): void {
    for (const name of ledger.owing()) {
      const work = ledger.assess(name);
      schedule.touch(name);
      if (work.op === 'blocked') for (const other of work.by) schedule.touch(other);
    }
  }

  /** What was true when the ticket was given may not be any more; and a DELETE first looks for quiet. */
  async function mayRun(slot: Slot): Promise<boolean> {
    const { name } = slot;
    if (!runnable(slot)) return false;
    const work = ledger.assess(name);
    if (!deletes(work) || skipsQuiet(work)) return true;
    const seen = await quiet.check(slot);
    if (seen.state === 'quiet') return runnable(slot);
    if (seen.state === 'unknown') {
      const { outcome, detail } = seen;
      const intent = ledger.intent(name);
      fail(slot, { kind: 'verify', outcome, detail, intent, changed: false, met: false });
    } else if (seen.state === 'busy') schedule.hold(slot, 'quiet', seen.deadlineMs, null);
    return false;
  }

  function runnable(slot: Slot): boolean {
    const work = ledger.assess(slot.name);
    switch (work.op) {
      case 'nothing':
      case 'blocked':
      case 'refused':
      case 'foreign':
        return false;
      default:
        // A creation that became a replacement goes back for its place in the budget.
        if (spends[schedule.laneOf(slot, work)] || (stopping && !ledger.endsHalf(slot.name))) return false;
        return !deletes(work) || schedule.earliestMs(slot, work) <= clock.now();
    }
  }

  function conclude(slot: Slot, performed: Performed): void {
    const { name } = slot;
    const { outcome, intent, kind } = performed;
    if (performed.changed) {
      flap.record(name);
      slot.paid = false;
      on.dropped?.(intent?.reason ?? 'edited', slot.connections);
      quiet.over(slot);
    }
    if (outcome !== 'ok') return fail(slot, performed);
    if (kind === 'verify') return; // a look proves nothing about writes
    failuresInRow = 0;
    schedule.resetRetries(name);
    if (!performed.met || intent === null || kind === 'restore') return;
    on.applied?.({ name, key: intent.key, kind, reason: intent.reason, ms: clock.now() - intent.sinceMs });
    if (slot.lookAgain || (intent.reason === 'drift' && kind !== 'delete')) recheck.schedule(name);
    slot.lookAgain = false;
    slot.unanswered = null;
  }

  function fail(slot: Slot, performed: Performed): void {
    const { name } = slot;
    const { kind, outcome, detail, intent } = performed;
    const now = ledger.intent(name);
    const serves = ledger.state(name).observed !== null;
    const restored = serves && (now?.refused === true || now?.beside === true);
    slot.attempt += 1;
    const delayMs = kind === 'verify' ? lookDelayMs : retryDelayMs;
    const retryInMs = serves && now?.refused === true ? null : delayMs(outcome, slot.attempt, random);
    if (outcome === 'forbidden') ledger.drop(name);
    slot.outage = isOutage(outcome);
    if (slot.outage || outcome === 'closed') {
      slot.lookAgain = true;
      if (kind !== 'verify' && kind !== 'restore') slot.unanswered = kind;
    }
    const listen = intent?.want?.listen ?? ledger.state(name).observed?.listen ?? null;
    const { attempt } = slot;
    // A newer intent than the one that failed starts afresh.
    if (now === null || (now.want === intent?.want && now.key === intent?.key)) {
      slot.retryAtMs = clock.now() + (retryInMs ?? 0);
    } else schedule.resetRetries(name);
    slot.failed = true;
    on.failed?.({ name, key: intent?.key ?? null, listen, outcome, detail, attempt, retryInMs, restored });
    failuresInRow = slot.outage ? failuresInRow + 1 : 0;
    if (failuresInRow >= outageAfter && !pauses.has('outage')) pause('outage');
  }

  function pause(cause: PauseCause): void {
    if (pauses.has(cause)) return;
    pauses.add(cause);
    if (!stopping) tickets.pause();
    if (cause === 'outage') on.outage?.(false);
    idlers.settle();
  }

  function resume(cause: PauseCause): void {
    if (!pauses.delete(cause)) return;
    failuresInRow = 0;
    if (cause === 'outage') {
      on.outage?.(true);
      for (const slot of schedule.slots()) {
        if (!slot.outage) continue;
        schedule.resetRetries(slot.name);
        schedule.touch(slot.name);
      }
    }
    if (pauses.size > 0) return;
    tickets.start();
    pump.ring();
  }

  function isIdle(): boolean {
    if (stopping) return tickets.count() === 0 && !schedule.active();
    return pauses.has('outage') || (tickets.count() === 0 && (stands() || !schedule.busy()));
  }

  return {
    submit(changes) {
      const names: ServerName[] = [];
      let superseded = 0;
      for (const change of changes) {
        const name = change.kind === 'delete' ? change.name : change.desired.name;
        const taken = ledger.want(change);
        names.push(name);
        if (taken === 'same') continue;
        if (taken === 'superseded') superseded += 1;
        schedule.resetRetries(name);
        if (change.kind === 'replace') pacing.note(name, change.reason);
        else pacing.done(name);
        if (change.kind === 'adopt' && ledger.state(name).applied === change.digest)
          on.applied?.({ name, key: change.key, kind: 'adopt', reason: change.reason, ms: 0 });
      }
      for (const name of names) {
        schedule.touch(name);
        const listen = ledger.intent(name)?.want?.listen;
        if (listen === undefined) continue;
        // Who holds the port may have to make room now.
        for (const holder of ledger.holders(listen, name)) schedule.touch(holder);
      }
      if (superseded > 0) on.superseded?.(superseded);
      idlers.settle();
    },
    cancel(name) {
      ledger.drop(name);
      const slot = schedule.find(name);
      if (slot?.place === 'ticket') slot.takenBack = true;
      schedule.resetRetries(name);
      schedule.touch(name);
      const listen = ledger.state(name).observed?.listen;
      if (listen) for (const waiter of ledger.wanting(listen, name)) schedule.touch(waiter);
      idlers.settle();
    },
    outage: () => pauses.has('outage'),
    pause: (cause = 'operator') => pause(cause),
    resume(cause) {
      for (const each of cause === undefined ? [...pauses] : [cause]) resume(each);
    },
    idle: () => idlers.wait(),
    pending: () => ledger.pending(),
    concurrency: () => tickets.limit(),
    waves: () => pacing.waves(),
    async stop(budgetMs) {
      stopping = true;
      recheck.stop();
      schedule.stop();
      tickets.start();
      endHalves();
      await within(clock, budgetMs, idlers.wait());
      pump.disarm();
      schedule.stop();
      flap.stop();
    },
  };
}
