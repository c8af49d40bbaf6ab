/**
 * What `explain` was asked about: a service, a server, a port, or the code of a message. Invariant: every question gets an
 * answer, also one about something that does not exist; nothing is guessed without saying so.
 */
import { decodeName } from '../model/name.js';
import type { ProblemCode } from '../model/problem.js';
import { problemDocs } from '../model/problem-docs.js';
import { displayPath, parsePath, type ServiceKey, serviceKey } from '../model/service.js';
import type { Word } from '../model/spec.js';
import type { Explanation } from './evidence.js';
import type { PortRow } from './port-map.js';
import type { ServiceView, ServiceViews } from './service-view.js';

export interface Explained {
  readonly subject: string;
  readonly kind: 'service' | 'server' | 'port' | 'code';
  /** One sentence. */
  readonly answer: string;
  /** An imperative; empty when there is nothing to mend. */
  readonly mend: string;
  readonly explanations: readonly Explanation[];
}

export interface Subjects {
  /** `tries`: connects to the listeners that are looked at. */
  explain(subject: string, options: { readonly tries: boolean }): Promise<Explained>;
}

/** Services looked at for one port, or offered for a name that is not known. */
const mostServices = 5;

export function createSubjects(deps: {
  readonly views: ServiceViews;
  readonly known: (key: ServiceKey) => boolean;
  readonly keys: () => Iterable<ServiceKey>;
  readonly words: (key: ServiceKey) => readonly Word[];
  readonly ports: () => readonly PortRow[];
}): Subjects {
  const { views } = deps;

  async function explainKey(key: ServiceKey, subject: string, tries: boolean): Promise<Explained> {
    const { explanations } = await views.of(key, { tries });
    return { ...worst(explanations), kind: 'service', subject, explanations };
  }

  async function explainServer(name: string, key: ServiceKey, tries: boolean): Promise<Explained> {
    const view = await views.of(key, { tries });
    const own = view.exposures.flatMap(({ server }, index) =>
      server === name ? (view.explanations[index] ?? []) : [],
    );
    if (own.length > 0) return { ...worst(own), kind: 'server', subject: name, explanations: own };
    const there = view.servers.some(({ server }) => server === name);
    return {
      kind: 'server',
      subject: name,
      answer: there
        ? `${name} belongs to ${view.service}, and no word asks for it`
        : `there is no server ${name}, and no word of ${view.service} asks for one of that name`,
      mend: '',
      explanations: view.explanations,
    };
  }

  async function explainPort(port: number, tries: boolean): Promise<Explained> {
    const subject = String(port);
    const rows = deps.ports().filter((row) => row.port === port);
    const holders = rows.map(({ holder, proto, server, service }) => {
      if (holder === 'reserved') return `${proto} is reserved on this gateway`;
      if (holder === 'foreign')
        return `${proto} is held by ${server ?? ''}, a server in GoBetween that is not the janitor's`;
      return `${proto} is held by ${service ?? server ?? ''}`;
    });
    const asking = [...deps.keys()].filter((key) => deps.words(key).some((word) => word.listen === port));
    const holding = rows.flatMap(({ service }) => keyOf(service) ?? []);
    const keys = [...new Set([...holding, ...asking])].slice(0, mostServices);
    const looked = await Promise.all(keys.map((key) => views.of(key, { tries })));
    const explanations = looked.flatMap((view) => ofPort(view, port));
    const found = worst(explanations);
    const held = holders.length === 0 ? `nothing of GoBetween listens on port ${port}` : holders.join('; ');
    const asked = asking.length === 0 ? 'no word asks for it by number' : found.answer;
    return { subject, kind: 'port', answer: `${held}; ${asked}`, mend: found.mend, explanations };
  }

  function explainCode(code: ProblemCode): Explained {
    const { means, mend } = problemDocs[code];
    return { subject: code, kind: 'code', answer: means, mend, explanations: [] };
  }

  async function explainName(subject: string, tries: boolean): Promise<Explained> {
    const key = keyOf(subject);
    if (key !== null && deps.known(key)) return explainKey(key, subject, tries);
    const alike = [...deps.keys()].filter((other) => displayPath(other).endsWith(`/${subject}`));
    const [only] = alike;
    if (only !== undefined && alike.length === 1) return explainKey(only, displayPath(only), tries);
    if (alike.length > 1) {
      const names = alike.slice(0, mostServices).map(displayPath);
      return {
        ...{ subject, kind: 'service', explanations: [] },
        answer: `several services have that name: ${names.join(', ')}${alike.length > mostServices ? ', …' : ''}`,
        mend: 'name one of them in full',
      };
    }
    if (key !== null) return explainKey(key, subject, tries);
    return {
      ...{ subject, kind: 'service', explanations: [] },
      answer: `${subject} is no path of a service, no server, no port and no code of a message`,
      mend: 'write for example: web, shop/svc/api, _80._tcp.web.root.svc, 1024 or port-conflict',
    };
  }

  return {
    explain(subject, { tries }) {
      if (/^\d{1,5}$/.test(subject)) return explainPort(Number(subject), tries);
      if (Object.hasOwn(problemDocs, subject)) return Promise.resolve(explainCode(subject as ProblemCode));
      const named = decodeName(subject);
      if (named !== null) return explainServer(subject, named.key, tries);
      const foreign = deps.ports().find(({ server }) => server === subject);
      if (foreign !== undefined && foreign.holder === 'foreign') {
        return Promise.resolve({
          ...{ subject, kind: 'server', explanations: [], mend: '' },
          answer: `${subject} on ${foreign.listen ?? ''}/${foreign.proto} is not the janitor's: it is never touched, and its port is respected`,
        });
      }
      return explainName(subject, tries);
    },
  };
}

function keyOf(path: string | null): ServiceKey | null {
  const parsed = path === null ? undefined : parsePath(path);
  return parsed === undefined ? null : serviceKey(parsed);
}

/** Of a service, what concerns one port; all of it when that cannot be told. */
function ofPort({ exposures, explanations }: ServiceView, port: number): readonly Explanation[] {
  const own = explanations.filter((_, index) => {
    const { listen = null } = exposures[index] ?? {};
    return listen?.endsWith(`:${port}`) === true;
  });
  return own.length > 0 ? own : explanations;
}

/** The answer to all of them together: the first that is broken, else the first that warns, else the first. */
function worst(explanations: readonly Explanation[]): { readonly answer: string; readonly mend: string } {
  const has = (state: 'broken' | 'warning') =>
    explanations.find(({ links }) => links.some((link) => link.state === state));
  const { answer = '', mend = '' } = has('broken') ?? has('warning') ?? explanations[0] ?? {};
  return { answer, mend };
}
