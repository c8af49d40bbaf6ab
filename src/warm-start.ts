/**
 * What is kept across starts (`--state-dir`): configs by checksum, the ports of words, the last servers of services, and
 * which services there were. Invariants: it is a cache, so its loss costs time and never a listener; configs count under
 * their checksum only; the rest counts only for the cluster it was saved for, and only for services that the cluster still
 * shows; nothing is saved before the first plan, for a start that fails must not replace what it was given. Source: SPEC §6.
 */
import { type Cancel, type Clock, sleep } from './clock.js';
import type { Failure } from './errors.js';
import type { Problem } from './model/problem.js';
import type { Desired } from './model/server.js';
import type { ServiceKey } from './model/service.js';
import type { Arbiter } from './ports/arbiter.js';
import { bornServers, type ServiceState } from './service-state.js';
import { type ConfigCache, YOUNG_MS } from './source/config-cache.js';
import type { Informer } from './source/informer.js';
import type { StateFile } from './state/state-file.js';
import { decodeState, encodeState, type SavedService, type SavedState } from './state/state-text.js';

export interface WarmStart {
  /** Before the cluster is read. */
  load(): Promise<void>;
  /** Once, when the cluster's list is complete, and before any port is claimed. */
  adopt(): Promise<void>;
  /** `adopt` is through. */
  adopted(): boolean;
  /** There may be something new to keep. */
  touch(): void;
  /** Keeps what is new. */
  stop(): Promise<void>;
}

export interface WarmStartDeps {
  readonly clock: Clock;
  /** null: nothing is kept. */
  readonly file: StateFile | null;
  /** Others run for good; `plan` and `apply` only look. */
  readonly mayWrite: boolean;
  readonly cache: Pick<ConfigCache, 'load' | 'saved'>;
  readonly informer: Pick<Informer, 'cluster' | 'facts' | 'seedKnown'>;
  readonly arbiter: Pick<Arbiter, 'record' | 'recordsOf'>;
  readonly round: {
    states(): ReadonlyMap<ServiceKey, ServiceState>;
    restore(key: ServiceKey, servers: readonly Desired[]): void;
  };
  readonly planned: () => boolean;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly report: (scope: string, problems: readonly Problem[]) => void;
}

/** The most that a crash costs: what was read since is read again. */
const EVERY_MS = 60_000;
/** Saving takes at most this part of the time. */
const COST_SHARE = 50;
const ADOPTED_AT_ONCE = 500;

export function createWarmStart(deps: WarmStartDeps): WarmStart {
  const { clock, file, informer, log } = deps;
  const pause = (): Promise<void> => sleep(clock, 0);
  let found: SavedState | null = null;
  let adopted = false;
  let touchedAt: number | null = null;
  let costMs = 0;
  let due: Cancel | null = null;
  let saving: Promise<void> = Promise.resolve();
  let stopped = false;

  async function load(): Promise<void> {
    if (file === null) return;
    const startedAt = clock.now();
    const read = await file.read();
    if (!read.ok) return refuse(read.failure);
    if (read.value === null) return;
    const state = await decodeState(read.value, pause);
    if (!state.ok) return refuse(state.failure);
    found = state.value;
    deps.cache.load(found.configs);
    const { services, configs } = found;
    const ms = Math.round(clock.now() - startedAt);
    log.info({ services: services.length, configs: configs.length, ms }, `warm start from ${file.path}`);
  }

  async function refuse({ code, message }: Failure): Promise<void> {
    if (code === 'state-unavailable') report(message);
    else await setAside(message);
  }

  async function setAside(why: string): Promise<void> {
    if (file === null) return;
    const start = `${file.path} cannot be used: ${why}; this start reads the whole cluster`;
    if (!deps.mayWrite) {
      log.warn({}, start);
      return;
    }
    const aside = await file.setAside();
    log.warn({}, `${start}; ${aside.ok ? `it is set aside as ${aside.value}` : aside.failure.message}`);
  }

  async function adopt(): Promise<void> {
    const state = found;
    found = null;
    if (state !== null) {
      const { name } = informer.cluster();
      if (state.cluster === name) await adoptServices(state.services);
      else await setAside(`it is of the cluster ${state.cluster}, and this one is ${name}`);
    }
    adopted = true;
  }

  async function adoptServices(services: readonly SavedService[]): Promise<void> {
    // Those that the list lacks were there: so many missing ones make it a suspicious list.
    informer.seedKnown(services.map(({ key }) => key));
    for (const [at, { key, claims, servers }] of services.entries()) {
      if (at > 0 && at % ADOPTED_AT_ONCE === 0) await pause();
      // One that is absent has no say in who gets a port: it may have been deleted long ago.
      if (informer.facts(key)?.state !== 'present') continue;
      for (const claim of claims) deps.arbiter.record(key, claim);
      deps.round.restore(
        key,
        servers.map((server) => ({ ...server, key })),
      );
    }
  }

  function* services(): Generator<SavedService> {
    for (const key of [...deps.round.states().keys()]) {
      const state = deps.round.states().get(key);
      if (state?.facts === undefined || state.facts.state === 'gone') continue;
      yield {
        key,
        claims: deps.arbiter.recordsOf(key),
        servers: bornServers(state).map(({ name, listen, digest, body, lookupServer }) => ({
          name,
          listen,
          digest,
          body,
          lookupServer,
        })),
      };
    }
  }

  async function save(): Promise<void> {
    if (file === null || touchedAt === null) return;
    const startedAt = clock.now();
    // What was read lately is not trusted yet, so it is kept by the next save.
    if (startedAt - touchedAt >= YOUNG_MS) touchedAt = null;
    const cluster = informer.cluster().name;
    const lines = encodeState({ cluster, services: services(), configs: deps.cache.saved(startedAt) });
    const written = await file.write(lines);
    costMs = clock.now() - startedAt;
    if (written.ok) deps.report('state', []);
    else {
      touchedAt ??= startedAt;
      report(written.failure.message);
    }
    if (touchedAt !== null) schedule();
  }

  function schedule(): void {
    if (stopped) return;
    due ??= clock.after(Math.max(EVERY_MS, COST_SHARE * costMs), () => {
      due = null;
      saving = save();
    });
  }

  function report(why: string): void {
    deps.report('state', [unavailable(why)]);
  }

  return {
    load,
    adopt,
    adopted: () => adopted,
    touch() {
      if (file === null || !deps.mayWrite || !deps.planned()) return;
      touchedAt = clock.now();
      schedule();
    },
    async stop() {
      stopped = true;
      due?.();
      await saving;
      await save();
    },
  };
}

function unavailable(why: string): Problem {
  return {
    code: 'state-unavailable',
    severity: 'warning',
    key: null,
    place: '--state-dir',
    message: why,
    keeps: 'everything; only the next start reads the whole cluster',
    mend: "give the janitor's user a directory of its own with some 100 MB of room, mode 0700",
  };
}
