/** The words of a grant that is held: what is in the way, and whose it is (SPEC §5). */
import type { Listen } from '../model/server.js';
import { displayPath } from '../model/service.js';
import type { Grant } from './claim.js';
import type { Contestant } from './contest.js';

export const RESERVED: Grant = {
  kind: 'held',
  code: 'port-reserved',
  winner: null,
  detail: 'the load balancer, the janitor or the agent listens there, or --reserve names it',
};

export const EXHAUSTED: Grant = {
  kind: 'held',
  code: 'port-exhausted',
  winner: null,
  detail: 'every port of the range is in use',
};

/** What an explicit claim is told that lost to another contestant. */
export function heldByVerdict(asked: Listen, winner: Contestant): Grant {
  const where = `${formatAddr(winner.listen.addr)}:${winner.listen.port}/${asked.proto}`;
  if (winner.key === null) {
    const detail = `${where} belongs to ${winner.id} in GoBetween, which is not the janitor's`;
    return { kind: 'held', code: 'port-busy', winner: null, detail };
  }
  const detail = `${where} belongs to ${displayPath(winner.key)}`;
  return { kind: 'held', code: 'port-conflict', winner: { key: winner.key, since: winner.since }, detail };
}

function formatAddr(addr: string): string {
  return addr.includes(':') ? `[${addr}]` : addr;
}
