/** Presence watched as a poller does: a list each 10 s, and the state of a service as one word. */
import { createPresence, type Presence } from '../../src/source/presence.js';
import { clusterList, keyOf, type ListText } from './cluster-lists.js';

export const GRACE = 300_000;
export class Watcher {
  now = 0;
  readonly presence: Presence;
  constructor(graceMs = GRACE) {
    this.presence = createPresence({ deleteGraceMs: graceMs });
  }
  list(text: ListText, own: string | null = 'n1'): void {
    this.presence.observeList(clusterList(text), own, this.now);
  }
  /** Lists `text` each 10 s for `ms`, beginning now. */
  watch(ms: number, text: ListText, own: string | null = 'n1'): void {
    for (let end = this.now + ms; this.now < end; this.now += 10_000) this.list(text, own);
  }
  state(path = 'web'): string {
    const state = this.presence.state(keyOf(path));
    if (state === undefined) return 'unknown';
    if (state.state === 'missing') return state.remainingMs === null ? `held: ${state.why}` : 'missing';
    return state.state === 'gone' ? `gone: ${state.reason}` : state.state;
  }
}

/** A cluster watched for long enough to be believed. */
export function settled(services: ListText['services'] = ['web', 'db'], graceMs = GRACE): Watcher {
  const watcher = new Watcher(graceMs);
  watcher.watch(2 * GRACE, { services: services ?? [] });
  return watcher;
}
