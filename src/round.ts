/**
 * What one round does to a batch of services: facts → compile → claim → render → plan. Owns the state of each service
 * as the last round left it. Invariant: `desired` is the last good wish; it is replaced only by a served, compiled
 * config, so a spoiled, unreadable or missing service keeps what it has (SPEC §3, §6).
 */
import { type Clock, stopwatch } from './clock.js';
import { type DnsView, wantServers } from './desired.js';
import { isStaleDefault } from './model/former-defaults.js';
import type { Problem } from './model/problem.js';
import type { Desired, Digest, Observed, ServerName } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { CompileContext, Compiled } from './model/spec.js';
import { unknownTargetProblems } from './model/unknown-targets.js';
import type { Change, ChangeReason } from './plan/change.js';
import { planService, serverOf } from './plan/plan.js';
import type { Arbiter, Decision, Grant } from './ports/arbiter.js';
import { claimOfKept } from './ports/claims.js';
import {
  claimsOf,
  emptyState,
  existingServers,
  type HeldWord,
  heldNames,
  isGone,
  judge,
  keptServers,
  lastGood,
  likelyIs,
  problemsOf,
  servedAnyhow,
  type ServiceState,
  strandedBy,
  wish,
  withoutRivals,
  withWish,
} from './service-state.js';
import type { Facts, ReadConfig } from './source/source.js';
import type { Compute } from './worker/compute.js';
import { createWishes } from './wishes.js';

/** What is believed to be in GoBetween, and what we last wrote with success. */
export interface BalancerState {
  byKey(key: ServiceKey): readonly Observed[];
  applied(name: ServerName): Digest | null;
}

export interface RoundDeps {
  readonly facts: (key: ServiceKey) => Facts | undefined;
  readonly context: () => CompileContext;
  /** What a target may name, lower case. */
  readonly knownNames: () => ReadonlySet<string>;
  readonly balancer: BalancerState;
  readonly dns: DnsView;
  readonly arbiter: Arbiter;
  readonly compute: Compute;
  /** Servers with a former default are replaced, not adopted. */
  readonly refresh: boolean;
  readonly report: (key: ServiceKey, problems: readonly Problem[]) => void;
  readonly clock: Clock;
  /** How long each part of a round took. */
  readonly onPhase: (phase: 'compile' | 'arbitrate' | 'render' | 'plan', ms: number) => void;
}

export interface Settled {
  readonly changes: readonly Change[];
  /**
   * Servers that a former plan wished to change and this one does not: what is still owed there is moot. `kept`: what
   * the service had there shall go on serving, so that what a replacement took away comes back.
   */
  readonly moot: readonly { readonly name: ServerName; readonly kept: boolean }[];
  /** Services outside the batch whose ports, or the names that their targets may have, changed with it. */
  readonly affected: ReadonlySet<ServiceKey>;
}

export interface Round {
  /** Compiles what changed and records its claims. Sends nothing. */
  compile(keys: readonly ServiceKey[]): Promise<void>;
  /** Claims ports for all these services at once: the choice does not depend on how rounds batch them. */
  claimAll(keys: readonly ServiceKey[]): Promise<void>;
  /** Claims, renders and plans; `causes` explains why a service is looked at again. */
  settle(keys: readonly ServiceKey[], causes: ReadonlyMap<ServiceKey, ChangeReason>): Promise<Settled>;
  /** What compile knows beside the config changed (names, cluster): everything is compiled again when next seen. */
  contextChanged(): void;
  states(): ReadonlyMap<ServiceKey, ServiceState>;
  /** Servers that were adopted with a former default. */
  staleDefaults(): number;
  /** A change of one of its servers was made: what is there now counts as had. */
  served(key: ServiceKey): void;
  /** The last servers that were wished for a service before our start. */
  restore(key: ServiceKey, servers: readonly Desired[]): void;
}

