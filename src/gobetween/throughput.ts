/**
 * Throughput by the ends of creations: so many per millisecond while others wait for the places, over a window of a dozen spans, of
 * which the slowest is left out for a hiccup. Stalls that come often count, for having more in flight covers them.
 * Invariant: a span in which nobody waited is void, so a window says what could be done, not what there was to do.
 */
import type { Clock } from '../clock.js';

export interface Measured {
  /** Creations per millisecond. */
  readonly rate: number;
  /** The mean of the middle half. */
  readonly latencyMs: number;
}

export interface ThroughputWindow {
  /** A creation has ended, and another takes its place. The measure, when the window is full; it then starts anew. */
  add(latencyMs: number): Measured | null;
  /** A place is left free: the present span is void. */
  interrupt(): void;
  restart(): void;
  /** The latency so far, once there are a few samples and they took long; null before. */
  early(): number | null;
}

const SPAN = 24;
const SPANS = 12;
const EARLY = { samples: 4, ms: 2000 };

export function createThroughputWindow(clock: Clock): ThroughputWindow {
  let spansMs: number[] = [];
  let latenciesMs: number[] = [];
  let inSpan = 0;
  let spanBeganMs: number | null = null;
  let beganMs = clock.now();

  function restart(): void {
    spansMs = [];
    latenciesMs = [];
    inSpan = 0;
    spanBeganMs = null;
    beganMs = clock.now();
  }

  return {
    add(latencyMs) {
      const now = clock.now();
      latenciesMs.push(latencyMs);
      if (spanBeganMs === null) {
        spanBeganMs = now;
        return null;
      }
      inSpan += 1;
      if (inSpan < SPAN) return null;
      spansMs.push(now - spanBeganMs);
      spanBeganMs = now;
      inSpan = 0;
      if (spansMs.length < SPANS) return null;
      const counted = [...spansMs].sort((a, b) => a - b).slice(0, SPANS - 1);
      const totalMs = counted.reduce((sum, ms) => sum + ms, 0);
      const measured = { rate: (SPAN * counted.length) / totalMs, latencyMs: middleMean(latenciesMs) };
      restart();
      return measured;
    },
    interrupt() {
      inSpan = 0;
      spanBeganMs = null;
    },
    restart,
    early() {
      const some = latenciesMs.length >= EARLY.samples && clock.now() - beganMs >= EARLY.ms;
      return some ? middleMean(latenciesMs) : null;
    },
  };
}

function middleMean(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  const middle = sorted.slice(quarter, sorted.length - quarter);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
