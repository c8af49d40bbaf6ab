/**
 * When each name may run: ready in a lane, delayed by a timer, parked on a port, or with a ticket. Invariants: a name is
 * in one place; nothing of its work is kept here, only its pace (retries, quiet wait); the slot of a name that has
 * nothing left to do is dropped. A hold is told once, when it begins. Source: SPEC §4, §7, DESIGN §5.3.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Listen, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { FlapHold } from './flap.js';
import { type Lane, type Lanes, createLanes } from './lanes.js';
import type { Ledger } from './ledger.js';
import type { Pacing } from './pacing.js';
import type { Intent, Work } from './work.js';

export type HoldCode = 'flapping' | 'quiet' | 'port';

export interface Slot {
  readonly name: ServerName;
  place: 'idle' | 'ready' | 'delayed' | 'parked' | 'ticket';
  cancelTimer: Cancel;
  /** Since when it is ready; kept when it changes lanes. */
  readySinceMs: number;
  /** Failures of the present intent. */
  attempt: number;
  retryAtMs: number;
  /** The failure was GoBetween's as a whole: tried at once when it is back. */
  outage: boolean;
  /** The DELETE waits for quiet since, and is looked at next at. */
  quietSinceMs: number | null;
  quietAtMs: number;
  /** Client connections when it was last looked at for quiet. */
  connections: number;
  /** Its place in the replacement budget is taken. */
  paid: boolean;
  held: HoldCode | null;
  /** A failure was told, and is not over. */
  failed: boolean;
  /** A request went unanswered: it may act yet, so the outcome is looked at again. */
  lookAgain: boolean;
  /** The write that went unanswered last. */
  unanswered: Written | null;
  /** Its wish was taken back while its ticket ran. */
  takenBack: boolean;
}

/** What a request may have done to a server. */
export type Written = 'create' | 'replace' | 'delete';

export interface ScheduleHooks {
  /** `until` is monotonic; null: until a port is free. `listen` is the port that it waits for. */
  held(name: ServerName, code: HoldCode, untilMs: number | null, listen: Listen | null): void;
  /** What was told as failed or held is over; `flapping` apart, whose end the flap hold tells. */
  cleared(name: ServerName): void;
  /** An unanswered write had done what was wanted. */
  foundMet(intent: Intent, name: ServerName, kind: Written): void;
  /** Work on a foreign server was asked for. */
  foreign(name: ServerName): void;
  /** A name became ready. */
  ready(): void;
  /** Whether `name` may start anything now (a stop lets only halves end). */
  mayStart(name: ServerName): boolean;
}

/** A udp server younger than this is not deleted: GoBetween may die (gobetween-rest.md §8.4). */
export const udpAgeMs = 300;

export type Schedule = ReturnType<typeof createSchedule>;

