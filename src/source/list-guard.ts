/**
 * Whether a whole list can be believed when it lacks something (SPEC §6, settled and rule c). Pure; all times are heard
 * time. Invariants: closed until the list has once stood still for the grace since the agent's start (or ten graces have
 * passed); closed again from the first list of less than half of what is known (and ten fewer) until it recovers, has stood
 * for ten graces, or an operator confirmed it.
 */
import type { Problem } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';

export interface ListGuard {
  /** One list. Lists of an agent that is not settled begin no stillness and no patience. */
  observe(seen: SeenList): void;
  /** The agent is starting, or another one answers: begin again. */
  restarted(): void;
  /** Believes the present list. */
  confirm(): void;
  /** Whether absence may delete. */
  open(heardMs: number): boolean;
  /** Heard time until it could open, if the list stays as it is; 0 when it is open. */
  remainingMs(heardMs: number): number;
  /** `list-shrunk` while the list is a suspicion. */
  problem(): Problem | null;
}

export interface SeenList {
  readonly keys: Iterable<ServiceKey>;
  readonly size: number;
  /** How many services are known and not proven gone; deletions that were proven lower it. */
  readonly had: number;
  readonly heardMs: number;
  readonly settled: boolean;
}

interface Suspicion {
  /** The first settled list of it; null before that. */
  readonly since: number | null;
  readonly had: number;
  /** Of the list that raised it. */
  readonly size: number;
}

const PATIENCE = 10;

const shrunk = (size: number, had: number): boolean => size * 2 < had && had - size >= 10;

export function createListGuard(graceMs: number): ListGuard {
  /** null: nothing was observed since the start. */
  let startedAt: number | null = null;
  let stillSince = 0;
  let stoodStill = false;
  let keys: ReadonlySet<ServiceKey> = new Set();
  let suspicion: Suspicion | null = null;
  /** A small list that was accepted: no suspicion until it shrinks to less than half of this. */
  let accepted: number | null = null;
  let present = 0;

  function observeStillness(seen: ReadonlySet<ServiceKey>, heardMs: number): void {
    const same = seen.size === keys.size && [...seen].every((key) => keys.has(key));
    keys = seen;
    if (startedAt === null) {
      startedAt = heardMs;
      stillSince = heardMs;
    } else if (!same) stillSince = heardMs;
    if (heardMs - stillSince >= graceMs && heardMs > startedAt) stoodStill = true;
    if (heardMs - startedAt >= PATIENCE * graceMs && heardMs > startedAt) stoodStill = true;
  }

  function observeSize({ size, had, heardMs, settled }: SeenList): void {
    const baseline = accepted === null ? had : Math.min(had, accepted);
    if (!shrunk(size, baseline)) {
      suspicion = null;
      if (accepted !== null && size > accepted) accepted = size * 2 >= had ? null : size;
      return;
    }
    if (suspicion === null || shrunk(size, suspicion.size)) suspicion = { since: null, had: baseline, size };
    if (suspicion.since === null) suspicion = { ...suspicion, since: settled ? heardMs : null };
    else if (heardMs - suspicion.since >= PATIENCE * graceMs && heardMs > suspicion.since) {
      accepted = size;
      suspicion = null;
    }
  }

  function restarted(): void {
    startedAt = null;
    stoodStill = false;
    if (suspicion !== null) suspicion = { ...suspicion, since: null };
  }

  return {
    observe(seen) {
      present = seen.size;
      if (!seen.settled) restarted();
      else if (!stoodStill) observeStillness(new Set(seen.keys), seen.heardMs);
      observeSize(seen);
    },
    restarted,
    confirm() {
      accepted = present;
      suspicion = null;
    },
    open: () => stoodStill && suspicion === null,
    remainingMs(heardMs) {
      const stillness = stoodStill
        ? 0
        : Math.min(graceMs - (heardMs - stillSince), PATIENCE * graceMs - (heardMs - (startedAt ?? heardMs)));
      const doubt = suspicion === null ? 0 : PATIENCE * graceMs - (heardMs - (suspicion.since ?? heardMs));
      return Math.max(0, stillness, doubt);
    },
    problem() {
      if (suspicion === null) return null;
      return {
        code: 'list-shrunk',
        severity: 'warning',
        key: null,
        place: 'cluster',
        message: `the agent lists ${present} services, but ${suspicion.had} were known`,
        keeps: 'the servers of the services that are missing from the list',
        mend: 'look at the cluster; if the services were really deleted, say `gobtw-janitor confirm-deletes`',
      };
    },
  };
}
