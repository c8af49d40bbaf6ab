/**
 * One service as the last round left it, and what that means for its servers: pure rules over one state. Invariant: the
 * last good wish is kept while the service is spoiled, unreadable or missing (SPEC §3, §6).
 */
import { type GrantedWord, keepAsDesired } from './desired.js';
import { conflicts, sameListen } from './model/bind.js';
import { decodeName } from './model/name.js';
import type { Problem } from './model/problem.js';
import type { Desired, Listen, Observed, ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { Compiled, Word } from './model/spec.js';
import type { ChangeReason } from './plan/change.js';
import type { Grant } from './ports/arbiter.js';
import { claimsOf as claimWords, portProblem, type WordClaim } from './ports/claims.js';
import type { Facts, ReadConfig } from './source/source.js';

/** One service as the last round left it. */
export interface ServiceState {
  readonly key: ServiceKey;
  readonly facts: Facts | undefined;
  readonly compiled: Compiled | null;
  readonly config: ReadConfig | null;
  readonly contextVersion: number;
  readonly slave: boolean;
  readonly granted: readonly GrantedWord[];
  /** Words that got no port, and why. */
  readonly held: readonly HeldWord[];
  readonly desired: readonly Desired[];
  /** Those of `desired` that GoBetween never had where they shall listen: wishes, but no servers to keep. */
  readonly unborn: readonly ServerName[];
  /** Former servers whose word was kept out by another word of this config: see `strandedBy`. */
  readonly stranded: readonly ServerName[];
  /** The fields that a keyword sets, when `desired` was made: what the stale-default rule may not ignore. */
  readonly setFields: readonly string[];
  readonly problems: readonly Problem[];
}

export interface HeldWord {
  readonly word: GrantedWord['word'];
  readonly grant: Grant & { kind: 'held' };
}

const none: readonly ServerName[] = [];

export function emptyState(key: ServiceKey): ServiceState {
  return {
    key,
    facts: undefined,
    compiled: null,
    config: null,
    contextVersion: -1,
    slave: false,
    granted: [],
    held: [],
    desired: [],
    unborn: none,
    stranded: none,
    setFields: [],
    problems: [],
  };
}

export function problemsOf({ key, compiled, held, problems }: ServiceState): readonly Problem[] {
  return [
    ...(compiled?.problems ?? []),
    ...held.map(({ word, grant }) => portProblem(key, word, grant)),
    ...problems,
  ];
}

export function isGone(state: ServiceState | undefined): boolean {
  return state?.facts?.state === 'gone';
}

interface Verdict {
  /** new: what was just rendered. last: the last good wish. none: nothing. */
  readonly wish: 'new' | 'last' | 'none';
  readonly keep: 'all' | 'none';
  readonly removal: ChangeReason;
}

/** What the facts say may happen to a service's servers (SPEC §3 last rules, §6). */
export function judge({ facts, compiled }: ServiceState): Verdict {
  if (facts?.state === 'gone') {
    return { wish: 'none', keep: 'none', removal: facts.reason === 'announced' ? 'announced' : 'absent' };
  }
  // What nothing is known of yet has lost nothing.
  if (facts?.state !== 'present' || compiled === null) return { wish: 'last', keep: 'all', removal: 'extra' };
  switch (compiled.verdict) {
    case 'served':
      return { wish: 'new', keep: compiled.badWords ? 'all' : 'none', removal: 'word-removed' };
    case 'spoiled':
      return { wish: 'last', keep: 'all', removal: 'extra' };
    case 'elsewhere':
      return { wish: 'none', keep: 'none', removal: 'target-elsewhere' };
    case 'slave':
      return { wish: 'none', keep: 'none', removal: 'slave' };
    case 'unbound':
      return { wish: 'none', keep: 'none', removal: 'word-removed' };
  }
}

export function wish(
  state: ServiceState,
  verdict: Verdict,
  present: readonly Observed[],
): readonly Desired[] {
  switch (verdict.wish) {
    case 'new':
      return state.desired;
    case 'last':
      return lastGood(state, present);
    case 'none':
      return [];
  }
}

export function withoutRivals(kept: readonly Desired[], wanted: readonly Desired[]): readonly Desired[] {
  return kept.filter(
    (old) => !wanted.some((fresh) => fresh.name === old.name || conflicts(fresh.listen, old.listen)),
  );
}

/** The wished servers that GoBetween has or had. */
export function bornServers({ desired, unborn }: ServiceState): readonly Desired[] {
  return unborn.length === 0 ? desired : desired.filter(({ name }) => !unborn.includes(name));
}

/**
 * The last good wish, completed with what GoBetween has: after our own restart that is all we know of it. Beside bad words
 * only servers count: a wish that was never met must not stand in the way of a good word.
 */
export function lastGood(state: ServiceState, present: readonly Observed[]): readonly Desired[] {
  const { key, desired, compiled } = state;
  const had = compiled?.verdict === 'served' ? bornServers(state) : desired;
  const known = new Set(had.map(({ name }) => name));
  const kept = present
    .filter(({ name }) => !known.has(name))
    .flatMap((observed) => keepAsDesired(observed, key) ?? []);
  return kept.length === 0 ? had : [...had, ...kept];
}

/** `desired` becomes the wish of the service. What it had once counts as had also when GoBetween has forgotten it. */
export function withWish(
  state: ServiceState,
  desired: readonly Desired[],
  present: readonly Observed[],
): ServiceState {
  const had = bornServers(state);
  const unborn = desired.filter((wanted) => !listens(had, wanted) && !listens(present, wanted));
  return { ...state, desired, unborn: unborn.length === 0 ? none : unborn.map(({ name }) => name) };
}

function listens(
  servers: readonly Pick<Observed, 'name' | 'listen'>[],
  { name, listen }: Pick<Desired, 'name' | 'listen'>,
): boolean {
  return servers.some((server) => server.name === name && sameListen(server.listen, listen));
}

/** What its words claim; for those of a spoiled service that are served, the servers that stay do. */
export function claimsOf({ compiled }: ServiceState, former: readonly Desired[]): readonly WordClaim[] {
  if (compiled === null) return [];
  const { verdict, words } = compiled;
  return claimWords(
    compiled,
    verdict === 'spoiled' ? words.filter((word) => !isServed(word, former)) : words,
  );
}

/** The words of a spoiled service that its servers serve as they are. */
export function servedAnyhow({ compiled }: ServiceState, former: readonly Desired[]): readonly GrantedWord[] {
  if (compiled?.verdict !== 'spoiled') return [];
  return compiled.words.flatMap((word) => {
    const server = former.find((each) => isServed(word, [each]));
    return server === undefined ? [] : [{ word, addr: server.listen.addr, port: server.listen.port }];
  });
}

/**
 * The former servers that stay though no word asks for them: all of a service that is spoiled or was never read; beside
 * bad words, all but those that a good word takes over. A word that moved takes over the server that bears its plain name,
 * unless that may have been what a bad word meant. A word that is held takes over nothing.
 */
export function keptServers(
  { key, compiled, held, stranded }: ServiceState,
  former: readonly Desired[],
): readonly Desired[] {
  if (compiled === null) return former;
  const { verdict, badWords, badLabels } = compiled;
  // One that a server of its own service is in the way of waits for what is decided here.
  const waiting = held.filter(({ grant }) => grant.winner?.key !== key);
  const words = compiled.words.filter((word) => !waiting.some((other) => sameWord(other.word, word)));
  if (verdict !== 'spoiled' && (verdict !== 'served' || !badWords)) return [];
  if (verdict === 'spoiled') return former;
  const moved = words.filter((word) => !isServed(word, former));
  return former.filter((server) => {
    if (words.some((word) => isServed(word, [server]))) return false;
    const name = decodeName(server.name);
    const meant = badLabels.some((label) => label === null || label === name?.port);
    if (meant || stranded.includes(server.name)) return true;
    return !moved.some((word) => takesName(word, server));
  });
}

/** Whether the word would take over the server: it bears the plain name of the word. */
function takesName(word: Word, { name, listen }: Desired): boolean {
  const own = decodeName(name);
  return own?.kind === 'ours' && own.at === null && own.port === word.port && listen.proto === word.proto;
}

/**
 * Beside bad words, the former servers of words that another word, or another server that stays, of the same config keeps
 * out. They stay until the config changes, whoever is granted what meanwhile: for when such a server is kept it keeps both
 * words out, and neither then seems to keep out the other.
 */
export function strandedBy(
  state: ServiceState,
  { granted, held }: Pick<ServiceState, 'granted' | 'held'>,
  former: readonly Desired[],
): readonly ServerName[] {
  const { compiled, stranded } = state;
  if (compiled?.badWords !== true || held.length === 0) return stranded;
  const kept = keptServers({ ...state, held }, former);
  const out = held.filter(
    ({ word }) =>
      granted.some(({ word: { proto }, addr, port }) => takesPlace({ proto, addr, port }, word)) ||
      kept.some((server) => !takesName(word, server) && takesPlace(server.listen, word)),
  );
  const more = former.filter((server) => out.some(({ word }) => takesName(word, server)));
  return more.length === 0 ? stranded : [...new Set([...stranded, ...more.map(({ name }) => name)])];
}

function takesPlace(listen: Listen, word: Word): boolean {
  return word.listen !== null && conflicts(listen, { ...word, port: word.listen });
}

function sameWord(a: Word, b: Word): boolean {
  return a.port === b.port && a.proto === b.proto && a.addr === b.addr && a.listen === b.listen;
}

/** True when one of these servers listens for the word, where the word wants it. */
function isServed(word: Word, servers: readonly Desired[]): boolean {
  return servers.some(
    ({ name, listen: { proto, addr, port } }) =>
      decodeName(name)?.port === word.port &&
      proto === word.proto &&
      addr === word.addr &&
      (word.listen === null || word.listen === port),
  );
}

/** The words that have a port, but no DNS to ask. */
function withoutDns({ granted, desired, problems }: ServiceState): readonly GrantedWord[] {
  if (!problems.some(({ code }) => code === 'no-dns')) return [];
  const places = new Set(desired.map(({ listen }) => `${listen.proto} ${listen.addr} ${listen.port}`));
  return granted.filter(({ word, addr, port }) => !places.has(`${word.proto} ${addr} ${port}`));
}

/** Former servers of words that are held: they keep serving until the word gets its port or another needs theirs. */
export function heldNames(
  state: ServiceState,
  present: readonly Pick<Observed, 'name' | 'listen'>[],
): ReadonlySet<ServerName> {
  const waiting = [...state.held, ...withoutDns(state)];
  const labels = new Set(waiting.map(({ word }) => `${word.port}/${word.proto}`));
  if (labels.size === 0) return new Set();
  const serves = ({ name, listen }: (typeof present)[number]): boolean => {
    const decoded = decodeName(name);
    const proto = decoded?.kind === 'ours' ? decoded.proto : listen?.proto;
    return decoded !== null && proto !== undefined && labels.has(`${decoded.port}/${proto}`);
  };
  return new Set(present.filter(serves).map(({ name }) => name));
}

/** What naming and DNS stick to: what GoBetween has, then what it had. */
export function existingServers(state: ServiceState, present: readonly Observed[]) {
  const existing = present.flatMap(({ name, listen, lookupServer }) =>
    listen === null ? [] : [{ name, listen, lookupServer }],
  );
  const known = new Set(existing.map(({ name }) => name));
  const forgotten = bornServers(state).filter(({ name }) => !known.has(name));
  return [
    ...existing,
    ...forgotten.map(({ name, listen, lookupServer }) => ({ name, listen, lookupServer })),
  ];
}

/** What a server likely is already, so that its body need not be made, sent between threads or kept twice. */
export function likelyIs(
  { desired }: ServiceState,
  present: readonly Observed[],
  wanted: ServerName,
): Pick<Desired, 'digest' | 'body'> | null {
  const server = present.find(({ name }) => name === wanted);
  if (server !== undefined) return { digest: server.digest, body: server.canonical };
  return desired.find(({ name }) => name === wanted) ?? null;
}
