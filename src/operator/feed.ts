/**
 * What viewers of the page and of `watch` are told while they look: rows that changed, the gateway's line, events. Level
 * triggered like the rest: a service that changes ten times between two ticks is told once, as it is then. Invariants: costs
 * nothing while nobody looks; a tick does a bounded piece of work, however many services changed.
 */
import type { Cancel, Clock } from '../clock.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { Exposure } from './exposures.js';
import type { GatewayView } from './gateway.js';
import type { History } from './history.js';

/** Takes one frame of text/event-stream; answers false once it cannot take more: the viewer is cut off. */
export type Viewer = (frame: string) => boolean;

export interface Feed {
  /** The rows of this service may differ from what they were. */
  touch(key: ServiceKey): void;
  /** All may: viewers shall ask for everything again. */
  touchAll(): void;
  /** Until the returned function is called; null: there are too many viewers. */
  follow(viewer: Viewer): Cancel | null;
  viewers(): number;
  stop(): void;
}

const tickMs = 200;
const gatewayMs = 1_000;
/** Keeps proxies and half-open connections from outliving us. */
const quietMs = 15_000;
/** Services told of in one tick: a piece of work of a millisecond or two. */
const servicesAtOnce = 150;
const eventsAtOnce = 50;
const mostViewers = 32;

export function createFeed(deps: {
  readonly clock: Clock;
  readonly rowsOf: (key: ServiceKey) => readonly Exposure[];
  readonly gateway: () => GatewayView;
  readonly history: Pick<History, 'after' | 'newest'>;
}): Feed {
  const { clock, history } = deps;
  const viewers = new Set<Viewer>();
  const touched = new Set<ServiceKey>();
  let reload = false;
  let gatewayToldMs = -Infinity;
  let gatewayTold = '';
  let lastFrameMs = 0;
  let lastEvent = 0;
  let cancel: Cancel | null = null;

  function send(frame: string): void {
    lastFrameMs = clock.now();
    for (const viewer of viewers) if (!viewer(frame)) viewers.delete(viewer);
  }

  function tick(): void {
    if (reload) {
      reload = false;
      touched.clear();
      send(frameOf('reload', {}));
    }
    tellRows();
    tellEvents();
    tellGateway();
    if (clock.now() - lastFrameMs >= quietMs) send(': quiet\n\n');
    cancel = viewers.size === 0 ? null : clock.after(tickMs, tick);
    if (cancel === null) touched.clear();
  }

  function tellRows(): void {
    const services: { service: string; rows: readonly Exposure[] }[] = [];
    for (const key of touched) {
      touched.delete(key);
      services.push({ service: displayPath(key), rows: deps.rowsOf(key) });
      if (services.length === servicesAtOnce) break;
    }
    if (services.length > 0) send(frameOf('exposures', services));
  }

  function tellEvents(): void {
    if (history.newest() === lastEvent) return;
    const events = history.after(lastEvent, eventsAtOnce);
    lastEvent = history.newest();
    send(frameOf('events', events));
  }

  function tellGateway(): void {
    if (clock.now() - gatewayToldMs < gatewayMs) return;
    gatewayToldMs = clock.now();
    const now = frameOf('gateway', deps.gateway());
    if (now === gatewayTold) return;
    gatewayTold = now;
    send(now);
  }

  return {
    touch(key) {
      if (viewers.size > 0) touched.add(key);
    },
    touchAll() {
      if (viewers.size > 0) reload = true;
    },
    follow(viewer) {
      if (viewers.size >= mostViewers) return null;
      if (cancel === null) {
        lastEvent = history.newest();
        gatewayTold = '';
        lastFrameMs = clock.now();
        cancel = clock.after(tickMs, tick);
      }
      viewers.add(viewer);
      viewer(frameOf('gateway', deps.gateway()));
      return () => void viewers.delete(viewer);
    },
    viewers: () => viewers.size,
    stop() {
      cancel?.();
      cancel = null;
      viewers.clear();
    },
  };
}

/** JSON holds no line ends, so one `data` line is enough. */
function frameOf(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
