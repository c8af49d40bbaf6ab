/**
 * `run`: keeps GoBetween equal to what the services ask for, until a signal. Servers stay when it ends. An agent or a
 * GoBetween that is absent at the start is waited for: the app says so once and starts when it comes (SPEC §6-§8).
 */
import { createApp } from '../app.js';
import { sleep, systemClock } from '../clock.js';
import { createRealPorts } from '../effects.js';
import type { Io } from './io.js';
import { usageLine } from './messages.js';
import { onSignals } from './signals.js';
import type { Verbs } from './verbs.js';

/** SPEC §8: exit within 10 s of the signal, whatever hangs. */
const STOP_MS = 9500;

export function createRun(io: Io): NonNullable<Verbs['run']> {
  return async (settings) => {
    const app = createApp(settings, createRealPorts(settings), io.version);
    const asked = new Promise<void>((resolve) => {
      onSignals(io, { stop: resolve, reload: () => app.resync() });
    });
    const started = await app.start();
    if (!started.ok) {
      io.err(usageLine(started.failure.message));
      await app.stop();
      return 1;
    }
    await asked;
    const done = new AbortController();
    const late = sleep(systemClock, STOP_MS, done.signal).then(() => 'late' as const);
    const first = await Promise.race([app.stop(), late]);
    done.abort();
    if (first !== 'late') return 0;
    io.err(usageLine(`could not stop in ${STOP_MS / 1000} s; ending at once, servers stay as they are`));
    process.exit(1);
  };
}
