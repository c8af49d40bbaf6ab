/**
 * When to list. The agent's stream holds back, cuts and forgets, so the list is polled, at a pace that its own cost sets,
 * and soon after any sign that it changed. Invariants: one list at a time; signs during a list cause one more; a burst of
 * signs costs no more than the pace of the cost allows. Source: SPEC §6, reference/opensvc-v2-protocol.md §4, §9.
 */
import type { Cancel, Clock } from '../clock.js';

export interface ListPoller {
  /** Something changed: list as soon as the cost allows. False when a list was due by then anyway. */
  soon(): boolean;
  /** List at this monotonic time, unless one is due before. */
  at(timeMs: number): void;
  start(): void;
  stop(): void;
}

export interface ListPollerOptions {
  readonly clock: Clock;
  /** Lists once; false when it failed. Never rejects. */
  readonly list: () => Promise<boolean>;
  /** The stream is down, or the first plan waits for the list. */
  readonly urgent: () => boolean;
  readonly windowMs: number;
  /** `--resync`; without it the cost of a list sets the pace. */
  readonly everyMs?: number | null;
}

const MIN_MS = 1000;
const CALM_MS = 2000;
const MAX_MS = 15_000;

const clamp = (low: number, value: number, high: number): number => Math.min(high, Math.max(low, value));

/** The pause after a list that took `costMs`: 2 % of the agent's time when calm, 10 % when urgent. */
export function paceMs(costMs: number, urgent: boolean): number {
  return urgent ? clamp(MIN_MS, costMs * 10, MAX_MS) : clamp(CALM_MS, costMs * 50, MAX_MS);
}

/** The least pause before a list that a sign asked for. */
export function signPaceMs(costMs: number): number {
  return clamp(0, costMs * 5, MAX_MS / 3);
}

export function createListPoller({
  clock,
  list,
  urgent,
  windowMs,
  everyMs = null,
}: ListPollerOptions): ListPoller {
  let stopped = true;
  let running = false;
  let again = false;
  /** Asked for while a list runs. */
  let later = Infinity;
  let dueAt = Infinity;
  let cancel: Cancel | undefined;
  let endedAt = -Infinity;
  let costMs = 0;
  let failures = 0;

  function schedule(atMs: number): void {
    if (running) later = Math.min(later, atMs);
    if (stopped || running || atMs >= dueAt) return;
    cancel?.();
    dueAt = atMs;
    cancel = clock.after(Math.max(0, atMs - clock.now()), () => void run());
  }

  function soon(): boolean {
    const dueBefore = dueAt;
    if (!running) schedule(Math.max(clock.now() + windowMs, endedAt + signPaceMs(costMs)));
    else if (again) return false;
    else again = true;
    return running || dueAt < dueBefore;
  }

  function pauseMs(): number {
    if (failures > 0) return Math.min(MAX_MS, MIN_MS * 2 ** (failures - 1));
    return urgent() || everyMs === null ? paceMs(costMs, urgent()) : everyMs;
  }

  async function run(): Promise<void> {
    running = true;
    again = false;
    later = Infinity;
    const startedAt = clock.now();
    const heard = await list();
    running = false;
    dueAt = Infinity;
    endedAt = clock.now();
    costMs = heard ? endedAt - startedAt : 0;
    failures = heard ? 0 : failures + 1;
    schedule(endedAt + pauseMs());
    schedule(later);
    if (again) soon();
  }

  return {
    soon,
    at: (timeMs) => schedule(timeMs),
    start() {
      stopped = false;
      schedule(clock.now());
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
