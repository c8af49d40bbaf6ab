/**
 * The demo by itself: each check does what a person would do, waits for the effect, and says what was seen. A check that
 * fails does not stop the others. The order matters: each one begins with what the one before left.
 */
import { type Clock, sleep } from '../clock.js';
import { runRecoveryChecks } from './demo-check-recovery.js';
import { runTrafficChecks } from './demo-check-traffic.js';
import type { Check, Seen } from './demo-seen.js';
import type { Stage } from './demo-stage.js';

/** How long an effect may take: backends follow the DNS within a second, stand-ins and a busy machine add to it. */
const WITHIN_MS = 12_000;
const PAUSE_MS = 100;

export interface CheckDeps {
  readonly clock: Clock;
  /** Aborted: no further check begins. */
  readonly ended: AbortSignal;
  readonly print: (line: string) => void;
}

/** Runs every check; resolves with the number that failed. */
export async function runChecks(stage: Stage, { clock, ended, print }: CheckDeps): Promise<number> {
  let failed = 0;
  const check: Check = async (title, look) => {
    if (ended.aborted) return;
    const startedAt = clock.now();
    const seen = await eventually(clock, ended, look);
    const seconds = ((clock.now() - startedAt) / 1000).toFixed(1);
    if (!seen.ok) failed += 1;
    print(`${seen.ok ? 'ok    ' : 'FAILED'}  ${title} (${seconds} s)`);
    print(`        ${seen.text}`);
  };
  await runTrafficChecks(stage, check);
  await runRecoveryChecks(stage, check);
  return failed;
}

async function eventually(clock: Clock, ended: AbortSignal, look: () => Promise<Seen> | Seen): Promise<Seen> {
  const deadline = clock.now() + WITHIN_MS;
  for (;;) {
    const seen = await attempt(look);
    if (seen.ok || ended.aborted || clock.now() >= deadline) return seen;
    await sleep(clock, PAUSE_MS, ended);
  }
}

async function attempt(look: () => Promise<Seen> | Seen): Promise<Seen> {
  try {
    return await look();
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : String(error) };
  }
}
