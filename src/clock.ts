/**
 * Time, injected. The only file that touches the real clock; lint forbids the globals everywhere else.
 * `now` is monotonic milliseconds (grace, back-off, rates); `wall` is Unix milliseconds (for people and metrics only).
 */
export type Cancel = () => void;

export interface Clock {
  now(): number;
  wall(): number;
  /** Calls `fn` once, `ms` from now; the returned function cancels it. */
  after(ms: number, fn: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(ms, finish);
    function finish(): void {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    }
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Milliseconds since it was made, or since the last call. */
export function stopwatch(clock: Clock): () => number {
  let since = clock.now();
  return () => {
    const before = since;
    since = clock.now();
    return since - before;
  };
}

/** Resolves when `work` has, or after `ms`, whichever is first. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, ms, done.signal)]);
  done.abort();
}

/** `2026-01-31T12:00:00.000Z` of Unix milliseconds. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
