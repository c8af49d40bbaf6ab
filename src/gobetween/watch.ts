/**
 * Follows GoBetween: a status each second, a sweep of all servers every `sweepMs` or less often if it costs much.
 * Invariants: one status and one list in flight; after a restart nothing is believed; after an own start, an outage or
 * a time-out one list is no proof, for an abandoned request may still act: it is asked for again 2 s later (the fence).
 * Source: SPEC §7, DESIGN §5.4, §5.7, reliability.md (b).
 */
import { type Clock, sleep } from '../clock.js';
import type { Observed } from '../model/server.js';
import type { Random } from '../random.js';
import type { DriftReport, TellSeen } from './believe.js';
import type { Ledger } from './ledger.js';
import type { Balancer, BalancerStatus, Outcome } from './outcome.js';

export interface WatchEvents {
  /** A list shows that this server is not what it was believed to be; null: not there. Before `onSweep`. */
  readonly onSeen?: TellSeen;
  /** The ledger was just brought to what GoBetween has. `first`: since the start of this program. */
  readonly onSweep: (report: DriftReport, first: boolean) => void;
  /** GoBetween is a new process: everything known was forgotten, and what it has was read. Before `onSweep`. */
  readonly onRestart: () => void;
  /** true: it answers again and was swept (before `onSweep`). false: with what it came to and GoBetween's words. */
  readonly onUp: (up: boolean, outcome: Outcome, detail: string) => void;
  /** A list that could not be read, although GoBetween answers. */
  readonly onSweepFailed?: (outcome: Outcome, detail: string) => void;
}

export interface Watch {
  start(): void;
  stop(): void;
  /** Resolves after a sweep that began after this call; false when it failed or the watch was stopped. */
  sweepNow(): Promise<boolean>;
  /** Writes fail although a status may answer: counts as down until a sweep succeeds. */
  distrust(): void;
  /** A connection was cut: the status is asked for now, not in a second. */
  suspect(): void;
  up(): boolean;
}

const statusMs = 1_000;
const downProbeMs = 250;
const longestProbeMs = 5_000;
const fenceMs = 2_000;
const retrySweepMs = 5_000;
/** A sweep may take a tenth of the time. */
const costFactor = 9;
/** Each write counts twice in the order of writes. */
const fewWrites = 1_000;

