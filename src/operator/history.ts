/**
 * The last events of this gateway, for people: what was changed in GoBetween and why, problems that came and went, orders.
 * Invariant: bounded as a whole and for each service, so that one that flaps does not push out what happened to the others.
 */
import { type Clock, isoTime } from '../clock.js';
import { displayPath, type ServiceKey } from '../model/service.js';

export type EventKind =
  | 'create'
  | 'replace'
  | 'delete'
  | 'adopt'
  | 'refuse'
  | 'write-back'
  | 'raised'
  | 'mended'
  | 'order';

export interface HistoryEvent {
  /** Grows by one with each event of this process. */
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly kind: EventKind;
  /** As agents and people write it; null: the gateway's own. */
  readonly service: string | null;
  readonly server: string | null;
  /** One line. */
  readonly text: string;
}

export interface History {
  note(event: Omit<HistoryEvent, 'id' | 'at'>): void;
  /** The newest first, at most `limit`. */
  last(limit: number): readonly HistoryEvent[];
  /** Of one service, the newest first. */
  of(key: ServiceKey): readonly HistoryEvent[];
  /** Those after the event `id`, the oldest first, at most `limit` of the newest. */
  after(id: number, limit: number): readonly HistoryEvent[];
  /** Of the newest event; 0: there was none. */
  newest(): number;
}

const keptInAll = 2_000;
const keptOfOne = 20;

export function createHistory(clock: Clock, { inAll = keptInAll, ofOne = keptOfOne } = {}): History {
  /** By id, in the order of time. */
  const events = new Map<number, HistoryEvent>();
  const idsOf = new Map<string, number[]>();
  let newest = 0;
  /** None is older. */
  let oldest = 1;

  function drop(id: number): void {
    const event = events.get(id);
    events.delete(id);
    if (event?.service == null) return;
    const ids = (idsOf.get(event.service) ?? []).filter((each) => each !== id);
    if (ids.length === 0) idsOf.delete(event.service);
    else idsOf.set(event.service, ids);
  }

  return {
    note(event) {
      newest += 1;
      events.set(newest, { id: newest, at: isoTime(clock.wall()), ...event });
      if (event.service !== null) {
        const ids = idsOf.get(event.service) ?? [];
        ids.push(newest);
        idsOf.set(event.service, ids);
        const [first] = ids;
        if (ids.length > ofOne && first !== undefined) drop(first);
      }
      for (; events.size > inAll; oldest++) drop(oldest);
    },
    last: (limit) => [...events.values()].slice(-limit).reverse(),
    of: (key) => (idsOf.get(displayPath(key)) ?? []).flatMap((id) => events.get(id) ?? []).reverse(),
    after: (id, limit) => [...events.values()].filter((event) => event.id > id).slice(-limit),
    newest: () => newest,
  };
}
