/**
 * Whether something listens where a server should: one tcp connection from this machine, closed at once. Only made when a
 * person asks for it, for GoBetween opens one to a backend for it. Invariant: ends within its time-out, and never throws.
 */
import { connect } from 'node:net';
import type { Clock } from '../clock.js';
import type { Listen } from '../model/server.js';

export type ListenerAnswer =
  | { readonly state: 'accepts'; readonly ms: number }
  /** `why`: a system error code, or `timeout`. */
  | { readonly state: 'refuses'; readonly why: string }
  /** A udp listener says nothing to nobody. */
  | { readonly state: 'not-tried'; readonly why: string };

export type TryListener = (listen: Listen) => Promise<ListenerAnswer>;

export function createTryListener(clock: Clock, timeoutMs = 1000): TryListener {
  return ({ proto, addr, port }) => {
    if (proto === 'udp') return Promise.resolve({ state: 'not-tried', why: 'udp has no connections to try' });
    return new Promise((resolve) => {
      const startedMs = clock.now();
      const socket = connect({ host: ownAddress(addr), port });
      const cancel = clock.after(timeoutMs, () => settle({ state: 'refuses', why: 'timeout' }));
      function settle(answer: ListenerAnswer): void {
        cancel();
        socket.destroy();
        resolve(answer);
      }
      socket.once('connect', () => settle({ state: 'accepts', ms: clock.now() - startedMs }));
      socket.on('error', (error: NodeJS.ErrnoException) =>
        settle({ state: 'refuses', why: error.code ?? error.message }),
      );
    });
  };
}

/** A wildcard listens on loopback too. */
function ownAddress(addr: string): string {
  if (addr === '0.0.0.0') return '127.0.0.1';
  return addr === '::' ? '::1' : addr;
}
