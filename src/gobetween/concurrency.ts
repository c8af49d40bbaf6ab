/**
 * How many requests to GoBetween are worth having in flight, between 1 and the setting. It compares throughput, which is
 * requests in flight ÷ latency (Little's law), between neighbouring levels, as BBR probes for bandwidth: more in flight is
 * kept if it does a tenth more, fewer if they do as much. Latency against a best one, as TCP Vegas and gradient2 have it,
 * would mislead: GoBetween creates under one lock, and what a create takes depends on its body and on the machine; 8 in
 * flight may do 1.25 times what 4 do at 1.6 times the latency. Invariants: 1 ≤ limit ≤ setting; no level is left for
 * another without `WINDOW` creations at both, unless GoBetween is slow: then it falls at once. Source: DESIGN §5.3, §5.6.
 */
import type { Clock } from '../clock.js';
import type { Outcome } from './outcome.js';

export interface Concurrency {
  limit(): number;
  /** A request begins; the returned function is called with what it came to. Only creations (`counts`) are evidence. */
  begin(counts: boolean): (outcome: Outcome) => void;
}

type Direction = 1 | -1;

/** Creations that a level is judged by: the mean of their middle half, which stalls and hiccups do not move. */
const WINDOW = 96;
const MORE_PAYS = 1.1;
const FEWER_DO = 0.95;
/** A latency that changed by this factor is looked into at once. */
const MOVED = 2;
/** A healthy GoBetween answers within 100 ms under any load: from here on it is on its way to time-outs. */
const SLOW_MS = 500;
const SLOW_WINDOW = { samples: 4, ms: 2000 };
/** Between two trials that failed; doubled by each. */
const HOLD_MS = { first: 2000, longest: 32_000 };
/** A window with a longer break in it would mix two times. */
const BREAK_MS = 5000;

export function createConcurrency(
  clock: Clock,
  setting: number,
  changed: (limit: number) => void = () => undefined,
): Concurrency {
  const levels = levelsUpTo(setting);
  let at = levels.length - 1;
  let inFlight = 0;
  /** Which requests began at the present level. */
  let era = 0;
  let samples: number[] = [];
  let beganMs = 0;
  let heardMs = 0;
  /** To be left out: they met requests of the level before. */
  let strangers = 0;
  /** Where a trial came from, and the throughput there. */
  let trial: { readonly from: number; readonly rate: number } | null = null;
  let usualMs: number | null = null;
  let nextTrialMs = 0;
  let holdMs = HOLD_MS.first;
  let direction: Direction = -1;

  const limit = (): number => levels[at] ?? 1;
  const isPossible = (to: Direction): boolean => at + to >= 0 && at + to < levels.length;

  function restart(): void {
    samples = [];
    beganMs = clock.now();
  }

  function move(to: number): void {
    at = to;
    era += 1;
    strangers = limit();
    restart();
    changed(limit());
  }

  /** Whatever throughput says: what times out is done twice, and who comes next waits behind it. */
  function slowDown(latencyMs: number): void {
    trial = null;
    usualMs = latencyMs;
    hold();
    if (at > 0) move(at - 1);
    else restart();
  }

  function hold(): void {
    nextTrialMs = clock.now() + holdMs;
    holdMs = Math.min(HOLD_MS.longest, holdMs * 2);
  }

  function tryNext(to: Direction, rate: number): void {
    trial = isPossible(to) ? { from: at, rate } : null;
    direction = to;
    if (trial === null) restart();
    else move(at + to);
  }

  function judgeTrial(from: number, rateThere: number, latencyMs: number): void {
    const rate = limit() / latencyMs;
    if (rate >= rateThere * (at > from ? MORE_PAYS : FEWER_DO)) {
      usualMs = latencyMs;
      holdMs = HOLD_MS.first;
      nextTrialMs = clock.now() + holdMs;
      tryNext(direction, rate);
      return;
    }
    hold();
    direction = opposite(direction);
    trial = null;
    move(from);
  }

  function judge(latencyMs: number): void {
    const rate = limit() / latencyMs;
    const rose = usualMs !== null && latencyMs > usualMs * MOVED;
    const fell = usualMs !== null && latencyMs < usualMs / MOVED;
    usualMs = latencyMs;
    if (rose || fell) {
      holdMs = HOLD_MS.first;
      tryNext(rose ? -1 : 1, rate);
    } else if (clock.now() >= nextTrialMs)
      tryNext(isPossible(direction) ? direction : opposite(direction), rate);
    else restart();
  }

  function sample(latencyMs: number): void {
    const now = clock.now();
    const afterBreak = now - heardMs > BREAK_MS;
    heardMs = now;
    if (afterBreak && trial !== null) {
      const { from } = trial;
      trial = null;
      return move(from);
    }
    if (afterBreak) restart();
    if (strangers > 0) {
      strangers -= 1;
      if (strangers === 0) restart();
      return;
    }
    samples.push(latencyMs);
    const enough = samples.length >= Math.max(WINDOW, limit());
    const late = samples.length >= SLOW_WINDOW.samples && now - beganMs >= SLOW_WINDOW.ms;
    if (!enough && !late) return;
    const usual = middleMean(samples);
    if (usual > SLOW_MS) slowDown(usual);
    else if (enough && trial !== null) judgeTrial(trial.from, trial.rate, usual);
    else if (enough) judge(usual);
  }

  return {
    limit,
    begin(counts) {
      inFlight += 1;
      const began = { era, ms: clock.now(), full: inFlight >= limit() };
      return (outcome) => {
        inFlight -= 1;
        if (began.era !== era) return;
        const ms = clock.now() - began.ms;
        if (outcome === 'timeout') slowDown(Math.max(ms, SLOW_MS));
        else if (counts && began.full && outcome === 'ok') sample(ms);
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

function middleMean(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  const middle = sorted.slice(quarter, sorted.length - quarter);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
