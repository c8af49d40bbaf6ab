/**
 * The daemon's own threads and the listener's session counters. Each connection moves them, so that each request of a
 * client shows in everybody's event stream, as with the real agent.
 */
import { randomUUID } from 'node:crypto';
import { applyChange, type Change, type Json } from '../cluster/dataset.js';
import { nowSeconds } from '../cluster/status.js';
import type { ListenerState } from './status-answer.js';

export interface SessionStats extends ListenerState {
  /** A connection came; returns its session id. */
  accepted(): string;
  requested(session: string, progress: string, bytes: number): void;
  answered(bytes: number): void;
  closed(session: string): void;
}

const SESSIONS = ['listener', 'stats', 'sessions'] as const;

export function createSessionStats(note: (changes: readonly Change[]) => void): SessionStats {
  const created = nowSeconds();
  const ident = 139_997_641_414_336;
  const thread = { state: 'running', created, configured: created, tid: 15_494, ident };
  const threads: Record<string, Json> = {
    daemon: { ident, state: 'running' },
    scheduler: { ...thread, running: 0, delayed: [] },
    listener: {
      ...thread,
      stats: {
        sessions: {
          accepted: 0,
          auth_validated: 0,
          tx: 0,
          rx: 0,
          alive: {},
          clients: { local: { accepted: 0, auth_validated: 0, tx: 0, rx: 0 } },
        },
      },
      config: { port: 1214, addr: '127.0.0.1' },
    },
    dns: { ...thread, stats: { sessions: { accepted: 0, tx: 0, rx: 0 } } },
  };
  const totals = { accepted: 0, auth_validated: 0, tx: 0, rx: 0 };

  function change(changes: readonly Change[]): void {
    for (const each of changes) applyChange(threads as never, each);
    note(changes);
  }

  function bump(counters: Partial<typeof totals>): Change[] {
    return Object.entries(counters).flatMap(([name, by]): Change[] => {
      const key = name as keyof typeof totals;
      totals[key] += by;
      return [
        [[...SESSIONS, key], totals[key]],
        [[...SESSIONS, 'clients', 'local', key], totals[key]],
      ];
    });
  }

  return {
    threads,
    accepted() {
      const session = randomUUID();
      const alive = { created: nowSeconds(), addr: 'local', encrypted: false, progress: 'init', ident };
      change([...bump({ accepted: 1 }), [[...SESSIONS, 'alive', session], alive]]);
      return session;
    },
    requested(session, progress, bytes) {
      const alive = [...SESSIONS, 'alive', session];
      change([...bump({ auth_validated: 1, rx: bytes }), [[...alive, 'progress'], progress]]);
    },
    answered(bytes) {
      change(bump({ tx: bytes }));
    },
    closed(session) {
      change([[[...SESSIONS, 'alive', session]]]);
    },
  };
}
