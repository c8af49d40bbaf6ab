/**
 * Carries out one piece of work on one server, and tells the ledger what came of it. Invariants: a replacement is one
 * task, DELETE then POST, and the intent is read again in between; a DELETE names owned servers only; if GoBetween
 * refuses what shall follow a DELETE, what was there is put back (SPEC §3 "keeps its last good servers", DESIGN §5.3). A
 * place where it could not listen is from then on tried beside what serves (DECISIONS D17).
 */
import type { Clock } from '../clock.js';
import { conflicts } from '../model/bind.js';
import { decodeName, encodeName } from '../model/name.js';
import type { Desired, Listen, Observed, ServerName } from '../model/server.js';
import type { GuardedBalancer } from './guard.js';
import type { Ledger } from './ledger.js';
import type { Answer, Outcome } from './outcome.js';
import { isOutage, isPlaceRefused } from './retry.js';
import { udpAgeMs } from './schedule.js';
import type { Intent, Work } from './work.js';

/** Parses the text of a list of servers; null when it is none. */
/** The answer to a GET of one server; null when it cannot be read. */
export type ParseServer = (name: string, text: string) => Observed | null;

export interface Performed {
  readonly kind: 'create' | 'replace' | 'delete' | 'restore' | 'verify';
  readonly outcome: Outcome;
  readonly detail: string;
  /** The intent that was acted on; null for work without one. */
  readonly intent: Intent | null;
  /** A DELETE was sent: this counts as a change of the server. */
  readonly changed: boolean;
  /** Whether the intent is met. */
  readonly met: boolean;
}

/** After our own DELETE the listener closes a little later than the answer comes (gobetween-rest.md §4). */
const closeRaceMs: readonly number[] = [2, 4, 8, 16, 32];
const closeRaceWindowMs = 250;