export function createRound(deps: RoundDeps): Round {
  const { arbiter, balancer } = deps;
  const states = new Map<ServiceKey, ServiceState>();
  const wishes = createWishes();
  /** Servers adopted with a former default since the start. */
  const stale = new Set<ServerName>();
  /** Services with a target that nobody bears. */
  const strangers = new Set<ServiceKey>();
  let newNames = false;
  let contextVersion = 0;
  /** Services to look at again that no round has returned yet: a round that throws must not lose them. */
  let affectedYet = new Set<ServiceKey>();

  async function compile(keys: readonly ServiceKey[]): Promise<void> {
    const version = contextVersion;
    const stale: { state: ServiceState; facts: Facts; config: ReadConfig }[] = [];
    for (const key of keys) {
      const facts = deps.facts(key);
      newNames ||= !states.has(key);
      const state = { ...(states.get(key) ?? emptyState(key)), facts };
      states.set(key, state);
      if (facts?.state === 'present' && facts.config !== null && isStale(state, facts)) {
        stale.push({ state, facts, config: facts.config });
      }
    }
    if (stale.length === 0) return;
    const inputs = stale.map(({ facts, config }) => ({ key: facts.key, slave: facts.slave, ...config }));
    const lap = stopwatch(deps.clock);
    const results = await deps.compute.compile(inputs, deps.context());
    stale.forEach(({ state, facts, config }, index) => {
      const compiled = results[index];
      if (compiled === undefined) return;
      const now = { ...state, compiled, config, slave: facts.slave, contextVersion: version, stranded: [] };
      states.set(state.key, now);
      askForDns(compiled);
      setClaims(now);
    });
    deps.onPhase('compile', lap());
  }

  /** Begins to probe the servers that it will look up, so that the first plan need not guess which of them answers. */
  function askForDns({ verdict, template }: Compiled): void {
    if (verdict !== 'served' || template?.lookup.kind !== 'cluster') return;
    deps.dns.preferred(template.lookup.port, template.dnsProtocol);
  }

  /** Claims of words, and of servers that stay without one; the latter depend on the servers that there are. */
  function setClaims(state: ServiceState): void {
    if (isGone(state)) return;
    const had = former(state);
    const claims = [...claimsOf(state, had), ...keptServers(state, had).map(claimOfKept)];
    if (state.compiled !== null || claims.length > 0) arbiter.setClaims(state.key, claims);
  }

  const former = (state: ServiceState): readonly Desired[] => lastGood(state, balancer.byKey(state.key));

  function claimKept(keys: readonly ServiceKey[]): void {
    for (const key of keys) {
      const state = states.get(key);
      if (state !== undefined && state.compiled?.verdict !== 'served') setClaims(state);
      else if (state?.compiled?.badWords === true) setClaims(state);
    }
  }

  /** Many ports are chosen on other threads. Servers may come and go meanwhile, so `decide` states claims again. */
  async function placeAhead(keys: readonly ServiceKey[]): Promise<void> {
    claimKept(keys);
    await arbiter.placeAhead();
  }

  function decide(keys: readonly ServiceKey[]): Decision {
    claimKept(keys);
    return arbiter.decide(keys);
  }

  function isStale(state: ServiceState, facts: Facts): boolean {
    return (
      state.compiled === null ||
      state.config !== facts.config ||
      state.slave !== facts.slave ||
      state.contextVersion !== contextVersion
    );
  }

  async function settle(
    keys: readonly ServiceKey[],
    causes: ReadonlyMap<ServiceKey, ChangeReason>,
  ): Promise<Settled> {
    const lap = stopwatch(deps.clock);
    for (const key of keys) if (isGone(states.get(key))) leave(key);
    await placeAhead(keys);
    const { grants, affected } = decide(keys);
    for (const key of affected) affectedYet.add(key);
    for (const key of keys) if (claim(key, grants)) affectedYet.add(key);
    deps.onPhase('arbitrate', lap());
    await renderServed(keys);
    deps.onPhase('render', lap());
    const changes: Change[] = [];
    const moot: { name: ServerName; kept: boolean }[] = [];
    for (const key of keys) {
      const planned = plan(key, causes.get(key));
      changes.push(...planned);
      for (const name of wishes.replace(key, planned)) moot.push({ name, kept: keepsFormer(key, name) });
    }
    deps.onPhase('plan', lap());
    for (const key of newNames ? targeters(keys) : []) affectedYet.add(key);
    const affectedNow = affectedYet;
    affectedYet = new Set();
    return { changes, moot, affected: affectedNow };
  }

  /** A new service may be what their targets name. */
  function targeters(keys: readonly ServiceKey[]): readonly ServiceKey[] {
    newNames = false;
    return [...strangers].filter((key) => !keys.includes(key));
  }

  /** Forgets what a service asked for: should it come back with the very same config, it asks for it anew. */
  function leave(key: ServiceKey): void {
    arbiter.removeKey(key);
    const facts = states.get(key)?.facts;
    if (facts !== undefined) states.set(key, { ...emptyState(key), facts });
  }

  /**
   * It is as it should be, or its word is held, or the service cannot be understood: what it had before goes on, also where
   * a replacement has just taken it away.
   */
  function keepsFormer(key: ServiceKey, name: ServerName): boolean {
    const state = states.get(key);
    if (state === undefined) return false;
    if (judge(state).wish === 'new' && state.desired.some((server) => server.name === name)) return true;
    return judge(state).keep === 'all' || heldNames(state, [{ name, listen: null }]).has(name);
  }

  /**
   * Notes which words of a service have a port now; the others become problems of the service. True when other servers
   * stay than it claimed for: a word that is held takes nobody's place.
   */
  function claim(key: ServiceKey, grants: ReadonlyMap<string, Grant>): boolean {
    const state = states.get(key);
    if (state === undefined) return false;
    const had = former(state);
    const granted = [...servedAnyhow(state, had)];
    const held: HeldWord[] = [];
    for (const wanted of claimsOf(state, had)) {
      const grant = grants.get(wanted.id);
      if (grant?.kind === 'granted') granted.push({ word: wanted.word, addr: grant.addr, port: grant.port });
      else if (grant?.kind === 'held' && wanted.served) held.push({ word: wanted.word, grant });
    }
    const stranded = strandedBy(state, { granted, held }, had);
    const now = { ...state, granted, held, stranded, problems: [] };
    states.set(key, now);
    return stays(state) !== stays(now);
  }

  const stays = (state: ServiceState): string =>
    state.compiled?.badWords === true
      ? keptServers(state, former(state))
          .map(({ name }) => name)
          .join(' ')
      : '';

  async function renderServed(keys: readonly ServiceKey[]): Promise<void> {
    const served = keys.flatMap((key) => {
      const state = states.get(key);
      if (state?.facts?.state !== 'present' || state.compiled?.verdict !== 'served') return [];
      return [
        {
          key,
          compiled: state.compiled,
          granted: state.granted,
          existing: existingServers(state, balancer.byKey(key)),
          expected: (name: ServerName) => likelyIs(state, balancer.byKey(key), name),
          kept: keptServers(state, former(state)),
        },
      ];
    });
    const wanted = await wantServers(served, deps.dns, deps.compute);
    for (const [key, { desired, problems }] of wanted) {
      const state = states.get(key);
      if (state === undefined) continue;
      // A bad word removes nothing: what it may have meant stays wanted, unless a good word took its place.
      const beside = withoutRivals(keptServers(state, former(state)), desired);
      const setFields = state.compiled?.template?.setFields ?? [];
      const now = withWish(state, [...desired, ...beside], balancer.byKey(key));
      states.set(key, { ...now, setFields, problems });
    }
  }

  function plan(key: ServiceKey, cause: ChangeReason | undefined): readonly Change[] {
    const state = states.get(key);
    if (state === undefined) return [];
    const present = balancer.byKey(key);
    const verdict = judge(state);
    const desired = wish(state, verdict, present);
    states.set(key, withWish(state, desired, present));
    deps.report(key, isGone(state) ? [] : [...problemsOf(state), ...unknownTargets(state)]);
    if ((isGone(state) || state.facts === undefined) && present.length === 0) states.delete(key);
    const changes = planService({
      key,
      desired,
      keep: verdict.keep,
      present,
      applied: balancer.applied,
      removal: verdict.removal,
      cause,
      heldNames: heldNames(state, present),
      needed: arbiter.needed,
      stale,
      refresh: deps.refresh,
      isStaleDefault: (wish, observed) => isStaleDefault(wish.body, observed.canonical, state.setFields),
    });
    for (const change of changes) {
      if (change.kind === 'adopt' && change.reason === 'stale-default') stale.add(serverOf(change));
      else stale.delete(serverOf(change));
    }
    return changes;
  }

  function unknownTargets({ key, compiled }: ServiceState): readonly Problem[] {
    // Who bears which name is worth knowing only where somebody is named.
    const named = compiled !== null && compiled.otherTargets.length > 0;
    const problems = named ? unknownTargetProblems(compiled, deps.knownNames()) : [];
    if (problems.length > 0) strangers.add(key);
    else strangers.delete(key);
    return problems;
  }

  return {
    compile,
    async claimAll(keys) {
      await placeAhead(keys);
      decide(keys);
    },
    settle,
    contextChanged: () => {
      contextVersion += 1;
    },
    states: () => states,
    staleDefaults: () => stale.size,
    served(key) {
      const state = states.get(key);
      if (state !== undefined && state.unborn.length > 0)
        states.set(key, withWish(state, state.desired, balancer.byKey(key)));
    },
    restore(key, desired) {
      newNames ||= !states.has(key);
      states.set(key, { ...(states.get(key) ?? emptyState(key)), desired });
    },
  };
}
