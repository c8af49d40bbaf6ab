/**
 * What the server tells while the page is open. Invariant: the page never shows what it was once told as if it were now:
 * after each interruption everything is asked for again, and meanwhile it says that it is not live.
 */
import type { Exposure, Gateway, HistoryEvent } from './answers.js';

export interface LiveHandlers {
  /** The stream is up: ask for everything. */
  readonly reload: () => void;
  readonly gateway: (gateway: Gateway) => void;
  readonly exposures: (services: readonly { service: string; rows: readonly Exposure[] }[]) => void;
  readonly events: (events: readonly HistoryEvent[]) => void;
  /** null: the stream is up; else what to tell the viewer. */
  readonly stale: (why: string | null) => void;
}

export function follow(on: LiveHandlers): void {
  const source = new EventSource('/api/v1/live');
  const take = <T>(name: string, handle: (data: T) => void): void =>
    source.addEventListener(name, (event: MessageEvent<string>) => handle(JSON.parse(event.data) as T));
  source.addEventListener('open', () => {
    on.stale(null);
    on.reload();
  });
  source.addEventListener('error', () => {
    const since = new Date().toLocaleTimeString();
    on.stale(`Not live since ${since}: the janitor does not answer. What is shown may be old; trying again.`);
    // A browser gives up on some answers; a page that is left open at night must not.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  });
  take<Gateway>('gateway', on.gateway);
  take<readonly { service: string; rows: readonly Exposure[] }[]>('exposures', on.exposures);
  take<readonly HistoryEvent[]>('events', on.events);
  take<unknown>('reload', on.reload);
  take<unknown>('full', () => {
    source.close(); // or it would come back at once, to be told the same
    on.stale('Too many viewers: this page is not live. It tries again in a minute.');
    setTimeout(() => location.reload(), 60_000);
  });
}
