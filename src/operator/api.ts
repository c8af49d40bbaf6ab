/**
 * The JSON behind page and commands: `/api/v1/...`, read-only, documented in README. Invariants: a field is added to v1, never
 * changed or taken away; every answer says its version and its time; a long one is made service by service.
 */
import { type Clock, isoTime } from '../clock.js';
import type { Problem } from '../model/problem.js';
import { displayPath, parsePath, type ServiceKey, serviceKey } from '../model/service.js';
import { json, type LongPage, type Page, type Route } from '../telemetry/http.js';
import type { Exposures } from './exposures.js';
import type { Feed } from './feed.js';
import type { GatewayView } from './gateway.js';
import type { History } from './history.js';
import type { PortMap } from './port-map.js';
import type { ServiceViews } from './service-view.js';
import type { Subjects } from './subjects.js';

export interface ApiDeps {
  readonly clock: Clock;
  readonly gateway: () => GatewayView;
  readonly exposures: Exposures;
  readonly known: (key: ServiceKey) => boolean;
  readonly services: ServiceViews;
  readonly subjects: Subjects;
  readonly history: Pick<History, 'last' | 'newest'>;
  readonly problems: () => readonly Problem[];
  readonly ports: () => PortMap;
  readonly feed: Pick<Feed, 'follow'>;
}

/** What each path answers, for README; `:` stands before what a query must give. */
export const apiDocs = {
  '/api/v1/gateway': 'health in one word and one line, peers, orders in force, servers, problems by code',
  '/api/v1/exposures':
    'every exposure: service, word, label, listen, proto, state, server, code, why, since, warnings',
  '/api/v1/service?path=P':
    'one service in full; `&try=listener` connects to its listeners as well. 404 for one that is not known',
  '/api/v1/explain?subject=S':
    'where the chain from keyword to backend breaks: of a service, a server, a port or a code; `&try=listener` as above',
  '/api/v1/events': 'the last events, the newest first; `?limit=N`, 200 by default',
  '/api/v1/problems': 'every open problem and warning: who, what, why, what keeps working, how to mend',
  '/api/v1/ports': 'who listens where, reserved ports, and how full the range is',
  '/api/v1/live':
    'text/event-stream of `gateway`, `exposures`, `events` and `reload` (ask for everything again)',
} as const;

/** Groups in one piece of a long answer: about a millisecond of work. */
const groupsInPiece = 100;
const mostEvents = 2_000;
/** Looks outside (DNS, listeners) at a time; more are asked to come back. */
const mostLooks = 8;

export function apiRoutes(deps: ApiDeps): ReadonlyMap<string, Route> {
  const { clock } = deps;
  let looks = 0;

  const head = (): Record<string, unknown> => ({ apiVersion: 'v1', at: isoTime(clock.wall()) });
  const answer = (value: object, status = 200): Page => ({
    status,
    contentType: json,
    body: `${JSON.stringify({ ...head(), ...value })}\n`,
  });
  const wrong = (status: number, error: string): Page => answer({ error }, status);

  async function look(fn: () => Promise<object>): Promise<Page> {
    if (looks >= mostLooks) return wrong(503, 'too many questions at a time; ask again in a second');
    looks += 1;
    try {
      return answer(await fn());
    } finally {
      looks -= 1;
    }
  }

  /** One with a list that may be as long as the cluster is large. */
  function longAnswer(value: object, list: string, groups: Iterable<readonly object[]>): LongPage {
    return { status: 200, contentType: json, pieces: piecesOf({ ...head(), ...value }, list, groups) };
  }

  return new Map<string, Route>([
    ['/api/v1/gateway', () => answer(deps.gateway())],
    ['/api/v1/exposures', () => longAnswer({}, 'exposures', rowsOf(deps.exposures))],
    [
      '/api/v1/service',
      ({ url }) => {
        const parsed = parsePath(url.searchParams.get('path') ?? '');
        if (parsed === undefined) return wrong(400, 'say which: ?path=web, or ?path=shop/svc/api');
        const key = serviceKey(parsed);
        if (!deps.known(key)) return wrong(404, `no service ${displayPath(key)} was seen in the cluster`);
        return look(() => deps.services.of(key, { tries: tries(url) }));
      },
    ],
    [
      '/api/v1/explain',
      ({ url }) => {
        const subject = (url.searchParams.get('subject') ?? '').trim();
        if (subject === '' || subject.length > 500)
          return wrong(400, 'say what: ?subject=web, a server, a port or a code');
        return look(() => deps.subjects.explain(subject, { tries: tries(url) }));
      },
    ],
    [
      '/api/v1/events',
      ({ url }) => {
        const asked = Number(url.searchParams.get('limit') ?? 200);
        const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, mostEvents) : 200;
        return answer({ newest: deps.history.newest(), events: deps.history.last(limit) });
      },
    ],
    ['/api/v1/problems', () => longAnswer({}, 'problems', problemsOf(deps.problems()))],
    [
      '/api/v1/ports',
      () => {
        const { ports, ...rest } = deps.ports();
        return longAnswer(rest, 'ports', each(ports));
      },
    ],
    [
      '/api/v1/live',
      () => ({ status: 200, contentType: 'text/event-stream; charset=utf-8', follow: deps.feed.follow }),
    ],
  ]);
}

function tries(url: URL): boolean {
  return url.searchParams.get('try') === 'listener';
}

function* rowsOf(exposures: Exposures): Generator<readonly object[]> {
  for (const key of [...exposures.keys()]) yield exposures.of(key);
}

function* problemsOf(problems: readonly Problem[]): Generator<readonly object[]> {
  for (const { key, ...rest } of problems)
    yield [{ service: key === null ? null : displayPath(key), ...rest }];
}

function* each(items: readonly object[]): Generator<readonly object[]> {
  for (const item of items) yield [item];
}

/** `{...head, "<list>": [every item of every group]}`; a group may be empty. */
function* piecesOf(head: object, list: string, groups: Iterable<readonly object[]>): Generator<string> {
  let text = `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(list)}:[`;
  let inPiece = 0;
  let first = true;
  for (const group of groups) {
    for (const item of group) {
      text += `${first ? '' : ',\n'}${JSON.stringify(item)}`;
      first = false;
    }
    inPiece += 1;
    if (inPiece % groupsInPiece !== 0) continue;
    yield text;
    text = '';
  }
  yield `${text}]}\n`;
}
