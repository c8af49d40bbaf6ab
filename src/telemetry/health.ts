/**
 * Alive and ready, as the two questions of an orchestrator. Liveness depends on our own main loop (and workers) only: a
 * restart would mend nothing else. Readiness lists every reason why the first plan does not stand yet (SPEC §8).
 */
import type { Cancel, Clock } from '../clock.js';

/** Answers null when all is well, else the reason in a few words. */
export type Check = () => string | null;

export interface HealthReport {
  readonly ok: boolean;
  /** By check; empty when ok. */
  readonly reasons: Readonly<Record<string, string>>;
}

export interface Health {
  start(): void;
  stop(): void;
  liveness(): HealthReport;
  readiness(): HealthReport;
  /** How much later than planned the last heartbeat of the main loop came, in milliseconds. */
  lagMs(): number;
}

const beatMs = 1000;

/** `live` are checks beside the main loop's heartbeat (worker threads); `maxLagMs` is when a late heartbeat counts as dead. */
export function createHealth(deps: {
  readonly clock: Clock;
  readonly live?: Readonly<Record<string, Check>>;
  readonly ready: Readonly<Record<string, Check>>;
  readonly maxLagMs?: number;
}): Health {
  const maxLagMs = deps.maxLagMs ?? 10_000;
  let lastBeatMs = deps.clock.now();
  let lagMs = 0;
  let cancel: Cancel | null = null;

  function beat(): void {
    const now = deps.clock.now();
    lagMs = Math.max(0, now - lastBeatMs - beatMs);
    lastBeatMs = now;
    cancel = deps.clock.after(beatMs, beat);
  }

  const currentLagMs = (): number => Math.max(lagMs, deps.clock.now() - lastBeatMs - beatMs, 0);
  const mainLoop: Check = () => {
    if (cancel === null) return 'the main loop is not running';
    const late = currentLagMs();
    return late > maxLagMs ? `the main loop was blocked for ${Math.round(late)} ms` : null;
  };

  return {
    start() {
      if (cancel !== null) return;
      lastBeatMs = deps.clock.now();
      lagMs = 0;
      cancel = deps.clock.after(beatMs, beat);
    },
    stop() {
      cancel?.();
      cancel = null;
    },
    liveness: () => report({ 'main-loop': mainLoop, ...deps.live }),
    readiness: () => report(deps.ready),
    lagMs: currentLagMs,
  };
}

function report(checks: Readonly<Record<string, Check>>): HealthReport {
  const failed = Object.entries(checks).flatMap(([name, check]) => {
    const reason = check();
    return reason === null ? [] : [[name, reason] as const];
  });
  return { ok: failed.length === 0, reasons: Object.fromEntries(failed) };
}
