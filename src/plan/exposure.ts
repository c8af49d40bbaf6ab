/**
 * What is exposed, where, and if not why not: one row for each word that a service asks for, and one for each server
 * that outlives its word. Pure; what the demo prints, `status` and `explain` show and tests assert on. Invariant: every
 * word and every owned server of the service is in exactly one row.
 */
import { formatListen, sameListen } from '../model/bind.js';
import { isStaleDefault } from '../model/former-defaults.js';
import { decodeName } from '../model/name.js';
import type { Problem, ProblemCode } from '../model/problem.js';
import type { Desired, L4, Observed, ServerName } from '../model/server.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { Compiled, Word } from '../model/spec.js';
import type { Policy } from './policy.js';

export type ExposureState =
  | 'serving' // GoBetween has it as it is wanted
  | 'pending' // to be created, replaced or removed
  | 'held' // its port, or a DNS to ask, is missing
  | 'spoiled' // the word or a keyword is wrong, and nothing serves it
  | 'kept' // an earlier server that stays, for nothing better is known
  | 'elsewhere' // another gateway's
  | 'slave'; // a scaler's slave, exposed through its scaler

export interface ExposureRow {
  /** As agents and people write it: `web`, `shop/svc/api`. */
  readonly service: string;
  /** The word of igw_gobtw_bind; empty for a server that no word asks for. */
  readonly word: string;
  /** Which port of the service: `443/tcp`; null where that cannot be told. */
  readonly label: string | null;
  /** `0.0.0.0:1025`; null while no port is known. */
  readonly listen: string | null;
  readonly proto: L4;
  readonly state: ExposureState;
  readonly server: ServerName | null;
  /** Of the problem that keeps it from serving as it is wanted; null: there is none. */
  readonly code: ProblemCode | null;
  /** Empty while everything is as it should be. */
  readonly why: string;
}

type Why = Pick<ExposureRow, 'code' | 'why'>;

/** One service as the last round left it, and what GoBetween has of it. */
export interface ExposureInput {
  readonly key: ServiceKey;
  /** What the cluster last said of it; absent when it never did. */
  readonly facts:
    | { readonly state: 'present' | 'unreadable' | 'missing' | 'gone'; readonly reason: string }
    | undefined;
  readonly compiled: Compiled | null;
  readonly granted: readonly { readonly word: Word; readonly addr: string; readonly port: number }[];
  readonly held: readonly {
    readonly word: Word;
    readonly grant: {
      readonly code: ProblemCode;
      readonly winner: { readonly key: ServiceKey } | null;
      readonly detail: string;
    };
  }[];
  readonly desired: readonly Desired[];
  readonly present: readonly Observed[];
  /** Per wanted server, the fields that a keyword sets. */
  readonly setFields: readonly string[];
  /** Every open problem of the service, of the balancer's side too. */
  readonly problems: readonly Problem[];
  readonly policy: Policy;
  /** In words, why nothing is changed for it now; null: nothing is held back. */
  readonly heldBack: string | null;
}

/** The rows of one service, words in the order of their text, then servers without a word. */
export function exposureOf(input: ExposureInput): readonly ExposureRow[] {
  const words = wordRows(input);
  const shown = new Set(words.map(({ server }) => server));
  const rest = input.present
    .filter(({ name }) => !shown.has(name))
    .map((server) => leftoverRow(input, server));
  const bad = badWordRows(input);
  return [...[...words, ...bad].sort(byWord), ...rest];
}

function wordRows(input: ExposureInput): ExposureRow[] {
  const { compiled } = input;
  if (compiled === null || compiled.verdict === 'unbound' || input.facts?.state === 'gone') return [];
  if (compiled.verdict === 'slave') {
    const row = {
      service: displayPath(input.key),
      word: compiled.bindText,
      label: null,
      code: null,
      listen: null,
      proto: 'tcp',
      server: null,
    } as const;
    return [{ ...row, state: 'slave', why: 'a scaler slave: its scaler is exposed' }];
  }
  return compiled.words.map((word) => wordRow(input, compiled, word));
}

function wordRow(input: ExposureInput, compiled: Compiled, word: Word): ExposureRow {
  const grant = input.granted.find((granted) => granted.word.text === word.text);
  const listen = grant === undefined ? null : { proto: word.proto, addr: grant.addr, port: grant.port };
  const row = {
    service: displayPath(input.key),
    word: word.text,
    label: `${word.port}/${word.proto}`,
    code: null,
    proto: word.proto,
    listen: listen === null ? explicitListen(word) : formatListen(listen.addr, listen.port),
    server: null,
  };
  if (compiled.verdict === 'elsewhere') {
    return { ...row, state: 'elsewhere', why: 'igw_gobtw_target_lb names other gateways' };
  }
  const held = input.held.find((other) => other.word.text === word.text);
  if (held !== undefined) return { ...row, state: 'held', code: held.grant.code, why: heldWhy(held.grant) };
  const present = input.present.find((server) => server.listen !== null && sameListen(server.listen, listen));
  const stuck = input.facts?.state !== 'present' || compiled.verdict === 'spoiled';
  if (stuck) {
    const why = stuckWhy(input);
    if (present !== undefined) return { ...row, state: 'kept', server: present.name, ...why };
    return { ...row, state: 'spoiled', ...why };
  }
  const desired = input.desired.find((server) => sameListen(server.listen, listen));
  if (desired === undefined)
    return { ...row, state: 'held', ...(wordProblem(input, word) ?? { why: 'not planned yet' }) };
  const inPlace = input.present.find((server) => isInPlace(input, server, desired));
  if (inPlace !== undefined) return { ...row, state: 'serving', server: inPlace.name, why: '' };
  const former = input.present.find(({ name }) => name === desired.name);
  const problem = wordProblem(input, word, desired.name);
  const meanwhile = former?.listen
    ? `; until then it serves on ${formatListen(former.listen.addr, former.listen.port)}`
    : '';
  const todo = former === undefined ? 'to be created' : 'to be replaced';
  const pending = { ...row, state: 'pending', server: desired.name } as const;
  if (problem !== undefined) return { ...pending, code: problem.code, why: `${problem.why}${meanwhile}` };
  return { ...pending, why: input.heldBack === null ? todo : `${todo}: ${input.heldBack}` };
}

