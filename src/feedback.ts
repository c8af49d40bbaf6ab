/**
 * What GoBetween's answers mean for the rest: who holds which port now, which problem a service has, what to look at
 * again. Invariant: the arbiter's holders follow the ledger; a failed server has a problem until it works or is unwanted.
 */
import type { Clock } from './clock.js';
import type { ApplierEvents } from './gobetween/applier-events.js';
import type { Ledger } from './gobetween/ledger.js';
import type { Outcome } from './gobetween/outcome.js';
import type { Holders } from './holders.js';
import { conflicts, formatListen } from './model/bind.js';
import { decodeName } from './model/name.js';
import type { Problem, ProblemCode } from './model/problem.js';
import type { Listen, Observed, ServerName } from './model/server.js';
import { displayPath, type ServiceKey } from './model/service.js';
import type { Change, ChangeReason } from './plan/change.js';
import type { ChangeLog } from './telemetry/change-log.js';

export interface FeedbackDeps {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly holders: Holders;
  readonly arbiter: {
    busy(listen: Listen, foreign: boolean): void;
    exhausted(): number;
    decide(keys: Iterable<ServiceKey>): { readonly affected: ReadonlySet<ServiceKey> };
  };
  readonly metrics: {
    change(kind: Change['kind'], reason: ChangeReason, result: 'applied' | 'failed' | 'suppressed'): void;
    lag(ms: number, round?: string): void;
    superseded(count: number): void;
    driftMended(kind: 'missing' | 'mutated' | 'extra'): void;
    connectionsDropped(reason: ChangeReason, connections: number): void;
  };
  readonly changeLog: Pick<ChangeLog, 'note'>;
  readonly report: (scope: string, problems: readonly Problem[]) => void;
  readonly log: { warn(fields: object, message: string): void };
  /** A server was brought back after somebody else had changed or removed it. */
  readonly mended: (name: ServerName, key: ServiceKey) => void;
  readonly dirty: (key: ServiceKey, reason?: ChangeReason) => void;
  /** A server of this service works now: its allocated ports may be written back. */
  readonly served: (key: ServiceKey) => void;
  /** Writes fail although a status may answer. */
  readonly distrust: () => void;
}

export interface Feedback {
  readonly on: ApplierEvents;
  /** The first sign of a change of this service, for the lag. */
  noticed(key: ServiceKey, since: number): void;
  /** The service was planned in this round, with so many changes that it owes. */
  planned(key: ServiceKey, changes: number, round: number): void;
  /** Something that was planned for it is not sent, by policy or for its own good: that is no delay. */
  withheld(key: ServiceKey): void;
  /** When (Clock.now) the oldest change that GoBetween does not have yet was noticed; null: there is none. */
  oldestMs(): number | null;
}

