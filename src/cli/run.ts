/**
 * `run`: keeps GoBetween equal to what the services ask for, until a signal. Servers stay when it ends. An agent or a
 * GoBetween that is absent at the start is waited for: the app says so once and starts when it comes (SPEC §6-§8).
 */
import { createApp } from '../app.js';
import { sleep, systemClock } from '../clock.js';
import { createRealPorts } from '../effects.js';
import { keepHeapSmall } from '../heap.js';
import type { Io } from './io.js';
import { usageLine } from './messages.js';
import { onSignals } from './signals.js';
import type { Verbs } from './verbs.js';

/** SPEC §8: exit within 10 s of the signal, whatever hangs. */
const STOP_MS = 9500;

export function createRun(io: Io): Verbs['run'] {
  return async (settings) => {
    keepHeapSmall();
    const ports = createRealPorts(settings);
    const app = createApp(settings, ports, io.version, { keepsState: true });
    const asked = new Promise<void>((resolve) => {
      const reload = (): void => {
        app.say({}, 'SIGHUP: looking at the whole cluster and at GoBetween again');
        app.resync();
      };
      onSignals(io, { stop: resolve, reload });
    });
    const started = await app.start();
    if (!started.ok) {
      io.err(usageLine(`${started.failure.message}; see --listen and --metrics-listen`));
      await app.stop();
      return 1;
    }
    const { gateways, gobetweenUrl, policy } = settings;
    const names = [settings.hostname ?? ports.hostname, ...gateways];
    app.say(
      { names, policy, gobetween: gobetweenUrl, page: app.address() ?? 'off' },
      `gobtw-janitor ${io.version} runs`,
    );
    await asked;
    app.say({}, 'stopping: what was begun is finished; every server stays in GoBetween');
    const done = new AbortController();
    const late = sleep(systemClock, STOP_MS, done.signal).then(() => 'late' as const);
    const first = await Promise.race([app.stop(), late]);
    done.abort();
    if (first !== 'late') return 0;
    io.err(usageLine(`could not stop in ${STOP_MS / 1000} s; ending at once, servers stay as they are`));
    process.exit(1);
  };
}
