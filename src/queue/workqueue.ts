/**
 * The keyed work queue, in client-go's design (util/workqueue): dirty, processing, order. Fair (first in, first out; keys that
 * come again and again behind those that do not),
 * stingy (a key marked many times is handed out once, and never to two takers at a time), many producers and takers.
 * An event only marks a key; memory is bounded by the number of keys, never by the number of events. Source: DESIGN §5.1.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Backoff } from './backoff.js';

export interface WorkqueueMetrics {
  added(): void;
  depth(keys: number): void;
  /** Time from ready to taken. */
  queued(ms: number): void;
  /** Time from taken to done. */
  worked(ms: number): void;
  retried(): void;
}

export interface Workqueue<K extends string> {
  /** Marks the key: handed out by the next take, or, while it is being processed, again after `done`. */
  add(key: K): void;
  /** Marks the key `ms` from now. A window is fixed: of several deadlines the earliest wins, so a storm cannot starve a key. */
  addAfter(key: K, ms: number): void;
  /** Waits until at least one key is ready, and hands out at most `max`. Resolves [] after `shutdown`. */
  take(max: number): Promise<readonly K[]>;
  /** The taker is through with the key; it is queued again if it was marked meanwhile. */
  done(key: K): void;
  /** Success: back-off and first-dirty time start anew (the latter at a mark made since the key was taken, if any). */
  forget(key: K): void;
  /** Failure: marks the key after its back-off. The first-dirty time stays. */
  retry(key: K): void;
  /** When (Clock.now) the oldest change not yet forgotten was marked; undefined when there is none. */
  firstDirtyAt(key: K): number | undefined;
  /** Keys that have changes not yet forgotten, each with when the oldest of them was marked. */
  unserved(): Iterable<readonly [key: K, sinceMs: number]>;
  /** Keys ready and not taken. */
  readonly depth: number;
  /** Work in progress: the sum of its ages, and the oldest. */
  unfinished(): { readonly sumMs: number; readonly longestMs: number };
  /** Takers get [], timers stop, marks are ignored: the next start computes them anew. */
  shutdown(): void;
}

export interface WorkqueueOptions<K> {
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly metrics?: WorkqueueMetrics;
  /** A key that comes again and again: it waits behind those that do not, but for one place in four. Asked at each mark. */
  readonly restless?: (key: K) => boolean;
}

/** While calm keys wait, every so many a restless one goes before them, so that none starves. */
const RESTLESS_SHARE = 4;

interface Waiting {
  readonly at: number;
  readonly cancel: Cancel;
}

interface Taker<K> {
  readonly max: number;
  readonly resolve: (keys: readonly K[]) => void;
}

