/**
 * `plan`: what would change in GoBetween, field by field and why, and what is left as it is. Changes nothing: the app runs
 * with the policy observe, which is enforced in one place, and opens no port, so that it may run beside a janitor.
 */
import type { App } from '../app-handle.js';
import { createApp } from '../app.js';
import { createRealPorts } from '../effects.js';
import { canonical, normalise } from '../model/normalise.js';
import type { Change } from '../plan/change.js';
import type { ExposureRow } from '../plan/exposure.js';
import { serverOf } from '../plan/plan.js';
import { applyPolicy } from '../plan/policy.js';
import { type PlanReport, renderPlan, reportPlan } from '../plan/report.js';
import type { Settings } from '../settings/settings.js';
import { firstPlan } from './first-plan.js';
import type { Io } from './io.js';
import { renderLeft } from './left.js';
import type { Verbs } from './verbs.js';
import { renderWarnings } from './warned.js';

const ASKED_AT_ONCE = 8;

export function createPlan(io: Io): Verbs['plan'] {
  return async (settings, { output, refresh }) => {
    const quiet: Settings = {
      ...settings,
      policy: 'observe',
      listen: null,
      metricsListen: null,
      control: null,
      logLevel: 'error',
    };
    const app = createApp(quiet, createRealPorts(quiet), io.version, { refresh });
    try {
      const changes = await firstPlan(app, settings, io);
      if (changes === null) return 1;
      const connections = await connectionsOf(app, changes);
      const report = planReport(settings, changes, app.servers(), connections);
      const left = app.exposure().filter(isLeft);
      const pending = countPending(report);
      if (output === 'json') {
        io.out(`${JSON.stringify({ pending, ...report, left, problems: app.problems() }, null, 2)}\n`);
      } else {
        io.out(renderPlan(report));
        io.out(renderLeft(left, io));
        io.out(renderWarnings(app.problems(), io));
      }
      return pending === 0 ? 0 : 2;
    } finally {
      await app.stop();
    }
  };
}

/** A payload as GoBetween would show it, so that only real differences are listed. */
function canonicalOf(body: string): string {
  return canonical(normalise(JSON.parse(body), 'post'));
}

/** Asked of each server that would go, a few at a time. */
async function connectionsOf(app: App, changes: readonly Change[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const names = changes
    .filter(({ kind }) => kind === 'replace' || kind === 'delete')
    .map((change) => serverOf(change));
  await Promise.all(
    Array.from({ length: ASKED_AT_ONCE }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const connections = await app.connections(name);
        if (connections !== null) found.set(name, connections);
      }
    }),
  );
  return found;
}

function planReport(
  settings: Settings,
  changes: readonly Change[],
  servers: number,
  connections: ReadonlyMap<string, number>,
): PlanReport {
  const { policy } = settings;
  return reportPlan({
    ...{ policy, servers, canonicalOf },
    filtered: applyPolicy(() => policy, changes),
    connectionsOf: (server) => connections.get(server) ?? null,
  });
}

/** What `run` would do, or under the policy observe would only watch. What upsert-only holds back never comes. */
function countPending(report: PlanReport): number {
  const { create, replace, delete: remove } = report.counts;
  return create + replace + remove + (report.policy === 'observe' ? report.heldBack : 0);
}

function isLeft({ state }: ExposureRow): boolean {
  return state === 'held' || state === 'spoiled' || state === 'kept';
}
