/**
 * The verbs that change something, as the control socket takes them: POST /v1/<verb>?... (SPEC §8). Invariant: each does its
 * one thing or says in one line why not; what is ordered is told in the log and in the history.
 */
import { displayPath, parsePath, type ServiceKey, serviceKey } from '../model/service.js';
import type { Policy } from '../plan/policy.js';
import { json, type Page, type Route } from '../telemetry/http.js';
import type { Orders } from './orders.js';

const longestPauseMs = 30 * 24 * 3_600_000;

export function commandRoutes(deps: {
  readonly orders: Orders;
  readonly known: (key: ServiceKey) => boolean;
  readonly resync: () => void;
  /** The services that count as gone now. */
  readonly confirmDeletes: () => readonly ServiceKey[];
}): ReadonlyMap<string, Route> {
  const { orders } = deps;

  /** null: everything; undefined: no such service. */
  function keyOf(url: URL): ServiceKey | null | undefined {
    const path = url.searchParams.get('service');
    if (path === null) return null;
    const parsed = parsePath(path);
    const key = parsed === undefined ? undefined : serviceKey(parsed);
    return key !== undefined && deps.known(key) ? key : undefined;
  }

  const unknown = (url: URL): Page =>
    said(404, `no service ${url.searchParams.get('service') ?? ''} was seen in the cluster`);

  return new Map<string, Route>([
    [
      '/v1/pause',
      ({ url }) => {
        const key = keyOf(url);
        if (key === undefined) return unknown(url);
        const forMs = Number(url.searchParams.get('for'));
        if (!Number.isInteger(forMs) || forMs < 1 || forMs > longestPauseMs)
          return said(400, '"for" is milliseconds, 30 days at most');
        orders.pause(key, forMs);
        return said(
          200,
          `${nameOf(key)} is paused: servers stay as they are until it is resumed, or its time is over`,
        );
      },
    ],
    [
      '/v1/resume',
      ({ url }) => {
        const key = keyOf(url);
        if (key === undefined) return unknown(url);
        if (orders.resume(key)) return said(200, `${nameOf(key)} goes on`);
        return said(200, key === null ? 'nothing is paused' : `${nameOf(key)} is not paused`);
      },
    ],
    [
      '/v1/policy',
      ({ url }) => {
        const policy = url.searchParams.get('to');
        if (!isPolicy(policy)) return said(400, 'a policy is sync, upsert-only or observe');
        orders.setPolicy(policy);
        return said(200, `the policy is ${policy} until the janitor is restarted`);
      },
    ],
    [
      '/v1/resync',
      () => {
        deps.resync();
        return said(200, 'looking at the whole cluster and at GoBetween again');
      },
    ],
    [
      '/v1/confirm-deletes',
      () => {
        const gone = deps.confirmDeletes();
        const names = gone.slice(0, 5).map(displayPath).join(', ');
        const more = gone.length > 5 ? ` and ${gone.length - 5} more` : '';
        return said(
          200,
          gone.length === 0
            ? 'nothing is missing from the list, or the agent is not settled: nothing was confirmed'
            : `${gone.length} services count as gone, their servers are removed: ${names}${more}`,
        );
      },
    ],
  ]);
}

function said(status: number, message: string): Page {
  const body = `${JSON.stringify(status === 200 ? { message } : { error: message })}\n`;
  return { status, contentType: json, body };
}

const nameOf = (key: ServiceKey | null): string => (key === null ? 'everything' : displayPath(key));

function isPolicy(text: string | null): text is Policy {
  return text === 'sync' || text === 'upsert-only' || text === 'observe';
}
