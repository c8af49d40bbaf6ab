/** From a compiled service to the ports it asks for, and from a refused claim to what its owner reads. Source: SPEC §5. */
import { isoTime } from '../clock.js';
import { decodeName } from '../model/name.js';
import type { Problem } from '../model/problem.js';
import type { Desired } from '../model/server.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { Compiled, Word } from '../model/spec.js';
import type { Claim, Grant } from './claim.js';

export interface WordClaim extends Claim {
  readonly word: Word;
}

/**
 * The claims of `words` of one service; a spoiled or unserved service claims too, so that every gateway chooses alike, but
 * as nothing can come of it now, it takes no port from others.
 */
export function claimsOf({ key, verdict }: Compiled, words: readonly Word[]): readonly WordClaim[] {
  if (verdict === 'slave' || verdict === 'unbound') return [];
  return words.map((word) => ({
    id: [key, word.proto, word.port, word.addr, word.listen ?? '*'].join('|'),
    key,
    served: verdict === 'served',
    proto: word.proto,
    label: word.port,
    addr: word.addr,
    listen: word.listen,
    wordText: word.text,
    word,
  }));
}

/** The claim of a server that stays though no word asks for it now; it continues that of the word it was made for. */
export function claimOfKept({ key, name, listen: { proto, addr, port } }: Desired): Claim {
  const label = decodeName(name)?.port ?? port;
  const id = [key, proto, label, addr, port].join('|');
  return { id, key, served: true, proto, label, addr, listen: port, wordText: '' };
}

type Held = Extract<Grant, { kind: 'held' }>;

/** What the owner of a word without a port reads: who has it, since when, and what to write instead. */
export function portProblem(key: ServiceKey, word: Word, grant: Held): Problem {
  const base = {
    key,
    severity: 'problem',
    place: `igw_gobtw_bind ${word.text}`,
    keeps: keepsOf(key),
  } as const;
  const wanted = `${word.proto} port ${word.listen ?? '*'}`;
  switch (grant.code) {
    case 'port-conflict': {
      const winner = grant.winner === null ? 'another service' : displayPath(grant.winner.key);
      const since = grant.winner === null ? '' : ` (since ${isoTime(grant.winner.since)})`;
      return {
        ...base,
        code: grant.code,
        message: `${wanted} is held by ${winner}${since}: ${grant.detail}`,
        mend: `keep one of them: change this word to another port or to ${word.port}/${word.proto} (allocated), or remove it from ${winner}`,
      };
    }
    case 'port-reserved':
      return {
        ...base,
        code: grant.code,
        message: `${wanted} is reserved on this gateway: ${grant.detail}`,
        mend: `ask for another port, or for an allocated one: ${word.port}/${word.proto}`,
      };
    case 'port-exhausted':
      return {
        ...base,
        code: grant.code,
        message: `no port is left to allocate: ${grant.detail}`,
        mend: 'widen --port-range, or remove exposures that nobody uses',
      };
    case 'port-busy':
      return {
        ...base,
        code: grant.code,
        message: `${wanted} is taken by a server or process that is not ours: ${grant.detail}`,
        mend: `free the port on the gateway, or ask for another one`,
      };
  }
}

function keepsOf(key: ServiceKey): string {
  return `the other words of ${displayPath(key)}; this one is served as soon as the port frees`;
}
