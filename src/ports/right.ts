/**
 * By what right each contestant wants a port: evidence first (what listens in GoBetween), then memory, then the state
 * (SPEC §5; the order of rights is contest.ts's). Pure over the book.
 */
import type { Claim } from './claim.js';
import { type ClaimBook, sameWord } from './claim-book.js';
import { conflicts } from '../model/bind.js';
import type { Contestant, Right } from './contest.js';
import { type HeldServer, listenOf, type Slot, type Standing } from './slots.js';

/**
 * How long a port that we chose ourselves gives way to the same port written by another gateway. It covers the seconds
 * in which our own write may be under way: the first write wins, and the others follow it once.
 */
const YIELD_MS = 60_000;

/** Everybody who wants this slot on this gateway: claims that are served here, foreign and kept servers. */
export function contestantsOf(slot: Slot, book: ClaimBook, nowMs: number): Contestant[] {
  const served = [...slot.standings].filter(({ claim }) => claim.served);
  return [
    ...served.map(
      (standing): Contestant => ({
        right: rightOf(standing, served, book, nowMs),
        standing,
        key: standing.claim.key,
        listen: listenOf(standing),
        since: standing.since ?? 0,
        explicit: standing.claim.listen !== null,
        id: standing.claim.id,
      }),
    ),
    ...[...slot.held].flatMap((server) => unclaimed(server, book)),
  ];
}

function unclaimed(server: HeldServer, book: ClaimBook): Contestant[] {
  const { key, listen, since, name } = server;
  if (key !== null && !book.keepsHeld(key)) return [];
  const right = key === null ? 'foreign' : 'kept';
  return [{ right, standing: null, key, listen, since, explicit: true, id: name }];
}

function rightOf(standing: Standing, rivals: readonly Standing[], book: ClaimBook, nowMs: number): Right {
  const { claim } = standing;
  if (yields(standing, rivals, nowMs)) return 'yielding';
  const listen = listenOf(standing);
  const held = [...book.heldOf(claim.key)];
  if (held.some((server) => listensForWord(server, claim) && server.listen.port === listen.port))
    return 'own';
  const possessions = (book.entry(claim.key)?.possessions ?? []).filter((had) => had.served);
  if (possessions.some((had) => sameWord(had, claim) && had.port === listen.port)) return 'granted';
  const records = book.records(claim.key);
  if (records.some((had) => sameWord(had, claim) && had.port === listen.port)) return 'recorded';
  const related =
    held.some((server) => conflicts(server.listen, listen)) ||
    possessions.some((had) => conflicts(had, listen)) ||
    records.some((had) => conflicts(had, listen));
  return related ? 'related' : 'new';
}

function yields(standing: Standing, rivals: readonly Standing[], nowMs: number): boolean {
  const { claim, grantedAtMs } = standing;
  if (claim.listen !== null || nowMs - grantedAtMs > YIELD_MS) return false;
  return rivals.some(({ claim: rival, writtenElsewhereAtMs: at }) => {
    return at !== null && nowMs - at <= YIELD_MS && rival.key !== claim.key;
  });
}

/** A server in GoBetween that serves this word, whatever its port. */
export function listensForWord(server: HeldServer, claim: Claim): boolean {
  return (
    server.label === claim.label && server.listen.proto === claim.proto && server.listen.addr === claim.addr
  );
}
