/**
 * Who may listen where on this gateway: the only owner of that decision (SPEC §5, DESIGN §5.2). Facts come in between
 * decisions (claims, servers in GoBetween, busy ports); `decide` settles what they touch. Invariants: no two granted
 * claims that are served here conflict; a granted claim loses its port only to a server that really listens there; an
 * explicit claim never moves; with all claims set before the first decision, no order of anything changes the layout.
 */
import type { Clock } from '../clock.js';
import type { L4, Listen } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import { type Claim, type ClaimRecord, type Grant, sameGrant } from './claim.js';
import { type ClaimBook, createClaimBook, sameWord } from './claim-book.js';
import { conflicts } from '../model/bind.js';
import { compareText, contest } from './contest.js';
import { heldByVerdict, RESERVED, EXHAUSTED } from './held-grant.js';
import { createChooser, createRings, type PortRange } from './probe.js';
import { createQuarantine } from './quarantine.js';
import { contestantsOf, listensForWord } from './right.js';
import { createSlots, slotId, slotPort, type Standing } from './slots.js';
import { countUsage, type Usage } from './usage.js';

export type { Claim, ClaimRecord, Grant } from './claim.js';

export interface ArbiterDeps {
  readonly clock: Clock;
  readonly range: PortRange;
  readonly reserved: ReadonlySet<number>;
}

export interface Decision {
  /** Of every claim of the keys asked for. */
  readonly grants: ReadonlyMap<string, Grant>;
  /** Other services whose grant changed, or whose former server is in the way now: look at them again. */
  readonly affected: ReadonlySet<ServiceKey>;
}

export interface Arbiter {
  /** Replaces the claims of a service; until the first ones its servers in GoBetween stand for themselves. */
  setClaims(key: ServiceKey, claims: readonly Claim[]): void;
  /** The service is gone: its claims and records end, and its servers protect their ports no longer. */
  removeKey(key: ServiceKey): void;
  /** A server is believed to be in GoBetween. `key` is null when it is foreign. */
  hold(name: string, key: ServiceKey | null, listen: Listen): void;
  release(name: string): void;
  /** From the state directory, before the first decision. */
  record(key: ServiceKey, record: ClaimRecord): void;
  /** For the state directory: the ports that the service's served words have. */
  recordsOf(key: ServiceKey): readonly ClaimRecord[];
  /** Settles everything said since the last decision. Also called with no keys after a sweep, to learn `affected`. */
  decide(keys: Iterable<ServiceKey>): Decision;
  /**
   * GoBetween said that the address is in use. Foreign (no server of ours has it): allocated claims move on, explicit
   * ones stay granted, for the applier retries them. Not foreign: it is a matter of waiting for our own server.
   */
  busy(listen: Listen, foreign: boolean): void;
  /** A claim other than its own was granted the port on which this server listens: it must go even if it is kept. */
  readonly needed: (name: string) => boolean;
  usage(): Readonly<Record<L4, Usage>>;
  /** Allocated claims that found no port. */
  exhausted(): number;
}

