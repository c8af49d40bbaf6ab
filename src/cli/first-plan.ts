/** The first plan of an app, or who keeps it waiting: what `plan` and `apply` begin with. */
import type { App } from '../app-handle.js';
import { sleep, systemClock } from '../clock.js';
import type { Change } from '../plan/change.js';
import { viewGateway } from '../operator/gateway.js';
import type { Settings } from '../settings/settings.js';
import type { Io } from './io.js';
import { usageLine } from './messages.js';

const LOOK_MS = 100;

/**
 * Starts the app and waits for its first plan. Reading a large cluster may take minutes; an agent or a GoBetween that
 * does not answer at all is given `--req-timeout` and named. null: it failed, and standard error says why.
 */
export async function firstPlan(app: App, settings: Settings, io: Io): Promise<readonly Change[] | null> {
  const started = await app.start();
  if (!started.ok) {
    io.err(usageLine(started.failure.message));
    return null;
  }
  const deadline = systemClock.now() + settings.reqTimeoutMs;
  const planned = app.firstPlan();
  for (;;) {
    const changes = await Promise.race([planned, sleep(systemClock, LOOK_MS).then(() => null)]);
    if (changes !== null) {
      io.progress(null);
      return changes;
    }
    io.progress(viewGateway(app.gateway()).line);
    const silent = app.unreachable();
    if (silent.length > 0 && systemClock.now() >= deadline) {
      io.progress(null);
      for (const line of silent) io.err(usageLine(line));
      return null;
    }
  }
}
