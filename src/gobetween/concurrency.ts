/**
 * How many requests to GoBetween are worth having in flight, between 1 and the setting. It climbs the hill of throughput,
 * not of latency: neighbouring levels (1, 2, 4, … the setting) are tried between two looks at the present one, and more in
 * flight is kept if it does a tenth more, fewer if they do as much. Latency against the best seen (TCP Vegas, gradient2)
 * would mislead: GoBetween creates under one lock, so latency grows with what is in flight whether that pays or not
 * (DECISIONS D19). Only slowness, half a second or a time-out, lowers it at once. Invariant: 1 ≤ limit ≤ setting.
 * Source: DESIGN §5.3, §5.6.
 */
import type { Clock } from '../clock.js';
import type { Outcome } from './outcome.js';
import { createThroughputWindow, type Measured } from './throughput.js';

export interface Concurrency {
  limit(): number;
  /**
   * A request begins; the returned function is called at its end, with what it came to and whether another waits for its
   * place. Only creations (`counts`) are evidence.
   */
  begin(counts: boolean): (outcome: Outcome, othersWait: boolean) => void;
}

type Direction = 1 | -1;

type Phase =
  | { readonly kind: 'steady' }
  /** At the neighbour, one step towards `to`; `before` is the throughput of the level it left. */
  | { readonly kind: 'trial'; readonly to: Direction; readonly before: number }
  /** Back, to see whether the times changed meanwhile. */
  | { readonly kind: 'back'; readonly to: Direction; readonly before: number; readonly tried: number };

/** One after the other that have to agree. */
const TRIALS = 2;
const MORE_PAYS = 1.05;
const FEWER_DO = 0.95;
/** A latency that changed by this factor is looked into at once. */
const MOVED = 2;
/** A healthy GoBetween answers within 100 ms under any load: from here on it is on its way to time-outs. */
const SLOW_MS = 500;
/** From the begin of work to the first trial, and between two that failed; doubled by each. */
const HOLD_MS = { first: 2000, longest: 32_000 };
/** What was measured before a longer break is of another time. */
const BREAK_MS = 5000;

export function createConcurrency(
  clock: Clock,
  setting: number,
  changed: (limit: number) => void = () => undefined,
): Concurrency {
  const levels = levelsUpTo(setting);
  const window = createThroughputWindow(clock);
  let at = levels.length - 1;
  let phase: Phase = { kind: 'steady' };
  /** Which requests began at the present level. */
  let era = 0;
  /** To be left out: they met requests of the level before. */
  let strangers = 0;
  let heardMs = -Infinity;
  let usualMs: number | null = null;
  let nextTrialMs = 0;
  let holdMs = HOLD_MS.first;
  let direction: Direction = -1;
  let agreed = 0;

  const limit = (): number => levels[at] ?? 1;
  const isPossible = (to: Direction): boolean => at + to >= 0 && at + to < levels.length;

  function move(steps: number): void {
    at += steps;
    era += 1;
    strangers = limit();
    window.restart();
    changed(limit());
  }

  function hold(): void {
    nextTrialMs = clock.now() + holdMs;
    holdMs = Math.min(HOLD_MS.longest, holdMs * 2);
  }

  function tryStep(to: Direction, before: number): void {
    if (!isPossible(to)) return;
    direction = to;
    phase = { kind: 'trial', to, before };
    move(to);
  }

  /** Whatever throughput says: what times out is done twice, and who comes next waits behind it. */
  function slowDown(latencyMs: number): void {
    phase = { kind: 'steady' };
    agreed = 0;
    usualMs = latencyMs;
    hold();
    window.restart();
    if (isPossible(-1)) move(-1);
  }

  function judge({ rate, latencyMs }: Measured): void {
    switch (phase.kind) {
      case 'steady':
        return judgeSteady(rate, latencyMs);
      case 'trial': {
        const { to, before } = phase;
        phase = { kind: 'back', to, before, tried: rate };
        return move(-to);
      }
      case 'back': {
        const { to, before, tried } = phase;
        phase = { kind: 'steady' };
        usualMs = latencyMs;
        if (tried < Math.max(before, rate) * (to > 0 ? MORE_PAYS : FEWER_DO)) {
          direction = opposite(to);
          agreed = 0;
          return hold();
        }
        agreed += 1;
        if (agreed < TRIALS) return tryStep(to, rate);
        agreed = 0;
        holdMs = HOLD_MS.first;
        nextTrialMs = clock.now();
        usualMs = null;
        return move(to);
      }
    }
  }

  function judgeSteady(rate: number, latencyMs: number): void {
    const rose = usualMs !== null && latencyMs > usualMs * MOVED;
    const fell = usualMs !== null && latencyMs < usualMs / MOVED;
    usualMs = latencyMs;
    if (rose || fell) {
      holdMs = HOLD_MS.first;
      tryStep(rose ? -1 : 1, rate);
    } else if (clock.now() >= nextTrialMs)
      tryStep(isPossible(direction) ? direction : opposite(direction), rate);
  }

  function ended(latencyMs: number): void {
    const afterBreak = clock.now() - heardMs > BREAK_MS;
    heardMs = clock.now();
    if (afterBreak) beginAnew();
    if (strangers > 0) {
      strangers -= 1;
      return;
    }
    const measured = window.add(latencyMs);
    const usual = measured?.latencyMs ?? window.early();
    if (usual !== null && usual > SLOW_MS) slowDown(usual);
    else if (measured !== null) judge(measured);
  }

  /** A trial that a break came into is none; work that is done within two seconds is not tried upon. */
  function beginAnew(): void {
    nextTrialMs = Math.max(nextTrialMs, clock.now() + HOLD_MS.first);
    window.restart();
    if (phase.kind === 'trial') move(-phase.to);
    agreed = 0;
    phase = { kind: 'steady' };
  }

  return {
    limit,
    begin(counts) {
      const began = { era, ms: clock.now() };
      return (outcome, othersWait) => {
        if (began.era !== era) return;
        const ms = clock.now() - began.ms;
        if (outcome === 'timeout') slowDown(Math.max(ms, SLOW_MS));
        else if (!othersWait) window.interrupt();
        else if (counts && outcome === 'ok') ended(ms);
      };
    },
  };
}

const opposite = (direction: Direction): Direction => (direction === 1 ? -1 : 1);

/** 1, 2, 4, … and the setting itself. */
function levelsUpTo(setting: number): readonly number[] {
  const levels: number[] = [];
  for (let level = 1; level < setting; level *= 2) levels.push(level);
  return [...levels, setting];
}