export function createWorkqueue<K extends string>({
  clock,
  backoff,
  metrics,
  restless = () => false,
}: WorkqueueOptions<K>): Workqueue<K> {
  /** Keys that need work. Invariant: order ⊆ dirty; a dirty key that is not in order is processing. */
  const dirty = new Set<K>();
  /** Keys handed out. Invariant: order ∩ processing = ∅. Value: when taken. */
  const processing = new Map<K, number>();
  /** Ready keys, first in first out. Value: when they became ready. Restless ones have a line of their own. */
  const order = new Map<K, number>();
  const orderRestless = new Map<K, number>();
  /** Keys with a deadline. Invariant: waiting ∩ dirty = ∅, for a dirty key is worked on sooner than any deadline. */
  const waiting = new Map<K, Waiting>();
  /** The oldest mark per key until `forget`. */
  const firstDirty = new Map<K, number>();
  /** The oldest mark since the key was last taken. Invariant: its keys ⊆ keys of firstDirty. */
  const dirtyAgain = new Map<K, number>();
  /** Keys taken and not forgotten since. */
  const taken = new Set<K>();
  const takers: Taker<K>[] = [];
  let handedOut = 0;
  let stopped = false;

  function mark(key: K): void {
    if (!firstDirty.has(key)) firstDirty.set(key, clock.now());
    else if (taken.has(key) && !dirtyAgain.has(key)) dirtyAgain.set(key, clock.now());
  }

  function unwait(key: K): void {
    waiting.get(key)?.cancel();
    waiting.delete(key);
  }

  function enqueue(key: K): void {
    unwait(key);
    if (stopped) return;
    if (dirty.has(key)) return standBack(key);
    metrics?.added();
    dirty.add(key);
    if (processing.has(key)) return;
    line(key);
  }

  function line(key: K): void {
    (restless(key) ? orderRestless : order).set(key, clock.now());
    metrics?.depth(ready());
    serve();
  }

  /** It waits among the calm keys, and turned out to be none. */
  function standBack(key: K): void {
    const since = order.get(key);
    if (since === undefined || !restless(key)) return;
    order.delete(key);
    orderRestless.set(key, since);
  }

  const ready = (): number => order.size + orderRestless.size;

  function schedule(key: K, ms: number): void {
    if (stopped) return;
    if (dirty.has(key)) return standBack(key);
    const at = clock.now() + ms;
    const earlier = waiting.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.cancel();
    waiting.set(key, { at, cancel: clock.after(ms, () => enqueue(key)) });
  }

  function handOut(max: number): readonly K[] {
    const keys: K[] = [];
    while (keys.length < max && ready() > 0) {
      handedOut += 1;
      const restlessTurn = orderRestless.size > 0 && handedOut % RESTLESS_SHARE === 0;
      keys.push(next(order.size === 0 || restlessTurn ? orderRestless : order));
    }
    metrics?.depth(ready());
    return keys;
  }

  function next(from: Map<K, number>): K {
    const now = clock.now();
    const [first] = from;
    if (first === undefined) throw new Error('an empty line has no next key');
    const [key, readyAt] = first;
    from.delete(key);
    dirty.delete(key);
    dirtyAgain.delete(key);
    taken.add(key);
    processing.set(key, now);
    metrics?.queued(now - readyAt);
    return key;
  }

  function serve(): void {
    while (ready() > 0) {
      const taker = takers.shift();
      if (taker === undefined) return;
      taker.resolve(handOut(taker.max));
    }
  }

  return {
    add(key) {
      if (stopped) return;
      mark(key);
      enqueue(key);
    },
    addAfter(key, ms) {
      if (stopped) return;
      mark(key);
      if (ms <= 0) enqueue(key);
      else schedule(key, ms);
    },
    take(max) {
      if (stopped) return Promise.resolve([]);
      if (ready() > 0) return Promise.resolve(handOut(Math.max(1, max)));
      return new Promise((resolve) => takers.push({ max: Math.max(1, max), resolve }));
    },
    done(key) {
      const since = processing.get(key);
      if (since === undefined) return;
      processing.delete(key);
      metrics?.worked(clock.now() - since);
      if (!stopped && dirty.has(key)) line(key);
    },
    forget(key) {
      backoff.forget(key);
      taken.delete(key);
      const again = dirtyAgain.get(key);
      dirtyAgain.delete(key);
      if (again !== undefined) firstDirty.set(key, again);
      else if (!dirty.has(key) && !waiting.has(key)) firstDirty.delete(key);
    },
    retry(key) {
      if (stopped) return;
      metrics?.retried();
      schedule(key, backoff.next(key));
    },
    firstDirtyAt: (key) => firstDirty.get(key),
    unserved: () => firstDirty,
    get depth() {
      return ready();
    },
    unfinished() {
      let sumMs = 0;
      let longestMs = 0;
      for (const since of processing.values()) {
        const ageMs = clock.now() - since;
        sumMs += ageMs;
        longestMs = Math.max(longestMs, ageMs);
      }
      return { sumMs, longestMs };
    },
    shutdown() {
      stopped = true;
      for (const { cancel } of waiting.values()) cancel();
      for (const set of [dirty, order, orderRestless, waiting, firstDirty, dirtyAgain]) set.clear();
      for (const taker of takers.splice(0)) taker.resolve([]);
    },
  };
}
