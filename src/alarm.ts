/** One timer of which the earlier deadline wins. Invariant: at most one is armed; ringing disarms it first. */
import type { Cancel, Clock } from './clock.js';

export interface Alarm {
  readonly ring: () => void;
  /** Rings in `ms`, or earlier if it was set so. */
  readonly within: (ms: number) => void;
  readonly disarm: () => void;
}

export function createAlarm(clock: Clock, onRing: () => void): Alarm {
  let atMs = Infinity;
  let cancel: Cancel = () => undefined;

  function disarm(): void {
    cancel();
    atMs = Infinity;
  }
  function ring(): void {
    disarm();
    onRing();
  }
  function within(ms: number): void {
    const dueMs = clock.now() + ms;
    if (atMs <= dueMs) return;
    cancel();
    atMs = dueMs;
    cancel = clock.after(ms, ring);
  }
  return { ring, within, disarm };
}
