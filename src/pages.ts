/** The HTTP side: which routes are open where, and what makes the program ready (SPEC §8, §9). */
import type { Clock } from './clock.js';
import { ok, type Result } from './errors.js';
import type { Problem } from './model/problem.js';
import { pageRoutes } from './page/page-routes.js';
import type { Settings } from './settings/settings.js';
import { createHealth } from './telemetry/health.js';
import {
  createHttpServer,
  type HttpServer,
  onlyUnderNames,
  type Route,
  watchRoutes,
} from './telemetry/http.js';
import type { Metrics } from './telemetry/metrics.js';
import { type ComputeStats, threadTrouble } from './worker/compute.js';

export interface PageState {
  synced(): boolean;
  planned(): boolean;
  streaming(): boolean;
  /** A list of GoBetween's servers was read. */
  swept(): boolean;
  identity(): Problem | null;
  /** What is wrong with the way to the agent. */
  agent(): Problem | null;
  /** How the worker threads are. */
  threads(): ComputeStats;
  /** Brings the gauges up to date, before a scrape. */
  refresh(): void;
}

export interface Pages {
  start(): Promise<Result<void>>;
  address(): string | null;
  stop(): Promise<void>;
}

export function createPages(deps: {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly metrics: Metrics;
  readonly state: PageState;
  /** The JSON behind the page. */
  readonly api: ReadonlyMap<string, Route>;
  /** Of this gateway: the page may be asked for under them. */
  readonly names: () => readonly string[];
}): Pages {
  const { clock, settings, metrics, state } = deps;
  const health = createHealth({
    clock,
    live: { workers: () => threadTrouble(state.threads()) },
    ready: {
      cluster: () => (state.synced() ? null : "the cluster's list is not complete yet"),
      sweep: () => (state.swept() ? null : "the list of GoBetween's servers was not read yet"),
      agent: () => state.agent()?.message ?? null,
      stream: () => (state.streaming() ? null : "the agent's events do not arrive"),
      plan: () => (state.planned() ? null : 'the first plan is not made yet'),
      identity: () => state.identity()?.message ?? null,
    },
  });
  const routes = watchRoutes({
    expose: (accept) => {
      state.refresh();
      return metrics.expose(accept);
    },
    liveness: () => health.liveness(),
    readiness: () => health.readiness(),
  });
  const forPeople = onlyUnderNames(deps.names, new Map([...pageRoutes(), ...deps.api]));
  const servers: HttpServer[] = [];
  let address: string | null = null;

  return {
    async start() {
      health.start();
      const places = [
        { listen: settings.listen, routes: new Map([...routes, ...forPeople]) },
        { listen: settings.metricsListen, routes },
      ];
      for (const place of places) {
        if (place.listen === null) continue;
        const server = createHttpServer({ clock, listen: place.listen, routes: place.routes });
        const bound = await server.start();
        if (!bound.ok) return bound;
        servers.push(server);
        const { addr, port } = bound.value;
        address ??= `http://${addr.includes(':') ? `[${addr}]` : addr}:${port}`;
      }
      return ok(undefined);
    },
    address: () => address,
    async stop() {
      health.stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
