/**
 * Growing pauses per key. Invariant: the n-th pause since `forget` lies in [half, full] of min(cap, base * 2^n), so keys
 * that failed together do not come back together, and no pause exceeds the cap.
 */
import type { Random } from '../random.js';

export interface Backoff {
  /** The next pause of `key` in milliseconds; each call doubles the one after. */
  next(key: string): number;
  /** Success: the next pause starts from the base again. */
  forget(key: string): void;
  /** Pauses asked for since the last `forget`. */
  failures(key: string): number;
}

export interface BackoffOptions {
  readonly random: Random;
  /** @default 500 */
  readonly baseMs?: number;
  /** @default 30_000 */
  readonly capMs?: number;
}

/** Above this exponent every base has met its cap; it keeps 2^n finite. */
const MAX_EXPONENT = 40;

export function createBackoff({ random, baseMs = 500, capMs = 30_000 }: BackoffOptions): Backoff {
  const failures = new Map<string, number>();
  return {
    next(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const full = Math.min(capMs, baseMs * 2 ** Math.min(count, MAX_EXPONENT));
      return full / 2 + (full / 2) * random.next();
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
  };
}