export function createWatch(
  deps: {
    readonly balancer: Balancer;
    readonly ledger: Ledger;
    readonly clock: Clock;
    readonly random: Random;
    /** The servers in a list, given those believed to be there; null when it is none. */
    readonly observe: (list: Uint8Array, known: readonly Observed[]) => Promise<readonly Observed[] | null>;
    readonly on: WatchEvents;
  },
  options: { readonly sweepMs: number },
): Watch {
  const { balancer, ledger, clock, random, observe, on } = deps;
  let stopped = true;
  let known: BalancerStatus | null = null;
  let restarted = false;
  /** null: not known yet. */
  let up: boolean | null = null;
  let silent = 0;
  let probeMs = downProbeMs;
  /** A status is under way, or what follows from it. */
  let asking = false;
  let suspectedMs = -Infinity;
  let swept = false;
  let sweeping: Promise<boolean> | null = null;
  let next: Promise<boolean> | null = null;
  /** The last list that was believed, and the position in the order of writes then. */
  let last: { readonly servers: readonly Observed[]; readonly mark: number } = { servers: [], mark: 0 };
  const timers = { status: noTimer, sweep: noTimer, fence: noTimer };

  function goDown(outcome: Outcome, detail: string): void {
    if (up === false) return;
    up = false;
    timers.sweep();
    timers.fence();
    on.onUp(false, outcome, detail);
  }

  function forget(): void {
    known = null;
    if (restarted) return;
    restarted = true;
    ledger.forgetAll();
  }

  async function checkStatus(): Promise<void> {
    asking = true;
    const { outcome, value, detail } = await balancer.status();
    if (stopped) return;
    let pauseMs = statusMs;
    if (value !== undefined) {
      silent = 0;
      const same = known !== null && known.pid === value.pid && known.startTime === value.startTime;
      if (known !== null && !same) forget();
      if (!same) known = value;
      if (up === true && same && !restarted) probeMs = downProbeMs;
      else if (!(await sweepNow())) pauseMs = longer();
    } else {
      silent += 1;
      // A refused connection is a process that is gone; silence must repeat before it counts.
      if (outcome === 'unreachable') forget();
      if (outcome === 'unreachable' || outcome === 'unauthorized' || silent >= 2) goDown(outcome, detail);
      pauseMs = longer();
    }
    asking = false;
    if (!stopped) timers.status = clock.after(pauseMs, () => void checkStatus());
  }

  /** The pause before the next try: doubling from 250 ms to 5 s. */
  function longer(): number {
    const now = probeMs;
    probeMs = Math.min(longestProbeMs, probeMs * 2);
    return now;
  }

  function sweepNow(): Promise<boolean> {
    if (stopped) return Promise.resolve(false);
    if (sweeping === null) {
      sweeping = sweep().finally(() => {
        sweeping = null;
      });
      return sweeping;
    }
    // The list in flight began before this call: one more, for all who ask meanwhile.
    next ??= sweeping.then(() => {
      next = null;
      return sweepNow();
    });
    return next;
  }

  async function sweep(): Promise<boolean> {
    timers.sweep();
    const startedMs = clock.now();
    const mark = ledger.mark();
    const process = known;
    const { outcome, value, detail } = await balancer.list();
    const servers = value === undefined ? null : await observe(value, likely());
    if (stopped) return false;
    const costMs = clock.now() - startedMs;
    const plainMs = options.sweepMs * (0.8 + 0.2 * random.next());
    const pauseMs =
      servers === null ? Math.max(retrySweepMs, costMs) : Math.max(plainMs, costFactor * costMs);
    if (up !== false) timers.sweep = clock.after(pauseMs, () => void sweepNow());
    if (servers === null) {
      if (known !== null)
        on.onSweepFailed?.(value === undefined ? outcome : 'invalid', detail || 'the list cannot be read');
      return false;
    }
    // A list of a process that is gone by now proves nothing.
    if (process !== known) return false;
    const report = await believe(servers, mark);
    if (stopped || process !== known) return false;
    last = { servers, mark: ledger.mark() };
    tellSwept(report);
    return true;
  }

  /** What the list most likely says: the last one again, unless we wrote much since; it is at hand, and need not be encoded. */
  function likely(): readonly Observed[] {
    return ledger.mark() - last.mark <= fewWrites ? last.servers : [...ledger.servers()];
  }

  /** Whoever else waits for this thread goes between the slices. */
  async function believe(servers: readonly Observed[], mark: number): Promise<DriftReport> {
    const steps = ledger.believe(servers, mark, on.onSeen ?? unheard);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await sleep(clock, 0);
    }
  }

  function tellSwept(report: DriftReport): void {
    const first = !swept;
    swept = true;
    if (restarted || up !== true) {
      timers.fence();
      timers.fence = clock.after(fenceMs, () => void sweepNow());
    }
    probeMs = downProbeMs;
    if (restarted) {
      restarted = false;
      if (!first) on.onRestart();
    }
    if (up !== true) {
      up = true;
      on.onUp(true, 'ok', '');
    }
    on.onSweep(report, first);
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      void checkStatus();
    },
    stop() {
      stopped = true;
      timers.status();
      timers.sweep();
      timers.fence();
    },
    sweepNow,
    distrust: () => goDown('timeout', 'requests that change something are not answered'),
    suspect() {
      // Of a silent one our own time-outs cut them; and who ends each connection must not be asked all the time.
      if (stopped || asking || up !== true || silent > 0 || clock.now() - suspectedMs < statusMs) return;
      suspectedMs = clock.now();
      timers.status();
      void checkStatus();
    },
    up: () => up === true,
  };
}

function noTimer(): void {
  // nothing to cancel
}

function unheard(): void {
  // nobody wants to know
}
