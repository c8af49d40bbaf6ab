/**
 * The page to read first: the round loop. One round takes a batch of keys through facts → compile → claim → render →
 * plan → ledger (round.ts); rounds never overlap. What to do is computed from the present state, never from the event
 * that woke us. Until the cluster's list is synced and GoBetween was seen once, rounds only compile; then ports are
 * claimed for all services at once, so that every gateway chooses the same, and the first plan goes out whole (SPEC §5, §6).
 */
import { type Clock, sleep } from './clock.js';
import type { ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { Change, ChangeReason } from './plan/change.js';
import type { Workqueue } from './queue/workqueue.js';
import type { Round } from './round.js';
import type { ServiceState } from './service-state.js';

/** Keys taken into one round at most: DESIGN §5.1 measured that large barriers do the most harm. */
const ROUND_KEYS = 128;
/** While no plan is possible rounds only compile, and nobody waits for one: they may grow to what is worth the threads. */
const WARMING = { keys: 1024, pauseMs: 10 } as const;
const MARKED_AT_ONCE = 1_000;

export interface ReconcilerDeps {
  readonly round: Omit<Round, 'restore' | 'served'>;
  readonly queue: Workqueue<ServiceKey>;
  readonly clock: Clock;
  /** Every service that was ever seen and is not proven gone. */
  readonly keys: () => Iterable<ServiceKey>;
  /** The cluster's list is complete and GoBetween was seen: a first plan is possible. */
  readonly ready: () => boolean;
  /** Hands changes to the applier; a policy may hold some back. */
  readonly submit: (changes: readonly Change[]) => void;
  /** A wish of a former plan is not wished any more: what is there stays; `kept`: what was there comes back. */
  readonly cancel: (name: ServerName, kept: boolean) => void;
  readonly onFirstPlan: (changes: readonly Change[]) => void;
  readonly onRound: (round: { keys: number; seconds: number; changes: number }) => void;
  /** A service was planned in this round, with so many changes that cost a call. */
  readonly onSettled: (key: ServiceKey, changes: number, round: number) => void;
  /** A bug: the rounds of this service throw (null: not one service's). Once, until `onMended`. It is tried again. */
  readonly onFailed: (key: ServiceKey | null, error: unknown) => void;
  readonly onMended: (key: ServiceKey) => void;
}

export interface Reconciler {
  /** Runs rounds until the queue shuts down; the running round is finished first. */
  run(): Promise<void>;
  /** Look at this service again; `reason` explains a change that is not its own edit. */
  dirty(key: ServiceKey, reason?: ChangeReason): void;
  dirtyAll(reason?: ChangeReason): void;
  /** Something `ready` depends on changed. */
  poke(): void;
  /** The first plan went out. */
  planned(): boolean;
  /** No round runs and none is due. */
  idle(): boolean;
  states(): ReadonlyMap<ServiceKey, ServiceState>;
}

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { round, queue, clock } = deps;
  const causes = new Map<ServiceKey, ChangeReason>();
  /** warming: compile only. gathering: the first plan is made of all services. open: changes leave as planned. */
  let phase: 'warming' | 'gathering' | 'open' = 'warming';
  let firstKeys = new Set<ServiceKey>();
  let firstChanges = new Map<ServiceKey, readonly Change[]>();
  /** Ports are being claimed for all services: no round runs meanwhile. */
  let claiming: Promise<void> = Promise.resolve();
  let working = false;
  let rounds = 0;
  /** Calls of `dirtyAll` that are not through. */
  let marking = 0;
  /** Services whose last round threw. */
  const failing = new Set<ServiceKey>();

  async function run(): Promise<void> {
    for (;;) {
      const keys = await queue.take(phase === 'warming' ? WARMING.keys : ROUND_KEYS);
      if (keys.length === 0) return;
      working = true;
      rounds += 1;
      await claiming;
      const startedAt = clock.now();
      const changes = await attempt(keys);
      working = false;
      deps.onRound({ keys: keys.length, seconds: (clock.now() - startedAt) / 1000, changes });
      poke();
      if (phase === 'warming') await sleep(clock, WARMING.pauseMs);
      // Or many rounds would be one turn of the loop, and what the first decided would wait for the last.
      else if (queue.depth > 0) await sleep(clock, 0);
    }
  }

  /** A bug neither ends the loop nor costs other services their turn: what throws is tried again service by service. */
  async function attempt(keys: readonly ServiceKey[]): Promise<number> {
    const taken = takeCauses(keys);
    try {
      const changes = await runRound(keys, taken);
      for (const key of keys) succeed(key);
      return changes;
    } catch (error) {
      for (const [key, cause] of taken) if (!causes.has(key)) causes.set(key, cause);
      const [only] = keys;
      if (only !== undefined && keys.length === 1) {
        fail(only, error);
        return 0;
      }
    }
    let changes = 0;
    for (const key of keys) changes += await attempt([key]);
    return changes;
  }

  function succeed(key: ServiceKey): void {
    if (failing.delete(key)) deps.onMended(key);
    queue.forget(key);
    queue.done(key);
  }

  function fail(key: ServiceKey, error: unknown): void {
    if (!failing.has(key)) {
      failing.add(key);
      deps.onFailed(key, error);
    }
    queue.retry(key);
    queue.done(key);
    // The others do not wait for it.
    if (phase === 'gathering') gather([key], []);
  }

  async function runRound(
    keys: readonly ServiceKey[],
    taken: ReadonlyMap<ServiceKey, ChangeReason>,
  ): Promise<number> {
    await round.compile(keys);
    if (phase === 'warming') {
      for (const [key, cause] of taken) if (!causes.has(key)) causes.set(key, cause);
      return 0;
    }
    const { changes, moot, affected } = await round.settle(keys, taken);
    for (const { name, kept } of moot) deps.cancel(name, kept);
    for (const key of affected) queue.add(key);
    if (phase === 'gathering') gather(keys, changes);
    else if (changes.length > 0) deps.submit(changes);
    const counts = countByKey(changes);
    for (const key of keys) deps.onSettled(key, counts.get(key) ?? 0, rounds);
    return changes.length;
  }

  function takeCauses(keys: readonly ServiceKey[]): ReadonlyMap<ServiceKey, ChangeReason> {
    const taken = new Map<ServiceKey, ChangeReason>();
    for (const key of keys) {
      const cause = causes.get(key);
      if (cause !== undefined) taken.set(key, cause);
      causes.delete(key);
    }
    return taken;
  }

  /** Leaves the warming phase once everything is compiled; then every service is settled in one gathered plan. */
  function poke(): void {
    if (phase !== 'warming' || working || queue.depth > 0 || !deps.ready()) return;
    phase = 'gathering';
    firstKeys = new Set(deps.keys());
    claiming = round.claimAll([...firstKeys]).catch((error: unknown) => {
      deps.onFailed(null, error); // each service claims again in its own round
    });
    if (firstKeys.size === 0) finishFirst();
    for (const key of firstKeys) queue.add(key);
  }

  function gather(keys: readonly ServiceKey[], changes: readonly Change[]): void {
    for (const key of keys) {
      firstChanges.set(
        key,
        changes.filter((change) => change.key === key),
      );
      firstKeys.delete(key);
    }
    if (firstKeys.size === 0) finishFirst();
  }

  function finishFirst(): void {
    const changes = [...firstChanges.values()].flat();
    firstChanges = new Map();
    phase = 'open';
    try {
      deps.onFirstPlan(changes);
      deps.submit(changes);
    } catch (error) {
      deps.onFailed(null, error);
      for (const { key } of changes) if (key !== null) queue.retry(key);
    }
  }

  function dirty(key: ServiceKey, reason?: ChangeReason): void {
    if (reason !== undefined) causes.set(key, reason);
    queue.add(key);
  }

  /** In slices of about a millisecond, for there may be many. */
  async function markAll(keys: readonly ServiceKey[], reason: ChangeReason | undefined): Promise<void> {
    for (const [at, key] of keys.entries()) {
      if (at > 0 && at % MARKED_AT_ONCE === 0) await sleep(clock, 0);
      dirty(key, reason);
    }
    marking -= 1;
  }

  return {
    run,
    dirty,
    dirtyAll: (reason) => {
      marking += 1;
      void markAll([...deps.keys()], reason);
    },
    poke,
    planned: () => phase === 'open',
    idle: () => !working && marking === 0 && queue.depth === 0,
    states: () => round.states(),
  };
}

/** Changes that are still owed: an adoption costs no call, and is done when it is planned. */
function countByKey(changes: readonly Change[]): ReadonlyMap<ServiceKey, number> {
  const counts = new Map<ServiceKey, number>();
  for (const { key, kind } of changes)
    if (key !== null && kind !== 'adopt') counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
