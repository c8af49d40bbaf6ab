/**
 * The backends of one server: discovery fills them, health checks and counters change them, connections are given one.
 * A backend that left discovery stays as long as it has connections. Source: server/scheduler/scheduler.go.
 */
import { type Backend, type Discovered, targetOf } from './backend.js';
import { type Client, createBalance } from './balance.js';
import type { PreparedConfig } from './config.js';
import { createDiscovery } from './discovery.js';
import { createHealthcheck } from './healthcheck.js';
import type { Runtime } from './runtime.js';
import { type Bandwidth, type ServerStats, createBandwidth } from './stats.js';

export interface Scheduler {
  start(): void;
  stop(): void;
  /** The backend for a new connection, or null. */
  take(client: Client): Backend | null;
  connected(target: string): void;
  disconnected(target: string): void;
  refused(target: string): void;
  /** Bytes from (`rx`) and to (`tx`) a backend. */
  traffic(target: string, rx: number, tx: number): void;
}

/** Throws GoPanic where the real constructors do (discovery kind unknown or without its fields). */
export function createScheduler(runtime: Runtime, config: PreparedConfig, stats: ServerStats): Scheduler {
  const backends = new Map<string, Backend>();
  const counters = new Map<string, Bandwidth>();
  const elect = createBalance(config.balance, config.protocol === 'udp' ? null : config.sni);
  const discovery = createDiscovery(runtime, config.discovery, update);
  const healthcheck = createHealthcheck(runtime, config.healthcheck, (target, live) => {
    const backend = backends.get(target);
    if (backend !== undefined) backend.live = live;
  });
  let stopBeat = (): void => undefined;

  function update(found: readonly Discovered[]): void {
    for (const backend of backends.values()) backend.discovered = false;
    for (const one of found) {
      const target = targetOf(one);
      const known = backends.get(target);
      if (known === undefined) backends.set(target, newBackend(target, one, healthcheck.initiallyLive));
      else Object.assign(known, { found: one, discovered: true });
    }
    for (const [target, backend] of backends) {
      if (!backend.discovered && backend.active === 0) backends.delete(target);
    }
    healthcheck.watch([...backends.values()]);
    for (const target of counters.keys()) if (!backends.has(target)) counters.delete(target);
    for (const target of backends.keys()) {
      if (!counters.has(target)) counters.set(target, createBandwidth());
    }
  }

  function beat(): void {
    stats.bandwidth.beat();
    stats.showBackends(backends.values());
    for (const [target, counter] of counters) {
      counter.beat();
      const { rx, tx, rxSecond, txSecond } = counter;
      const backend = backends.get(target);
      if (backend !== undefined) Object.assign(backend, { rx, tx, rxSecond, txSecond });
    }
  }

  const change = (target: string, by: (backend: Backend) => void): void => {
    const backend = backends.get(target);
    if (backend !== undefined) by(backend);
  };

  return {
    start() {
      discovery.start();
      stopBeat = runtime.everyTwoSeconds(beat);
    },
    stop() {
      stopBeat();
      discovery.stop();
      healthcheck.stop();
    },
    take(client) {
      const usable = [...backends.values()].filter(({ live, discovered }) => live && discovered);
      // Go walks its map in random order, which decides between equals.
      return elect(client, shuffle(usable));
    },
    connected(target) {
      change(target, (backend) => {
        backend.active++;
        backend.total++;
      });
    },
    disconnected(target) {
      change(target, (backend) => {
        backend.active--;
      });
    },
    refused(target) {
      change(target, (backend) => {
        backend.refused++;
      });
    },
    traffic(target, rx, tx) {
      stats.bandwidth.add(rx, tx);
      counters.get(target)?.add(rx, tx);
    },
  };
}

function newBackend(target: string, found: Discovered, live: boolean): Backend {
  return {
    target,
    found,
    live,
    discovered: true,
    total: 0,
    active: 0,
    refused: 0,
    rx: 0,
    tx: 0,
    rxSecond: 0,
    txSecond: 0,
  };
}

function shuffle<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