export function createArbiter({ clock, range, reserved }: ArbiterDeps): Arbiter {
  const slots = createSlots();
  const quarantine = createQuarantine(clock);
  const rings = createRings(range);
  /** Allocated claims without a port. */
  const waiting = new Set<Standing>();
  let changed = new Set<ServiceKey>();
  let lastStamp = 0;

  /** Unix milliseconds that never go back: ages are compared. */
  const stamp = (): number => {
    lastStamp = Math.max(lastStamp, clock.wall());
    return lastStamp;
  };
  const book: ClaimBook = createClaimBook(slots, () => clock.now(), stamp);

  function decide(keys: Iterable<ServiceKey>): Decision {
    const { fresh, gone, touched } = book.takeNews();
    const since = stamp();
    for (const standing of gone) waiting.delete(standing);
    for (const standing of fresh) {
      standing.since ??= recordedSince(standing) ?? since;
      if (standing.port === null) seat(standing);
    }
    const arrivals = new Set(fresh);
    settleSlots(arrivals);
    place(arrivals);
    settleSlots(arrivals);
    book.remember(new Set([...touched, ...changed]));
    return answer(new Set(keys));
  }

  function answer(keys: ReadonlySet<ServiceKey>): Decision {
    const grants = new Map<string, Grant>();
    for (const key of keys) {
      for (const { claim, grant } of book.entry(key)?.standings.values() ?? []) {
        if (grant !== null) grants.set(claim.id, grant);
      }
    }
    const affected = new Set([...changed].filter((key) => !keys.has(key)));
    changed = new Set();
    return { grants, affected };
  }

  function recordedSince({ claim }: Standing): number | null {
    const mine = book.records(claim.key).filter((had) => sameWord(had, claim));
    const same = mine.filter((had) => claim.listen === null || had.port === claim.listen);
    return same.length === 0 ? null : Math.min(...same.map((had) => had.since));
  }

  /** An allocated claim goes back to the port it had: by our last decision, in GoBetween, or on record. */
  function seat(standing: Standing): void {
    const port = formerPorts(standing).find((candidate) => !reserved.has(candidate));
    if (port === undefined) waiting.add(standing);
    else slots.sit(standing, port);
  }

  function formerPorts({ claim }: Standing): number[] {
    const { key } = claim;
    const entry = book.entry(key);
    const claims = [...(entry?.standings.values() ?? [])].map((other) => other.claim);
    const possessions = (entry?.possessions ?? []).filter((had) => sameWord(had, claim));
    const servers = [...book.heldOf(key)].filter((server) => listensForWord(server, claim));
    // Sorted, for the order of the words of a service must not matter.
    const ports = (had: readonly { readonly port: number }[]): number[] =>
      had.map(({ port }) => port).sort((a, b) => a - b);
    return [
      ...ports(possessions.filter(({ auto }) => auto)),
      ...ports(possessions.filter(({ auto }) => !auto)),
      ...ports(servers.map(({ listen }) => listen)),
      ...ports(book.records(key).filter((had) => sameWord(had, claim))),
    ].filter((port) => !claims.some((other) => other.listen === port && other.proto === claim.proto));
  }

  function settleSlots(arrivals: Set<Standing>): void {
    for (const id of slots.dirty) {
      slots.dirty.delete(id);
      settleSlot(id, arrivals);
    }
  }

  function settleSlot(id: number, arrivals: Set<Standing>): void {
    const slot = slots.get(id);
    if (slot === undefined) return;
    for (const standing of [...slot.standings]) {
      if (!standing.claim.served) grant(standing);
      else if (reserved.has(slotPort(id))) setGrant(standing, RESERVED);
      else if (mustMove(standing, id)) displace(standing, arrivals);
    }
    if (reserved.has(slotPort(id))) return;
    const [only] = slot.standings;
    if (only !== undefined && slot.standings.size === 1 && slot.held.size === 0) {
      grant(only);
      return;
    }
    for (const { contestant, beatenBy } of contest(contestantsOf(slot, book, clock.now()))) {
      const { standing } = contestant;
      if (standing === null) continue;
      if (beatenBy === null) grant(standing);
      else if (standing.claim.listen === null) displace(standing, arrivals);
      else setGrant(standing, heldByVerdict(contestant.listen, beatenBy));
    }
  }

  /** A foreign process listens on the port of an allocated claim, and not our own server. */
  function mustMove({ claim, port }: Standing, id: number): boolean {
    if (claim.listen !== null || !quarantine.has(id)) return false;
    return ![...book.heldOf(claim.key)].some(
      (server) => listensForWord(server, claim) && server.listen.port === port,
    );
  }

  function displace(standing: Standing, arrivals: Set<Standing>): void {
    slots.leave(standing);
    waiting.add(standing);
    arrivals.add(standing);
  }

  /** Gives ports to allocated claims in rank order. Those that found none before try again only when a port came free. */
  function place(arrivals: ReadonlySet<Standing>): void {
    const expired = quarantine.expire();
    const freed = slots.takeFreed() || expired;
    const choosers = { tcp: createChooser(rings), udp: createChooser(rings) };
    const ranked = [...waiting]
      .filter((standing) => freed || arrivals.has(standing))
      .sort((a, b) => compareText(a.claim.key, b.claim.key) || compareText(a.claim.id, b.claim.id));
    for (const standing of ranked) {
      const { proto } = standing.claim;
      const port = choosers[proto].choose(standing.claim, (candidate) => isFree(proto, candidate));
      if (port === null) {
        setGrant(standing, EXHAUSTED);
        continue;
      }
      waiting.delete(standing);
      slots.sit(standing, port);
    }
  }

  function isFree(proto: L4, port: number): boolean {
    const id = slotId(proto, port);
    return slots.get(id) === undefined && !reserved.has(port) && !quarantine.has(id);
  }

  function grant(standing: Standing): void {
    const { claim, port } = standing;
    if (port === null) return;
    setGrant(standing, { kind: 'granted', addr: claim.addr, port });
  }

  function setGrant(standing: Standing, grant: Grant): void {
    if (sameGrant(standing.grant, grant)) return;
    standing.grant = grant;
    standing.grantedAtMs = clock.now();
    changed.add(standing.claim.key);
    if (grant.kind === 'held' || !standing.claim.served) return;
    const { proto, addr, key } = standing.claim;
    const listen = { proto, addr, port: grant.port };
    for (const server of slots.get(slotId(proto, grant.port))?.held ?? []) {
      if (server.key !== null && server.key !== key && conflicts(server.listen, listen))
        changed.add(server.key);
    }
  }

  function needed(name: string): boolean {
    const server = book.heldServer(name);
    if (server === undefined || server.key === null) return false;
    const { key, label, listen } = server;
    const slot = slots.get(slotId(listen.proto, listen.port));
    return [...(slot?.standings ?? [])].some(({ claim, grant, port }) => {
      if (!claim.served || grant?.kind !== 'granted' || port === null) return false;
      if (claim.key === key && claim.label === label) return false;
      return conflicts(listen, { proto: claim.proto, addr: claim.addr, port });
    });
  }

  return {
    setClaims: (key, claims) => book.setClaims(key, claims),
    removeKey: (key) => book.removeKey(key),
    hold(name, key, listen) {
      book.hold(name, key, listen);
      if (key !== null) quarantine.lift(slotId(listen.proto, listen.port));
    },
    release: (name) => book.release(name),
    record: (key, had) => book.record(key, had),
    recordsOf: (key) =>
      (book.entry(key)?.possessions ?? [])
        .filter(({ served }) => served)
        .map(({ proto, label, addr, port, since }) => ({ proto, label, addr, port, since })),
    decide,
    busy(listen, foreign) {
      if (!foreign) return;
      const id = slotId(listen.proto, listen.port);
      quarantine.add(id);
      slots.dirty.add(id);
    },
    needed,
    usage: () => countUsage({ range, reserved, slots, quarantined: quarantine.slots() }),
    exhausted: () => waiting.size,
  };
}
