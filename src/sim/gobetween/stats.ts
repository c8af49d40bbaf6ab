/**
 * What GET /servers/:name/stats shows: connections at once, bytes and backends as of the last two-second beat.
 * Source: stats/handler.go, stats/counters/*.go; reference/gobetween-rest.md §6.
 */
import type { Backend } from './backend.js';
import type { PlainObject } from './json-encode.js';

/** Bytes counted between two beats, and the rate GoBetween makes of them (per second, rounded down). */
export interface Bandwidth {
  rx: number;
  tx: number;
  rxSecond: number;
  txSecond: number;
  add(rx: number, tx: number): void;
  beat(): void;
}

const BEAT_SECONDS = 2;

export function createBandwidth(): Bandwidth {
  let [rxTotal, txTotal, rxBefore, txBefore] = [0, 0, 0, 0];
  const bandwidth: Bandwidth = {
    rx: 0,
    tx: 0,
    rxSecond: 0,
    txSecond: 0,
    add(rx, tx) {
      rxTotal += rx;
      txTotal += tx;
    },
    beat() {
      bandwidth.rxSecond = Math.floor((rxTotal - rxBefore) / BEAT_SECONDS);
      bandwidth.txSecond = Math.floor((txTotal - txBefore) / BEAT_SECONDS);
      [rxBefore, txBefore] = [rxTotal, txTotal];
      [bandwidth.rx, bandwidth.tx] = [rxTotal, txTotal];
    },
  };
  return bandwidth;
}

export interface ServerStats {
  connections: number;
  readonly bandwidth: Bandwidth;
  /** Copies the backends as they are now. */
  showBackends(backends: Iterable<Backend>): void;
  view(): PlainObject;
}

export function createServerStats(): ServerStats {
  const bandwidth = createBandwidth();
  let shown: PlainObject[] = [];
  return {
    connections: 0,
    bandwidth,
    showBackends(backends) {
      shown = Array.from(backends, plainBackend);
    },
    view() {
      return {
        active_connections: this.connections,
        rx_total: bandwidth.rx,
        tx_total: bandwidth.tx,
        rx_second: bandwidth.rxSecond,
        tx_second: bandwidth.txSecond,
        backends: shown,
      };
    },
  };
}

function plainBackend(backend: Backend): PlainObject {
  const { host, port, priority, weight, maxConnections, sni } = backend.found;
  return {
    host,
    port,
    priority,
    weight,
    max_connections: maxConnections === 0 ? undefined : maxConnections,
    sni: sni === '' ? undefined : sni,
    stats: {
      live: backend.live,
      discovered: backend.discovered,
      total_connections: backend.total,
      active_connections: backend.active,
      refused_connections: backend.refused,
      rx: backend.rx,
      tx: backend.tx,
      rx_second: backend.rxSecond,
      tx_second: backend.txSecond,
    },
  };
}
