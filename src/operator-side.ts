/**
 * What operators see and order, put together: the page, the JSON behind it, the stream of changes and the control socket
 * (SPEC §8, §9). Invariant: nothing here decides about servers; it looks at the parts of the pipeline, and hands on orders.
 */
import { type Cancel, type Clock, isoTime } from './clock.js';
import type { Result } from './errors.js';
import { createFirstSync, type FirstSync } from './first-sync.js';
import type { Applier } from './gobetween/applier.js';
import type { Ledger } from './gobetween/ledger.js';
import type { Balancer } from './gobetween/outcome.js';
import type { TryListener } from './gobetween/listener-try.js';
import type { Identity } from './identity.js';
import { canonical, normalise } from './model/normalise.js';
import type { Problem } from './model/problem.js';
import type { ServiceKey } from './model/service.js';
import { apiRoutes } from './operator/api.js';
import { commandRoutes } from './operator/commands.js';
import { createExposures, type Exposures } from './operator/exposures.js';
import { createFeed, type Feed } from './operator/feed.js';
import { type GatewayFigures, viewGateway } from './operator/gateway.js';
import type { History } from './operator/history.js';
import type { Orders } from './operator/orders.js';
import { mapPorts } from './operator/port-map.js';
import { createServiceViews } from './operator/service-view.js';
import { createSubjects } from './operator/subjects.js';
import type { Peers } from './peers.js';
import type { Arbiter } from './ports/arbiter.js';
import type { Reconciler } from './reconciler.js';
import { reservedPorts, type Settings } from './settings/settings.js';
import type { Informer } from './source/informer.js';
import { digLine, type SrvLookup } from './source/srv-lookup.js';
import { createControlSocket } from './telemetry/control-socket.js';
import type { Route } from './telemetry/http.js';
import type { ProblemBoard } from './telemetry/problems.js';

export interface OperatorSide {
  readonly exposures: Exposures;
  readonly feed: Feed;
  readonly firstSync: FirstSync;
  readonly figures: () => GatewayFigures;
  /** Of the page's address: the API. */
  readonly routes: ReadonlyMap<string, Route>;
  /** The control socket opens by itself, and is no condition of anything. */
  start(): void;
  stop(): Promise<void>;
}

/** A control socket that could not be had is tried again. */
const controlAgainMs = 30_000;

