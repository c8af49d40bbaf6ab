/**
 * Who may listen where on this gateway: the only owner of that decision (SPEC §5, DESIGN §5.2). Facts come in between
 * decisions (claims, servers in GoBetween, busy ports); `decide` settles what they touch. Invariants: no two granted
 * claims that are served here conflict; a granted claim loses its port only to a server that really listens there; an
 * explicit claim never moves; with all claims set before the first decision, no order of anything changes the layout,
 * nor does placing ahead (why: `land`).
 */
import type { Clock } from '../clock.js';
import type { L4, Listen } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import { type Claim, type ClaimRecord, type Grant, sameGrant } from './claim.js';
import { type ClaimBook, createClaimBook, sameWord } from './claim-book.js';
import { conflicts } from '../model/bind.js';
import { contest } from './contest.js';
import { heldByVerdict, RESERVED, EXHAUSTED } from './held-grant.js';
import type { Wide } from './pool.js';
import { createChooser, createRings, type PortRange } from './probe.js';
import { createQuarantine } from './quarantine.js';
import { byRank, isFree, requestOf } from './ranked.js';
import { contestantsOf, listensForWord } from './right.js';
import { createSlots, slotId, slotPort, type Standing } from './slots.js';
import { countUsage, type Usage } from './usage.js';

export type { Claim, ClaimRecord, Grant } from './claim.js';

export interface ArbiterDeps {
  readonly clock: Clock;
  readonly range: PortRange;
  readonly reserved: ReadonlySet<number>;
  /** null or absent: every claim is placed on this thread. */
  readonly wide?: Wide | null;
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
  /** Places what waits for the next decision off this thread, if it is much. Facts and decisions may come in meanwhile. */
  placeAhead(): Promise<void>;
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

export function createArbiter({ clock, range, reserved, wide }: ArbiterDeps): Arbiter {
  const slots = createSlots();
  const quarantine = createQuarantine(clock);
  const taken = { slots, reserved, quarantine };
  const rings = createRings(range);
  /** Allocated claims without a port. */
  const waiting = new Set<Standing>();
  /** Since the last decision: claims that came or must move, keys whose claims changed, and whose grants did. */
  const arrivals = new Set<Standing>();
  const touched = new Set<ServiceKey>();
  let changed = new Set<ServiceKey>();
  let decisions = 0;
  let lastStamp = 0;

  /** Unix milliseconds that never go back: ages are compared. */
  const stamp = (): number => {
    lastStamp = Math.max(lastStamp, clock.wall());
    return lastStamp;
  };
  const book: ClaimBook = createClaimBook(slots, () => clock.now(), stamp);

  function decide(keys: Iterable<ServiceKey>): Decision {
    takeNews();
    place();
    settleSlots();
    book.remember(new Set([...touched, ...changed]));
    arrivals.clear();
    touched.clear();
    decisions += 1;
    return answer(new Set(keys));
  }

  function takeNews(): void {
    const news = book.takeNews();
    const since = stamp();
    for (const standing of news.gone) {
      waiting.delete(standing);
      arrivals.delete(standing);
    }
    for (const standing of news.fresh) {
      standing.since ??= recordedSince(standing) ?? since;
      if (standing.port === null) seat(standing);
      arrivals.add(standing);
    }
    for (const key of news.touched) touched.add(key);
    settleSlots();
  }

  async function placeAhead(): Promise<void> {
    if (wide == null) return;
    takeNews();
    const choosing = takeChoosing();
    if (choosing.length < wide.atLeast) return;
    const ranked = byRank(choosing);
    const before = decisions;
    // When it fails, the next decision places them.
    const ports = await wide.place(requestOf(ranked, rings, taken)).catch(() => null);
    if (ports !== null && decisions === before) land(ranked, ports);
  }

  /**
   * Seats claims on ports that were chosen with the facts of a moment ago. A claim that is gone is skipped, and one whose
   * port is not free any more is bereft: it counts as come after this decision. What results is what `decide` alone gives
   * when those facts come first that took ports, then the claims without the bereft, then all other facts: a port that
   * another has keeps the other claims off it just as the bereft claim did, so they choose what they chose.
   */
  function land(ranked: readonly Standing[], ports: Int32Array): void {
    takeNews();
    ranked.forEach((standing, index) => {
      const port = ports[index] ?? 0;
      if (port === 0 || !waiting.has(standing)) return;
      if (isFree(taken, standing.claim.proto, port)) sit(standing, port);
      else seat(standing);
    });
  }

  function sit(standing: Standing, port: number): void {
    waiting.delete(standing);
    slots.sit(standing, port);
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
    else sit(standing, port);
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

  function settleSlots(): void {
    for (const id of slots.dirty) {
      slots.dirty.delete(id);
      settleSlot(id);
    }
  }

  function settleSlot(id: number): void {
    const slot = slots.get(id);
    if (slot === undefined) return;
    for (const standing of [...slot.standings]) {
      if (!standing.claim.served) grant(standing);
      else if (reserved.has(slotPort(id))) setGrant(standing, RESERVED);
      else if (mustMove(standing, id)) displace(standing);
    }
    if (reserved.has(slotPort(id))) return;
    const [only] = slot.standings;
    if (only !== undefined && slot.standings.length === 1 && slot.held.length === 0) {
      grant(only);
      return;
    }
    for (const { contestant, beatenBy } of contest(contestantsOf(slot, book, clock.now()))) {
      const { standing } = contestant;
      if (standing === null) continue;
      if (beatenBy === null) grant(standing);
      else if (standing.claim.listen === null) displace(standing);
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

  function displace(standing: Standing): void {
    slots.leave(standing);
    waiting.add(standing);
    arrivals.add(standing);
  }

  /** Who chooses a port now: those that found none before try again only when a port came free. */
  function takeChoosing(): readonly Standing[] {
    const expired = quarantine.expire();
    if (slots.takeFreed() || expired) for (const standing of waiting) arrivals.add(standing);
    return [...waiting].filter((standing) => arrivals.has(standing));
  }

  /** Gives ports to allocated claims in rank order. */
  function place(): void {
    const choosers = { tcp: createChooser(rings), udp: createChooser(rings) };
    for (const standing of byRank(takeChoosing())) {
      const { proto } = standing.claim;
      const port = choosers[proto].choose(standing.claim, (candidate) => isFree(taken, proto, candidate));
      if (port === null) setGrant(standing, EXHAUSTED);
      else sit(standing, port);
    }
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
    placeAhead,
    busy(listen, foreign) {
      if (!foreign) return;
      const id = slotId(listen.proto, listen.port);
      quarantine.add(id);
      slots.dirty.add(id);
    },
    needed,
    usage: () => countUsage({ range, reserved, slots, quarantined: quarantine.slots() }),
    exhausted: () => [...waiting].filter((standing) => !arrivals.has(standing)).length,
  };
}
