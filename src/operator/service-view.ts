/**
 * One service in full, as `/api/v1/services/...` answers it: keywords, words, what is wanted against what GoBetween has, the
 * SRV answer, backends, problems, history, and the chain that explains each word. Looks outside (DNS, GoBetween's statistics,
 * the listener) only here, when a person asks. Invariant: what does not answer in time is told so; nothing throws.
 */
import type { Answer, ServerStats } from '../gobetween/outcome.js';
import type { ListenerAnswer, TryListener } from '../gobetween/listener-try.js';
import { parseListen } from '../model/bind.js';
import type { Problem } from '../model/problem.js';
import type { Desired, Listen, Observed, ServerName } from '../model/server.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { Compiled } from '../model/spec.js';
import { diffCanonical, type FieldDiff } from '../plan/canonical-diff.js';
import type { SrvAnswer, SrvLookup, SrvQuestion } from '../source/srv-lookup.js';
import type { Explanation, ServiceEvidence } from './evidence.js';
import { explainService, explainWord } from './explain.js';
import type { Exposure, Exposures } from './exposures.js';
import type { GatewayFigures } from './gateway.js';
import type { History, HistoryEvent } from './history.js';
import { keywordViews, type KeywordView } from './keyword-values.js';
import type { Orders } from './orders.js';

export interface ServerView {
  readonly server: ServerName;
  /** As JSON; null: not wanted, or not there. */
  readonly desired: string | null;
  readonly observed: string | null;
  readonly differs: readonly FieldDiff[];
  readonly srv: { readonly question: SrvQuestion; readonly answer: SrvAnswer; readonly dig: string } | null;
  readonly stats: ServerStats | null;
  /** null: nobody asked to try it. */
  readonly listener: ListenerAnswer | null;
}

export interface ServiceView {
  readonly service: string;
  readonly state: ServiceEvidence['state'];
  readonly verdict: ServiceEvidence['verdict'];
  readonly keywords: readonly KeywordView[];
  readonly exposures: readonly Exposure[];
  readonly servers: readonly ServerView[];
  readonly problems: readonly Problem[];
  readonly explanations: readonly Explanation[];
  readonly history: readonly HistoryEvent[];
}

/** What the last round left of a service. */
export interface ServiceInState {
  readonly facts:
    | {
        readonly state: 'present' | 'unreadable' | 'missing' | 'gone';
        readonly reason: string;
        readonly config: { readonly raw: string; readonly evaluated: string | null } | null;
      }
    | undefined;
  readonly compiled: Compiled | null;
  readonly desired: readonly Desired[];
}

export interface ServiceViews {
  /** `tries`: connects to its listeners as well. */
  of(key: ServiceKey, options: { readonly tries: boolean }): Promise<ServiceView>;
}

const atOnce = 16;

export function createServiceViews(deps: {
  readonly exposures: Pick<Exposures, 'of'>;
  readonly state: (key: ServiceKey) => ServiceInState | undefined;
  readonly present: (key: ServiceKey) => readonly Observed[];
  readonly problems: (key: ServiceKey) => readonly Problem[];
  readonly history: Pick<History, 'of'>;
  readonly figures: () => Pick<GatewayFigures, 'agent' | 'gobetween' | 'names'>;
  readonly holdBack: Orders['holdBack'];
  readonly canonicalOf: (body: string) => string;
  readonly srv: SrvLookup;
  readonly digLine: (question: SrvQuestion) => string;
  readonly tryListener: TryListener;
  readonly stats: (name: string) => Promise<Answer<ServerStats | null>>;
}): ServiceViews {
  async function serverView(
    name: ServerName,
    desired: Desired | undefined,
    observed: Observed | undefined,
    listen: Listen | null,
    { tries, up }: { readonly tries: boolean; readonly up: boolean },
  ): Promise<ServerView> {
    const wanted = desired === undefined ? null : deps.canonicalOf(desired.body);
    const there = observed?.canonical ?? null;
    const question = questionOf(wanted ?? there);
    const [answer, stats, listener] = await Promise.all([
      question === null ? null : deps.srv(question),
      observed === undefined || !up ? null : deps.stats(name),
      tries && observed !== undefined && listen !== null ? deps.tryListener(listen) : null,
    ]);
    return {
      server: name,
      desired: wanted,
      observed: there,
      differs: wanted === null || there === null ? [] : diffCanonical(there, wanted),
      srv: question === null || answer === null ? null : { question, answer, dig: deps.digLine(question) },
      stats: stats?.value ?? null,
      listener,
    };
  }

  return {
    async of(key, { tries }) {
      const state = deps.state(key);
      const exposures = deps.exposures.of(key);
      const problems = deps.problems(key);
      const { agent, gobetween, names } = deps.figures();
      const present = deps.present(key);
      const desired = state?.desired ?? [];
      const all = [
        ...new Set([...desired.map(({ name }) => name), ...present.map(({ name }) => name)]),
      ].slice(0, atOnce);
      const servers = await Promise.all(
        all.map((name) => {
          const wanted = desired.find((server) => server.name === name);
          const there = present.find((server) => server.name === name);
          const listen = there?.listen ?? wanted?.listen ?? null;
          return serverView(name, wanted, there, listen, { tries, up: gobetween.up });
        }),
      );
      const config = state?.facts?.config ?? null;
      const keywords = config === null ? [] : keywordViews(config.raw, config.evaluated);
      const service = displayPath(key);
      const evidence: ServiceEvidence = {
        ...{ service, agent, gobetween, names, problems },
        state: state?.facts?.state ?? null,
        reason: state?.facts?.reason ?? '',
        verdict: state?.compiled?.verdict ?? null,
        targets: keywords.find(({ name }) => name === 'igw_gobtw_target_lb')?.value ?? '',
        heldBack: deps.holdBack(key),
      };
      const explanations = exposures.map((row) => {
        const {
          srv = null,
          stats = null,
          listener = null,
        } = servers.find(({ server }) => server === serverOf(row, desired)) ?? {};
        return explainWord(evidence, { row, srv, stats, listener });
      });
      return {
        service,
        state: evidence.state,
        verdict: evidence.verdict,
        keywords,
        exposures,
        servers,
        problems,
        explanations: explanations.length === 0 ? [explainService(evidence)] : explanations,
        history: deps.history.of(key),
      };
    },
  };
}

/** The server of a row; of one that is held, the one that it would be. */
function serverOf(row: Exposure, desired: readonly Desired[]): ServerName | null {
  if (row.server !== null) return row.server;
  const listen = row.listen === null ? null : parseListen(row.listen);
  return (
    desired.find(
      (server) => listen !== null && server.listen.port === listen.port && server.listen.proto === row.proto,
    )?.name ?? null
  );
}

/** What GoBetween asks the DNS for a server; null when it asks nothing. */
function questionOf(body: string | null): SrvQuestion | null {
  if (body === null) return null;
  const { discovery } = JSON.parse(body) as {
    readonly discovery?: {
      readonly srv_lookup_server?: string;
      readonly srv_lookup_pattern?: string;
      readonly srv_dns_protocol?: string;
    };
  };
  const { srv_lookup_server: server = '', srv_lookup_pattern: name = '' } = discovery ?? {};
  if (server === '' || name === '') return null;
  return { server, name, protocol: discovery?.srv_dns_protocol === 'tcp' ? 'tcp' : 'udp' };
}