export function createOperatorSide(deps: {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly version: string;
  readonly orders: Orders;
  readonly history: History;
  readonly board: Pick<ProblemBoard, 'all' | 'of' | 'raisedAtMs' | 'counts'>;
  readonly report: (scope: string, problems: readonly Problem[]) => void;
  readonly reconciler: Pick<Reconciler, 'states' | 'planned'>;
  readonly ledger: Ledger;
  readonly applier: Pick<Applier, 'idle' | 'pending'>;
  readonly arbiter: Pick<Arbiter, 'usage'>;
  readonly informer: Pick<Informer, 'cluster' | 'progress' | 'confirmDeletes'>;
  readonly identity: Pick<Identity, 'context'>;
  readonly peers: Pick<Peers, 'trouble'>;
  readonly log: { info(fields: Readonly<Record<string, unknown>>, message: string): void };
  /** Clock.now of the oldest change that GoBetween does not have yet; null: there is none. */
  readonly oldestMs: () => number | null;
  readonly stats: Balancer['stats'];
  readonly srv: SrvLookup;
  readonly tryListener: TryListener;
  readonly resync: () => void;
}): OperatorSide {
  const { clock, settings, orders, history, board, reconciler, ledger, informer, peers } = deps;
  const startedAt = isoTime(clock.wall());
  const reserved = reservedPorts(settings);
  const states = (): ReturnType<Reconciler['states']> => reconciler.states();
  const known = (key: ServiceKey): boolean => states().has(key);

  const firstSync = createFirstSync({
    ...{ clock, log: deps.log },
    services: informer.progress,
    pending: deps.applier.pending,
    idle: deps.applier.idle,
  });
  const exposures = createExposures({
    clock,
    states,
    present: ledger.byKey,
    problems: board.of,
    policyOf: orders.policyOf,
    holdBack: orders.holdBack,
    postedAtMs(name) {
      const at = ledger.postedAtMs(name);
      return at > firstSync.plannedAtMs() ? at : -Infinity;
    },
    wishedAtMs: (name) => ledger.intent(name)?.sinceMs ?? null,
    raisedAtMs: board.raisedAtMs,
  });

  function figures(): GatewayFigures {
    const { name, nodeName } = informer.cluster();
    const agent = peers.trouble('agent');
    const gobetween = peers.trouble('gobetween');
    const oldest = deps.oldestMs();
    const counts = board.counts();
    return {
      version: deps.version,
      startedAt,
      cluster: name,
      node: nodeName,
      names: [...new Set(deps.identity.context().gatewayNames)],
      agent: { up: agent === null, why: agent ?? '' },
      gobetween: { up: gobetween === null, why: gobetween ?? '', url: shownUrl(settings.gobetweenUrl) },
      orders: orders.inForce(),
      planned: reconciler.planned(),
      progress: firstSync.progress(),
      servers: {
        present: ledger.size(),
        pending: deps.applier.pending(),
        foreign: ledger.tally().foreign,
      },
      oldestUnservedSeconds: oldest === null ? 0 : Math.round((clock.now() - oldest) / 100) / 10,
      problems: Object.fromEntries(counts),
      unserved: board.all().filter(({ severity }) => severity === 'problem').length,
    };
  }

  const gateway = (): ReturnType<typeof viewGateway> => viewGateway(figures());
  const feed = createFeed({ clock, rowsOf: exposures.of, gateway, history });
  const ports = (): ReturnType<typeof mapPorts> =>
    mapPorts({
      servers: ledger.servers(),
      reserved,
      usage: deps.arbiter.usage(),
      range: settings.portRange,
    });
  const views = createServiceViews({
    exposures,
    state: (key) => states().get(key),
    present: ledger.byKey,
    problems: board.of,
    history,
    figures,
    holdBack: orders.holdBack,
    canonicalOf: (body) => canonical(normalise(JSON.parse(body), 'post')),
    srv: deps.srv,
    digLine,
    tryListener: deps.tryListener,
    stats: deps.stats,
  });
  const subjects = createSubjects({
    views,
    known,
    keys: () => states().keys(),
    words: (key) => states().get(key)?.compiled?.words ?? [],
    ports: () => ports().ports,
  });
  const routes = apiRoutes({
    ...{ clock, gateway, exposures, known, subjects, history, ports, feed },
    services: views,
    problems: board.all,
  });
  const control =
    settings.control === null
      ? null
      : createControlSocket({
          clock,
          path: settings.control,
          routes,
          commands: commandRoutes({
            ...{ orders, known },
            resync: deps.resync,
            confirmDeletes: () => informer.confirmDeletes(),
          }),
        });
  let again: Cancel = () => undefined;
  let stopped = false;

  async function openControl(): Promise<void> {
    if (control === null) return;
    const opened: Result<void> = await control.start().catch((error: unknown) => ({
      ok: false,
      failure: { code: 'listen-failed', retry: 'no', message: String(error) },
    }));
    if (stopped) return control.stop();
    deps.report('control', opened.ok ? [] : [unavailable(opened.failure.message)]);
    if (!opened.ok) again = clock.after(controlAgainMs, () => void openControl());
  }

  return {
    exposures,
    feed,
    firstSync,
    figures,
    routes,
    start() {
      firstSync.start();
      void openControl();
    },
    async stop() {
      stopped = true;
      again();
      orders.stop();
      feed.stop();
      await control?.stop();
    },
  };
}

function unavailable(message: string): Problem {
  return {
    code: 'control-unavailable',
    severity: 'warning',
    key: null,
    place: '--control',
    message,
    keeps: 'everything but the verbs that change something: pause, resume, resync, policy, confirm-deletes',
    mend: 'say another path with --control, or end the process that has this one; it is tried again every 30 s',
  };
}

/** Without credentials. */
function shownUrl(url: string): string {
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href.replace(/\/$/, '');
}
