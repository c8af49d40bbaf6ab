/** `watch`: what happens, line by line, until a signal: changes of servers, problems, orders, and the gateway's own line. */
import type { GatewayView } from '../operator/gateway.js';
import type { HistoryEvent } from '../operator/history.js';
import type { Io } from './io.js';
import { createJanitorClient } from './janitor-client.js';
import { usageLine } from './messages.js';
import { painter } from './paint.js';
import { visible } from './render-table.js';
import { onSignals } from './signals.js';
import type { Verbs } from './verbs.js';

export function createWatch(io: Io): Verbs['watch'] {
  return async (settings, { output }) => {
    const ended = new AbortController();
    const offSignals = onSignals(io, { stop: () => ended.abort() });
    const client = createJanitorClient(settings);
    const paint = painter(io.colour);
    let line = '';
    try {
      const past = await client.get<{ events: readonly HistoryEvent[] }>('/api/v1/events?limit=10');
      if (!past.ok) {
        io.err(usageLine(past.failure.message));
        return 1;
      }
      for (const event of [...past.value.events].reverse()) tell(event);
      const followed = await client.follow('/api/v1/live', take, ended.signal);
      if (ended.signal.aborted) return 0;
      io.err(usageLine(followed.ok ? followed.value : followed.failure.message));
      return 1;
    } finally {
      offSignals();
    }

    function take(name: string, data: unknown): void {
      if (name === 'events') for (const event of data as readonly HistoryEvent[]) tell(event);
      else if (name === 'gateway') tellGateway(data as GatewayView);
      else if (name === 'full') io.err(usageLine('too many viewers; this one is not followed'));
    }

    function tell(event: HistoryEvent): void {
      if (output === 'json') io.out(`${JSON.stringify(event)}\n`);
      else
        io.out(
          `${paint.dim(event.at)}  ${event.service === null ? '' : `${visible(event.service)}: `}${visible(event.text)}\n`,
        );
    }

    function tellGateway(gateway: GatewayView): void {
      if (gateway.line === line) return;
      line = gateway.line;
      if (output === 'json') io.out(`${JSON.stringify({ kind: 'gateway', health: gateway.health, line })}\n`);
      else io.out(`${paint.bold(visible(line))}\n`);
    }
  };
}
