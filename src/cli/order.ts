/** The verbs that change something in the running janitor: each sends one order over the control socket and says the answer. */
import { formatDuration, parseDurationMs } from '../settings/duration.js';
import type { Settings } from '../settings/settings.js';
import type { Io } from './io.js';
import { createJanitorClient } from './janitor-client.js';
import { usageLine } from './messages.js';
import type { ExitCode, Verbs } from './verbs.js';

export const defaultPause = '1h';

export function createOrders(
  io: Io,
): Pick<Verbs, 'pause' | 'resume' | 'resync' | 'policy' | 'confirm-deletes'> {
  async function order(settings: Settings, path: string): Promise<ExitCode> {
    const answer = await createJanitorClient({ ...settings, listen: null }).order(path);
    if (answer.ok) io.out(`${answer.value}\n`);
    else io.err(usageLine(answer.failure.message));
    return answer.ok ? 0 : 1;
  }

  const whose = (service: string | null): string =>
    service === null ? '' : `service=${encodeURIComponent(service)}&`;

  return {
    async pause(settings, { service, forText }) {
      const forMs = parseDurationMs(forText);
      if (forMs === null || forMs < 1000) {
        io.err(
          usageLine(
            `--for "${forText}" is no duration of a second or more; write for example --for ${formatDuration(3_600_000)}`,
          ),
        );
        return 64;
      }
      return order(settings, `/v1/pause?${whose(service)}for=${Math.round(forMs)}`);
    },
    resume: (settings, { service }) => order(settings, `/v1/resume?${whose(service)}`),
    resync: (settings) => order(settings, '/v1/resync'),
    policy: (settings, { to }) => order(settings, `/v1/policy?to=${encodeURIComponent(to)}`),
    'confirm-deletes': (settings) => order(settings, '/v1/confirm-deletes'),
  };
}
