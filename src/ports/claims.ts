/** From a compiled service to the ports it asks for, and from a refused claim to what its owner reads. Source: SPEC §5. */
import type { Problem } from '../model/problem.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { Compiled, Word } from '../model/spec.js';
import type { Claim, Grant } from './arbiter.js';

export interface WordClaim extends Claim {
  readonly word: Word;
}

/** The claims of one service; a spoiled or unserved service claims too, so that every gateway chooses alike. */
export function claimsOf(compiled: Compiled): readonly WordClaim[] {
  if (compiled.verdict === 'slave' || compiled.verdict === 'unbound') return [];
  return compiled.words.map((word) => ({
    id: [compiled.key, word.proto, word.port, word.addr, word.listen ?? '*'].join('|'),
    key: compiled.key,
    served: compiled.verdict !== 'elsewhere',
    proto: word.proto,
    label: word.port,
    addr: word.addr,
    listen: word.listen,
    wordText: word.text,
    word,
  }));
}
