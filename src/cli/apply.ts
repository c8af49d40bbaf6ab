/**
 * `apply`: one pass, then the end. A pass is too short to prove that a service is gone, so absence deletes nothing; what
 * stays for that or another reason is listed. Fails when something that should be served is not (SPEC §10).
 */
import type { App } from '../app-handle.js';
import { createApp } from '../app.js';
import { sleep, systemClock } from '../clock.js';
import { createRealPorts } from '../effects.js';
import type { Change } from '../plan/change.js';
import type { ExposureState } from '../plan/exposure.js';
import { viewGateway } from '../operator/gateway.js';
import type { Settings } from '../settings/settings.js';
import { firstPlan } from './first-plan.js';
import type { Io } from './io.js';
import { renderLeft } from './left.js';
import { usageLine } from './messages.js';
import { onSignals } from './signals.js';
import type { Verbs } from './verbs.js';
import { renderWarnings } from './warned.js';

/** How long nothing may get better, beside the quiet wait, before what is still pending counts as failed. */
const PATIENCE_MS = 5000;
const LOOK_MS = 100;
const NO_RETRY = 'apply ends here and tries nothing again; run keeps trying';
const WATCHED = 'policy observe: nothing was changed';

const LEFT: ReadonlySet<ExposureState> = new Set(['held', 'spoiled', 'kept', 'pending']);

export function createApply(io: Io): Verbs['apply'] {
  return async (settings, { refresh }) => {
    const quiet: Settings = {
      ...settings,
      listen: null,
      metricsListen: null,
      control: null,
      logLevel: 'error',
      // However short the grace: one pass proves no absence.
      deleteGraceMs: Number.POSITIVE_INFINITY,
    };
    const app = createApp(quiet, createRealPorts(quiet), io.version, { refresh });
    const ended = new AbortController();
    const offSignals = onSignals(io, { stop: () => ended.abort() });
    try {
      const changes = await firstPlan(app, settings, io);
      if (changes === null) return 1;
      await untilSettled(app, settings.quietWaitMs + PATIENCE_MS, io, ended.signal);
      io.progress(null);
      const left = app.exposure().filter(({ state }) => LEFT.has(state));
      const pending = left.filter(({ state }) => state === 'pending').length;
      io.out(`${summary(changes, pending)}\n${renderLeft(left, io)}${renderWarnings(app.problems(), io)}`);
      if (pending > 0) io.err(usageLine(settings.policy === 'observe' ? WATCHED : NO_RETRY));
      return pending > 0 || ended.signal.aborted ? 1 : 0;
    } finally {
      await app.stop();
      offSignals();
    }
  };
}

/** Until everything is done, or nothing got better for a while, or a signal. */
async function untilSettled(app: App, patienceMs: number, io: Io, ended: AbortSignal): Promise<void> {
  const settled = app.settled().then(() => true);
  let fewest = Number.POSITIVE_INFINITY;
  let betterAt = systemClock.now();
  while (!ended.aborted && systemClock.now() - betterAt < patienceMs) {
    if (await Promise.race([settled, sleep(systemClock, LOOK_MS, ended).then(() => false)])) return;
    const pending = app.exposure().filter(({ state }) => state === 'pending').length;
    io.progress(viewGateway(app.gateway()).line);
    if (pending < fewest) betterAt = systemClock.now();
    fewest = Math.min(fewest, pending);
  }
}

function summary(changes: readonly Change[], pending: number): string {
  const count = (kind: Change['kind']): number => changes.filter((change) => change.kind === kind).length;
  const outcome = pending === 0 ? 'done' : `${pending} not done, see below`;
  return `${count('create')} to create, ${count('replace')} to replace, ${count('delete')} to delete: ${outcome}`;
}