export function createFeedback(deps: FeedbackDeps): Feedback {
  const { ledger, clock } = deps;
  const noticed = new Map<ServiceKey, { readonly sinceMs: number; round: number | null }>();
  /** What the log was told of each server that GoBetween refuses: a retry that fails alike is no news. */
  const refusals = new Map<ServerName, Outcome>();

  /** `done` is as it shall be: with the last of its service's servers the change has arrived. */
  function settleLag(key: ServiceKey, done: ServerName): void {
    const change = noticed.get(key);
    if (change === undefined || ledger.owes(key, done)) return;
    deps.metrics.lag(clock.now() - change.sinceMs, change.round === null ? undefined : String(change.round));
    noticed.delete(key);
  }

  function countMended(kind: Change['kind'], reason: ChangeReason): void {
    if (reason === 'extra') deps.metrics.driftMended('extra');
    else if (reason === 'drift' && kind === 'create') deps.metrics.driftMended('missing');
    else if (reason === 'drift' && kind === 'replace') deps.metrics.driftMended('mutated');
  }

  /** A port came free: somebody may have found none. */
  function offerPort(): void {
    if (deps.arbiter.exhausted() === 0) return;
    for (const key of deps.arbiter.decide([]).affected) deps.dirty(key);
  }

  /** Our own listener closes a little after its DELETE was answered: one refusal after it proves no foreign process. */
  function isOurs(name: ServerName, listen: Listen, attempt: number): boolean {
    const former = ledger.fallback(name)?.listen ?? null;
    return (
      ledger.holders(listen, name).length > 0 ||
      (attempt === 1 && former !== null && conflicts(former, listen))
    );
  }

  const on: ApplierEvents = {
    applied({ name, key, kind, reason }) {
      const { observed } = ledger.state(name);
      deps.holders.set(name, observed);
      deps.metrics.change(kind, reason, 'applied');
      countMended(kind, reason);
      deps.report(`server ${name}`, []);
      refusals.delete(name);
      if (kind !== 'adopt') {
        const listen = observed?.listen ?? null;
        const round = key === null ? undefined : (noticed.get(key)?.round ?? undefined);
        const fields = {
          ...{ server: name, service: key === null ? '' : displayPath(key), reason },
          ...(round === undefined ? {} : { round }),
        };
        const where =
          listen === null ? {} : { listen: `${listen.proto} ${formatListen(listen.addr, listen.port)}` };
        deps.changeLog.note({ kind, name, fields: { ...fields, ...where } });
      }
      if (kind === 'delete' || kind === 'replace') offerPort();
      if (key === null) return;
      if (kind !== 'adopt') settleLag(key, name);
      if (reason === 'drift' && kind !== 'delete') deps.mended(name, key);
      deps.served(key);
    },
    failed(event) {
      const { name, key, listen, outcome, detail, retryInMs } = event;
      deps.holders.set(name, ledger.state(name).observed);
      const intent = ledger.intent(name);
      if (outcome === 'forbidden' && key !== null) {
        // An operator or the policy forbade it meanwhile: it is planned again when that is over.
        deps.metrics.change(kindOf(intent, ledger.state(name).observed), 'edited', 'suppressed');
        if (!ledger.owes(key, name)) noticed.delete(key);
        return;
      }
      // What GoBetween refuses is a problem, and no change that is still to come.
      if (intent?.refused === true && key !== null && !ledger.owes(key, name)) noticed.delete(key);
      deps.metrics.change(kindOf(intent, ledger.state(name).observed), intent?.reason ?? 'edited', 'failed');
      if (refusals.get(name) !== outcome) {
        refusals.set(name, outcome);
        const fields = { server: name, outcome, detail, retryInMs, restored: event.restored };
        deps.changeLog.note({ kind: 'refuse', name, fields });
      }
      if (key === null || listen === null || silent.has(outcome)) return;
      const problem = serverProblem({
        name,
        key,
        listen,
        outcome,
        detail,
        retryInMs,
        restored: event.restored,
      });
      deps.report(`server ${name}`, problem === null ? [] : [problem]);
      if (outcome === 'port-busy') {
        deps.arbiter.busy(listen, !isOurs(name, listen, event.attempt));
        deps.dirty(key);
      }
    },
    held({ name, key, code, until, by }) {
      if (code === 'port') {
        // Whoever holds the port may be there for a held word only: its service decides again, now that another needs it.
        for (const holder of by) {
          const owner = ledger.state(holder).observed?.key ?? null;
          if (owner !== null && owner !== key) deps.dirty(owner);
        }
      }
      if (code === 'flapping' && key !== null)
        deps.report(flapScope(name), [flapping(name, key, until, clock)]);
    },
    cleared(name) {
      refusals.delete(name);
      deps.report(`server ${name}`, []);
    },
    calmed: (name) => deps.report(flapScope(name), []),
    superseded: (count) => deps.metrics.superseded(count),
    dropped: (reason, connections) => deps.metrics.connectionsDropped(reason, connections),
    outage(up) {
      if (!up) deps.distrust();
    },
    paced: ({ cause, count }) =>
      deps.log.warn(
        { cause, count },
        'many servers are to be replaced for one cause: going at a tenth of --replace-rate',
      ),
    outrun(name) {
      deps.holders.set(name, ledger.state(name).observed);
      const owner = decodeName(name);
      if (owner !== null) deps.dirty(owner.key);
    },
    drifted: (_name, key) => {
      if (key !== null) deps.dirty(key, 'drift');
    },
  };
  return {
    on,
    noticed(key, sinceMs) {
      if (!noticed.has(key)) noticed.set(key, { sinceMs, round: null });
    },
    planned(key, changes, round) {
      const change = noticed.get(key);
      if (change === undefined) return;
      if (changes === 0) noticed.delete(key);
      else change.round ??= round;
    },
    withheld(key) {
      if (!ledger.owes(key, null)) noticed.delete(key);
    },
    oldestMs() {
      let oldest: number | null = null;
      for (const { sinceMs } of noticed.values()) oldest = Math.min(oldest ?? sinceMs, sinceMs);
      return oldest;
    },
  };
}

