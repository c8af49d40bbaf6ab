/**
 * `apply`: one pass, then the end. A pass is too short to prove that a service is gone, so absence deletes nothing; what
 * stays for that or another reason is listed. Fails when something that should be served is not (SPEC §10).
 */
import { createApp, createRealPorts } from '../app.js';
import { sleep, systemClock } from '../clock.js';
import type { Change } from '../plan/change.js';
import type { Settings } from '../settings.js';
import { firstPlan } from './first-plan.js';
import type { Io } from './io.js';
import { renderLeft } from './left.js';
import { onSignals } from './signals.js';
import type { Verbs } from './verbs.js';

/** How long nothing may get better before what still fails counts as failed. */
const PATIENCE_MS = 10_000;

export function createApply(io: Io): NonNullable<Verbs['apply']> {
  return async (settings) => {
    const quiet: Settings = { ...settings, listen: null, metricsListen: null, control: null, logLevel: 'error' };
    const app = createApp(quiet, createRealPorts(quiet));
    const ended = new AbortController();
    const offSignals = onSignals(io, { stop: () => ended.abort() });
    try {
      const changes = await firstPlan(app, settings, io);
      if (changes === null) return 1;
      await Promise.race([app.settled(), sleep(systemClock, PATIENCE_MS, ended.signal)]);
      const rows = app.exposure();
      const left = rows.filter(({ state }) => state === 'held' || state === 'spoiled' || state === 'kept' || state === 'pending');
      const failed = left.some(({ state }) => state === 'pending');
      io.out(`${summary(changes)}\n${renderLeft(left, io)}`);
      return failed || ended.signal.aborted ? 1 : 0;
    } finally {
      await app.stop();
      offSignals();
    }
  };
}

function summary(changes: readonly Change[]): string {
  const count = (kind: Change['kind']): number => changes.filter((change) => change.kind === kind).length;
  return `${count('create')} to create, ${count('replace')} to replace, ${count('delete')} to delete`;
}
