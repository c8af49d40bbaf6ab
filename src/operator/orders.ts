/**
 * What operators ordered over the control socket, and what of it is in force: pauses and a policy (SPEC §8). Invariants:
 * a paused service is under the policy `observe`, which one place enforces (gobetween/guard.ts); every pause ends by
 * itself; an order ends with the program, so that a restart runs by its settings alone.
 */
import type { Cancel, Clock } from '../clock.js';
import { isoTime } from '../clock.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { Policy } from '../plan/policy.js';

export interface PauseOrder {
  /** As agents and people write it; null: everything. */
  readonly service: string | null;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
}

export interface OrdersInForce {
  /** What holds for every service that is not paused. */
  readonly policy: Policy;
  /** When an operator set it; null: it is that of `--policy`. */
  readonly policySince: string | null;
  readonly pauses: readonly PauseOrder[];
}

export interface HeldBack {
  /** Half a sentence. */
  readonly why: string;
  /** Which verb ends it. */
  readonly mend: string;
}

export interface Orders {
  /** What holds for one service; null: for what belongs to none. */
  policyOf(key: ServiceKey | null): Policy;
  /** Why changes of this service are held back; null: they are not. */
  holdBack(key: ServiceKey | null): HeldBack | null;
  inForce(): OrdersInForce;
  /** null: everything. A pause that is said again runs from now on. */
  pause(key: ServiceKey | null, forMs: number): void;
  /** Ends a pause; null: every pause. False when there was none. */
  resume(key: ServiceKey | null): boolean;
  setPolicy(policy: Policy): void;
  stop(): void;
}

interface Pause {
  readonly since: number;
  readonly until: number;
  readonly cancel: Cancel;
}

export function createOrders(deps: {
  readonly clock: Clock;
  readonly policy: Policy;
  /** What was held back may go now: of one service, or null: of all. Or the contrary. */
  readonly onChange: (key: ServiceKey | null) => void;
  /** One line for the log and the history. */
  readonly tell: (line: string, key: ServiceKey | null) => void;
}): Orders {
  const { clock, onChange, tell } = deps;
  const pauses = new Map<ServiceKey | null, Pause>();
  let policy = deps.policy;
  let policySince: number | null = null;

  const nameOf = (key: ServiceKey | null): string => (key === null ? 'everything' : displayPath(key));
  const pauseOf = (key: ServiceKey | null): Pause | undefined => pauses.get(null) ?? pauses.get(key);

  function end(key: ServiceKey | null, how: string): void {
    pauses.get(key)?.cancel();
    pauses.delete(key);
    tell(`${nameOf(key)} goes on: ${how}`, key);
    onChange(key);
  }

  return {
    policyOf: (key) => (pauseOf(key) === undefined ? policy : 'observe'),
    holdBack(key) {
      const pause = pauseOf(key);
      if (pause !== undefined) {
        const isAll = pauses.has(null);
        const until = `paused by an operator until ${isoTime(pause.until)}`;
        return {
          why: `${isAll ? 'everything' : 'this service'} is ${until}`,
          mend: `say gobtw-janitor resume${isAll || key === null ? '' : ` ${displayPath(key)}`}, or wait`,
        };
      }
      if (policy !== 'observe') return null;
      return {
        why: 'policy observe: nothing is changed',
        mend: 'say gobtw-janitor policy sync, or start the janitor with --policy sync',
      };
    },
    inForce: () => ({
      policy,
      policySince: policySince === null ? null : isoTime(policySince),
      pauses: [...pauses].map(([key, { since, until }]) => ({
        service: key === null ? null : displayPath(key),
        since: isoTime(since),
        until: isoTime(until),
      })),
    }),
    pause(key, forMs) {
      pauses.get(key)?.cancel();
      const since = clock.wall();
      const cancel = clock.after(forMs, () => end(key, 'its pause is over'));
      pauses.set(key, { since, until: since + forMs, cancel });
      tell(`${nameOf(key)} is paused until ${isoTime(since + forMs)}: servers stay as they are`, key);
      onChange(key);
    },
    resume(key) {
      const ended = key === null ? [...pauses.keys()] : [key].filter((each) => pauses.has(each));
      for (const each of ended) end(each, 'an operator resumed it');
      return ended.length > 0;
    },
    setPolicy(next) {
      if (next === policy) return;
      policy = next;
      policySince = clock.wall();
      tell(`the policy is ${next} now, by an operator; a restart brings back that of --policy`, null);
      onChange(null);
    },
    stop() {
      for (const { cancel } of pauses.values()) cancel();
    },
  };
}