/** No verdict on the server: what was wrong with it before is neither confirmed nor mended. */
const silent: ReadonlySet<Outcome> = new Set(['unreachable', 'timeout', 'unauthorized']);

function kindOf(
  intent: { readonly want: unknown } | null,
  observed: Observed | null,
): 'create' | 'replace' | 'delete' {
  if (intent?.want === null) return 'delete';
  return observed === null ? 'create' : 'replace';
}

/** Its own: a change that worked does not end the flapping. */
function flapScope(name: ServerName): string {
  return `server ${name} flapping`;
}

function flapping(name: ServerName, key: ServiceKey, until: number | null, clock: Clock): Problem {
  const wait = until === null ? '' : ` for another ${Math.max(0, Math.round(until - clock.now()))} ms`;
  return {
    code: 'flapping',
    severity: 'warning',
    key,
    place: `server ${name}`,
    message: `it is changed again and again; each change drops its connections, so the next one waits${wait}`,
    keeps: 'the server as it was last; the newest wish wins',
    mend: 'find who keeps editing the service (two tools, or two gateways with different settings)',
  };
}

interface FailedServer {
  readonly name: ServerName;
  readonly key: ServiceKey;
  readonly listen: Listen;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly retryInMs: number | null;
  /** What served before does again. */
  readonly restored: boolean;
}

/** The problem that a refused server is to its owner; null where GoBetween itself is the trouble (SPEC §5, §7). */
function serverProblem(failed: FailedServer): Problem | null {
  const where = formatListen(failed.listen.addr, failed.listen.port);
  const retry = failed.retryInMs === null ? '' : `; tried again in ${Math.ceil(failed.retryInMs / 1000)} s`;
  const problem = (code: ProblemCode, message: string, mend: string): Problem => ({
    code,
    severity: 'problem',
    key: failed.key,
    place: `server ${failed.name}`,
    message: `${message}${retry}`,
    keeps: `${failed.restored ? 'its former server, and ' : ''}every other server of ${displayPath(failed.key)}`,
    mend,
  });
  switch (failed.outcome) {
    case 'port-busy':
      return problem(
        'port-busy',
        `${failed.listen.proto} ${where} is taken by a process that is not ours`,
        `end that process (ss -lntup | grep :${failed.listen.port}), or ask for another port`,
      );
    case 'no-address':
      return problem(
        'no-address',
        `this gateway has no address ${failed.listen.addr}`,
        `bring the address up on this gateway, or bind to one that it has (0.0.0.0 for all)`,
      );
    case 'denied':
      return problem(
        'port-denied',
        `GoBetween may not listen on ${where}: permission denied`,
        'give GoBetween CAP_NET_BIND_SERVICE, or lower net.ipv4.ip_unprivileged_port_start',
      );
    case 'no-files':
      return problem(
        'refused',
        'GoBetween is out of file descriptors',
        "raise GoBetween's limit of open files",
      );
    case 'file-error':
      return problem(
        'file-error',
        'GoBetween cannot use a certificate, key or CA file of this service (the log says which)',
        'make the file readable by GoBetween, and correct',
      );
    case 'invalid':
    case 'exists':
    case 'closed':
      return problem(
        'refused',
        `GoBetween refuses this server: ${failed.detail}`,
        'report this: it should have been caught before',
      );
    default:
      return null;
  }
}