export function createSchedule(
  deps: {
    readonly ledger: Ledger;
    readonly clock: Clock;
    readonly flap: FlapHold;
    readonly pacing: Pacing;
    /** A service whose config keeps changing. */
    readonly restless: (key: ServiceKey) => boolean;
  },
  hooks: ScheduleHooks,
) {
  const { ledger, clock, flap, pacing } = deps;
  const slots = new Map<ServerName, Slot>();
  const lanes: Lanes = createLanes((name) => {
    const key = ledger.intent(name)?.key ?? null;
    return flap.calm(name) && (key === null || !deps.restless(key));
  });

  function leave(slot: Slot): void {
    slot.cancelTimer();
    if (slot.place === 'ready') lanes.remove(slot.name);
    slot.place = 'idle';
  }

  function clear(slot: Slot): void {
    const told = slot.failed || slot.held === 'quiet' || slot.held === 'port';
    slot.failed = false;
    slot.held = null;
    if (told) hooks.cleared(slot.name);
  }

  function drop(slot: Slot): void {
    leave(slot);
    clear(slot);
    slots.delete(slot.name);
    pacing.done(slot.name);
  }

  function hold(slot: Slot, code: HoldCode, untilMs: number | null, listen: Listen | null): void {
    if (slot.held === code) return;
    slot.held = code;
    if (code === 'flapping' && !flap.tell(slot.name)) return;
    hooks.held(slot.name, code, untilMs, listen);
  }

  function laneOf({ name, paid }: Slot, work: Work): Lane {
    switch (work.op) {
      case 'restore':
        return 'owed';
      case 'create':
        return work.owed ? 'owed' : 'create';
      case 'delete':
        if (paid) return 'paid';
        return work.waited === 'no' ? 'delete' : 'urgent';
      case 'vacate':
        return paid ? 'paid' : 'urgent';
      case 'replace': {
        if (paid) return 'paid';
        if (work.waited !== 'no') return 'urgent';
        return pacing.isPaced(ledger.intent(name)?.reason ?? 'edited') ? 'paced' : 'replace';
      }
      default:
        return 'create';
    }
  }

  /** Finds the place of a name anew. */
  function touch(name: ServerName): void {
    const slot = slots.get(name) ?? create(name);
    if (slot.place === 'ticket') return; // its end touches it again
    const work = ledger.assess(name);
    switch (work.op) {
      case 'nothing': {
        const intent = ledger.intent(name);
        ledger.settle(name);
        drop(slot);
        const { unanswered } = slot;
        if (intent === null || unanswered === null) return;
        if ((intent.want === null) === (unanswered === 'delete')) hooks.foundMet(intent, name, unanswered);
        return;
      }
      case 'foreign':
        ledger.drop(name);
        drop(slot);
        return hooks.foreign(name);
      case 'refused':
        leave(slot);
        slot.place = 'parked';
        return;
      case 'blocked':
        leave(slot);
        slot.place = 'parked';
        // One that moves away by itself is not worth a word.
        return work.stuck ? hold(slot, 'port', null, work.listen) : undefined;
      default:
    }
    if (!hooks.mayStart(name)) return leave(slot);
    if (slot.held === 'port') {
      slot.held = null;
      if (!slot.failed) hooks.cleared(name);
    }
    const dueMs = earliestMs(slot, work);
    if (dueMs > clock.now()) return delay(slot, dueMs);
    if (slot.place !== 'ready') {
      leave(slot);
      slot.place = 'ready';
      slot.readySinceMs = clock.now();
    }
    lanes.add(name, laneOf(slot, work), slot.readySinceMs);
    hooks.ready();
  }

  function create(name: ServerName): Slot {
    const slot: Slot = {
      name,
      place: 'idle',
      cancelTimer: () => undefined,
      readySinceMs: 0,
      attempt: 0,
      retryAtMs: 0,
      outage: false,
      quietSinceMs: null,
      quietAtMs: 0,
      connections: 0,
      paid: false,
      held: null,
      failed: false,
      lookAgain: false,
      unanswered: null,
      takenBack: false,
    };
    slots.set(name, slot);
    return slot;
  }

  function delay(slot: Slot, dueMs: number): void {
    leave(slot);
    slot.place = 'delayed';
    slot.cancelTimer = clock.after(dueMs - clock.now(), () => {
      slot.place = 'idle';
      touch(slot.name);
    });
  }

  /** The monotonic time from which `work` may run. */
  function earliestMs(slot: Slot, work: Work): number {
    const { name } = slot;
    let dueMs = slot.retryAtMs;
    if (!deletes(work)) return dueMs;
    const flapMs = flap.readyAtMs(name);
    if (flapMs > Math.max(dueMs, clock.now())) hold(slot, 'flapping', flapMs, null);
    dueMs = Math.max(dueMs, flapMs);
    if (work.before.listen?.proto === 'udp') dueMs = Math.max(dueMs, ledger.postedAtMs(name) + udpAgeMs);
    return skipsQuiet(work) ? dueMs : Math.max(dueMs, slot.quietAtMs);
  }

  return {
    touch,
    earliestMs,
    laneOf,
    lanes,
    hold,
    slot: (name: ServerName): Slot => slots.get(name) ?? create(name),
    find: (name: ServerName): Slot | undefined => slots.get(name),
    slots: (): Slot[] => [...slots.values()],
    size: (): number => slots.size,
    /** The intent changed, or was met: its failures are history. The quiet wait goes on. */
    resetRetries(name: ServerName): void {
      const slot = slots.get(name);
      if (slot === undefined) return;
      slot.attempt = 0;
      slot.retryAtMs = 0;
      slot.outage = false;
      clear(slot);
    },
    /** Takes a name out of its lane for a ticket. */
    grant(slot: Slot): void {
      leave(slot);
      slot.place = 'ticket';
    },
    /** Whether something will run by itself without having failed before. */
    busy(): boolean {
      if (lanes.size() > 0) return true;
      for (const { place, attempt } of slots.values()) if (place === 'delayed' && attempt === 0) return true;
      return false;
    },
    /** Whether something is ready, or waits for a timer. */
    active(): boolean {
      if (lanes.size() > 0) return true;
      for (const { place } of slots.values()) if (place === 'delayed') return true;
      return false;
    },
    stop(): void {
      for (const slot of slots.values()) if (slot.place !== 'ticket') leave(slot);
    },
  };
}

export type Deletion = Extract<Work, { op: 'delete' | 'replace' | 'vacate' }>;

/** Whether `work` begins with a DELETE. */
export function deletes(work: Work): work is Deletion {
  return work.op === 'delete' || work.op === 'replace' || work.op === 'vacate';
}

/** Whether another service waits for the port that the DELETE frees. */
export function skipsQuiet(work: Deletion): boolean {
  return work.waited === 'other';
}