/** A server of this service that no word asks for now: kept for a reason, or about to go. */
function leftoverRow(input: ExposureInput, server: Observed): ExposureRow {
  const { compiled, facts } = input;
  const row = {
    service: displayPath(input.key),
    word: '',
    label: labelOf(server),
    code: null,
    listen: server.listen === null ? null : formatListen(server.listen.addr, server.listen.port),
    proto: server.listen?.proto ?? 'tcp',
    server: server.name,
  };
  const removed = (why: string): ExposureRow =>
    input.policy === 'upsert-only'
      ? { ...row, state: 'kept', why: `${why}; policy upsert-only: nothing is deleted` }
      : { ...row, state: 'pending', why: `to be removed: ${input.heldBack ?? why}` };
  if (facts?.state === 'gone') return removed('the service is gone');
  if (facts?.state !== 'present' || compiled === null || compiled.verdict === 'spoiled') {
    return { ...row, state: 'kept', ...stuckWhy(input) };
  }
  if (compiled.badWords)
    return { ...row, state: 'kept', code: 'bad-word', why: 'a word of igw_gobtw_bind is wrong' };
  if (input.held.length > 0) return { ...row, state: 'kept', why: 'until the held word gets its port' };
  return removed('nothing asks for it');
}

/** Words that could not be read never became words: their problems are all there is to show. */
function badWordRows(input: ExposureInput): ExposureRow[] {
  if (input.facts?.state !== 'present') return [];
  return (input.compiled?.problems ?? [])
    .filter(({ code }) => code === 'bad-word' || code === 'too-many-words')
    .map((problem) => ({
      service: displayPath(input.key),
      word: problem.place.split(/\s+/).slice(1).join(' '),
      label: null,
      listen: null,
      proto: 'tcp',
      state: 'spoiled',
      server: null,
      ...told(problem),
    }));
}

function stuckWhy({ facts, compiled }: ExposureInput): Why {
  if (facts === undefined) return { code: null, why: 'the cluster never named this service' };
  if (facts.state === 'unreadable')
    return { code: 'config-unreadable', why: `its configuration cannot be read: ${facts.reason}` };
  if (facts.state === 'missing')
    return { code: null, why: 'missing from the list of services, not proven gone' };
  const problem = compiled?.problems.find(({ severity }) => severity === 'problem');
  return problem === undefined ? { code: null, why: 'its configuration is not compiled yet' } : told(problem);
}

function heldWhy({ code, winner, detail }: ExposureInput['held'][number]['grant']): string {
  return winner === null ? `${code}: ${detail}` : `${code}: ${displayPath(winner.key)} has it`;
}

/** The first problem of a word (its place ends with it) or of its server (its place is `server <name>`). */
function wordProblem(input: ExposureInput, word: Word, server?: ServerName): Why | undefined {
  const found = input.problems.find(
    ({ place, severity }) =>
      severity === 'problem' && (place.endsWith(` ${word.text}`) || place === `server ${server ?? ''}`),
  );
  return found && told(found);
}

/** What is wrong and how to mend it, as one line. */
function told({ code, message, mend }: Problem): Why {
  return { code, why: mend === '' ? `${code}: ${message}` : `${code}: ${message}; ${mend}` };
}

/** `443/tcp` of `_443._tcp.web.root.svc`; a historical name does not say the protocol. */
function labelOf({ name, listen }: Observed): string | null {
  const decoded = decodeName(name);
  if (decoded === null) return null;
  const proto = decoded.kind === 'ours' ? decoded.proto : listen?.proto;
  return proto === undefined ? null : `${decoded.port}/${proto}`;
}

/** Equal in content is enough: historical names and former defaults are adopted as they are (SPEC §4). */
function isInPlace(input: ExposureInput, server: Observed, desired: Desired): boolean {
  if (!sameListen(desired.listen, server.listen)) return false;
  return server.digest === desired.digest || isStaleDefault(desired.body, server.canonical, input.setFields);
}

function explicitListen(word: Word): string | null {
  return word.listen === null ? null : formatListen(word.addr, word.listen);
}

function byWord(one: ExposureRow, other: ExposureRow): number {
  return one.word < other.word ? -1 : Number(one.word > other.word);
}