export function createPerform(deps: {
  readonly balancer: GuardedBalancer;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly parse: ParseServer;
  /** A pause between two requests of one task. */
  readonly rest: (ms: number) => Promise<void>;
}) {
  const { balancer, ledger, clock, parse, rest } = deps;
  /** Ports that a DELETE of ours freed just now. */
  const closing = new Map<string, number>();
  const portOf = (listen: Listen): string => `${listen.proto}:${listen.port}`;

  function noteClosing(listen: Listen | null): void {
    if (listen === null) return;
    for (const [port, atMs] of closing) {
      if (atMs > clock.now() - closeRaceWindowMs) break;
      closing.delete(port);
    }
    closing.delete(portOf(listen));
    closing.set(portOf(listen), clock.now());
  }

  function isClosing(listen: Listen | null): boolean {
    const atMs = listen === null ? undefined : closing.get(portOf(listen));
    return atMs !== undefined && clock.now() - atMs <= closeRaceWindowMs;
  }

  /** Reads one server. */
  async function read(name: ServerName): Promise<Answer<Observed | null>> {
    const answer = await balancer.get(name);
    if (answer.value === undefined) return { outcome: answer.outcome, detail: answer.detail };
    if (answer.value.trim() === 'null') return { outcome: 'ok', value: null, detail: '' };
    const server = parse(name, answer.value);
    if (server === null) return { outcome: 'exists', detail: 'its content cannot be read' };
    return { outcome: 'ok', value: server, detail: '' };
  }

  async function verify(name: ServerName): Promise<Performed> {
    const answer = await read(name);
    const { outcome, detail } = answer;
    if (answer.value !== undefined) ledger.look(name, answer.value);
    return { kind: 'verify', outcome, detail, intent: ledger.intent(name), changed: false, met: false };
  }

  /** `heir` is the server whose POST shall follow; null: none, it is a removal. */
  async function erase(name: ServerName, before: Observed, heir: ServerName | null): Promise<Answer<null>> {
    if (!before.owned) return { outcome: 'forbidden', detail: 'not one of our servers' };
    if (heir !== null) ledger.owe(heir, before);
    const answer = await balancer.remove(name, heir === null ? 'delete' : 'replace', heir ?? name);
    if (answer.outcome === 'ok') {
      noteClosing(before.listen);
      ledger.deleted(name);
    } else if (isOutage(answer.outcome) || answer.outcome === 'closed') {
      ledger.doubt(name);
    } else if (heir !== null) {
      ledger.unowe(heir);
    }
    return answer;
  }

  /** POSTs what `next` says at each try; the port may be busy a little while after a DELETE of ours. */
  async function post(name: ServerName, next: () => { body: string; listen: Listen | null } | null) {
    let answer: Answer<null>;
    let closedBefore = false;
    for (let tries = 0; ; tries++) {
      const wanted = next();
      if (wanted === null) return null;
      ledger.reserve(name, wanted.listen);
      answer = await balancer.create(name, wanted.body);
      const pauseMs = closeRaceMs[tries];
      if (pauseMs === undefined) break;
      if (answer.outcome === 'port-busy' && isClosing(wanted.listen)) await rest(pauseMs);
      else if (answer.outcome === 'closed' && !closedBefore && ledger.fallback(name) !== null)
        closedBefore = true;
      else break;
    }
    if (isOutage(answer.outcome) || answer.outcome === 'closed') ledger.doubt(name);
    else if (answer.outcome !== 'ok') ledger.reserve(name, null);
    return answer;
  }

  async function create(name: ServerName, kind: 'create' | 'replace', changed: boolean): Promise<Performed> {
    let intent: Intent | null = null;
    const answer = await post(name, () => {
      const work = ledger.assess(name);
      intent = ledger.intent(name);
      return work.op === 'create' ? { body: work.desired.body, listen: work.desired.listen } : null;
    });
    const acted = intent as Intent | null;
    if (answer === null || acted?.want == null) {
      // Between the halves the wish changed: to nothing (met by the DELETE), or to something that must wait.
      ledger.reserve(name, null);
      const met = changed && acted !== null && acted.want === null;
      return { kind: met ? 'delete' : kind, outcome: 'ok', detail: '', intent: acted, changed, met };
    }
    const { outcome, detail } = answer;
    if (outcome === 'ok') {
      ledger.created(name, acted.want);
      return { kind, outcome, detail, intent: acted, changed, met: true };
    }
    if (outcome === 'exists') {
      // Either the answer to our own POST was lost, or somebody else made it.
      const seen = await verify(name);
      const met = seen.outcome === 'ok' && ledger.state(name).observed?.digest === acted.want.digest;
      if (met || isOutage(seen.outcome))
        return { kind, outcome: seen.outcome, detail: seen.detail, intent: acted, changed, met };
    }
    const former = ledger.fallback(name);
    const displaced = isPlaceRefused(outcome) && isStillFree(name, former?.listen ?? null, acted.want.listen);
    const refused = outcome === 'invalid' || outcome === 'file-error' || outcome === 'closed';
    const restored = (refused || displaced) && former !== null && (await putBack(name))?.outcome === 'ok';
    if (restored && displaced) ledger.tryBeside(name, acted);
    else if (restored || outcome === 'invalid') ledger.refuse(name, acted);
    return { kind, outcome, detail, intent: acted, changed, met: false };
  }

  /** The former place is another than the refused one, and nobody's. */
  function isStillFree(name: ServerName, former: Listen | null, refused: Listen): boolean {
    return former !== null && !conflicts(former, refused) && ledger.wanting(former, name).length === 0;
  }

  /** Whether GoBetween can listen there, found out under a name of its own while the former server goes on. */
  async function tryPlace(desired: Desired): Promise<Answer<null>> {
    const isUnused = (name: ServerName): boolean => {
      const { observed, inFlight } = ledger.state(name);
      return name !== desired.name && observed === null && !inFlight && ledger.intent(name) === null;
    };
    const name = besideNames(desired).find(isUnused);
    if (name === undefined)
      return { outcome: 'exists', detail: 'no name is left to try the new place under' };
    ledger.begin(name);
    ledger.reserve(name, desired.listen);
    let answer = await balancer.create(name, desired.body);
    if (answer.outcome === 'ok') {
      if (desired.listen.proto === 'udp') await rest(udpAgeMs);
      answer = await balancer.remove(name, 'replace', desired.name);
      noteClosing(desired.listen);
    }
    if (isOutage(answer.outcome) || answer.outcome === 'closed') ledger.doubt(name);
    ledger.reserve(name, null);
    ledger.end(name);
    return answer;
  }

  /** Puts back what a replacement took away; null when its port is somebody's by now. */
  async function putBack(name: ServerName): Promise<Answer<null> | null> {
    let former: Observed | null = null;
    const answer = await post(name, () => {
      former = ledger.fallback(name);
      if (former === null) return null;
      const taken = former.listen !== null && ledger.holders(former.listen, name).length > 0;
      return taken ? null : { body: former.canonical, listen: former.listen };
    });
    const posted = former as Observed | null;
    if (answer?.outcome === 'ok' && posted !== null) ledger.restored(name, posted);
    else if (answer?.outcome === 'invalid' || answer?.outcome === 'file-error') ledger.unowe(name);
    return answer;
  }

  return {
    read,
    /** Does `work`, which `ledger.assess(name)` said just now. Callers hold the only ticket of `name`. */
    perform: async (name: ServerName, work: Work): Promise<Performed> => {
      const intent = ledger.intent(name);
      switch (work.op) {
        case 'verify':
          return verify(name);
        case 'create':
          return create(name, work.owed ? 'replace' : 'create', false);
        case 'restore': {
          const { outcome, detail } = (await putBack(name)) ?? { outcome: 'ok' as const, detail: '' };
          return { kind: 'restore', outcome, detail, intent, changed: false, met: false };
        }
        case 'delete': {
          const { outcome, detail } = await erase(name, work.before, ledger.heir(name));
          const met = outcome === 'ok' && ledger.intent(name) === intent;
          return { kind: 'delete', outcome, detail, intent, changed: outcome !== 'forbidden', met };
        }
        case 'replace':
        case 'vacate': {
          // Once another word needs the former's port, the former goes whatever comes after it (SPEC §5).
          const tries = work.op === 'replace' && work.waited === 'no' && intent?.beside === true;
          const tried = tries ? await tryPlace(work.desired) : null;
          if (tried !== null && tried.outcome !== 'ok')
            return { kind: 'replace', ...tried, intent, changed: false, met: false };
          const { outcome, detail } = await erase(name, work.before, name);
          if (outcome !== 'ok')
            return { kind: 'replace', outcome, detail, intent, changed: outcome !== 'forbidden', met: false };
          return create(name, 'replace', true);
        }
        case 'nothing':
        case 'blocked':
        case 'refused':
        case 'foreign':
          return { kind: 'verify', outcome: 'ok', detail: '', intent, changed: false, met: false };
      }
    },
  };
}

/** Names under which a server can be tried: ours, so that one which a crash leaves behind is found and removed. */
function besideNames({ name, key, listen }: Desired): readonly ServerName[] {
  const port = decodeName(name)?.port ?? listen.port;
  return [encodeName(key, port, listen.proto, listen), encodeName(key, port, listen.proto)];
}

/** A creation that worked: nobody waits for a port that it freed, or for what it says of GoBetween. */
export function isRoutine(performed: Performed | null): boolean {
  return performed?.outcome === 'ok' && performed.kind === 'create';
}
