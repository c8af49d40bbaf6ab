/**
 * The one place where a policy forbids writes (SPEC §7). Invariant: in `observe` no request that changes GoBetween
 * leaves, except what ends a replacement whose DELETE had left before; in `upsert-only` no DELETE leaves except as the
 * first half of a replacement.
 */
import type { Answer, Balancer } from './outcome.js';

export type WritePolicy = 'sync' | 'upsert-only' | 'observe';

/** A Balancer whose DELETE says what it is for: a removal, or the first half of a replacement (by `heir`). */
export interface GuardedBalancer extends Balancer {
  remove(name: string, purpose?: 'delete' | 'replace', heir?: string): Promise<Answer<null>>;
}

/** Wraps `balancer`; `policyOf` a server is asked at each call. What it forbids answers `forbidden` without being sent. */
export function createGuardedBalancer(
  balancer: Balancer,
  policyOf: (name: string) => WritePolicy,
): GuardedBalancer {
  /** Servers that the first half of a replacement is owed: their POST passes under any policy. */
  const halfReplaced = new Set<string>();

  return {
    status: () => balancer.status(),
    list: () => balancer.list(),
    get: (name) => balancer.get(name),
    stats: (name) => balancer.stats(name),
    close: () => balancer.close(),

    async create(name, body) {
      const now = policyOf(name);
      if (now === 'observe' && !halfReplaced.has(name)) return forbidden(now);
      const answer = await balancer.create(name, body);
      if (answer.outcome === 'ok' || answer.outcome === 'exists') halfReplaced.delete(name);
      return answer;
    },

    async remove(name, purpose = 'delete', heir = name) {
      const now = policyOf(name);
      if (now === 'observe' || (now === 'upsert-only' && purpose === 'delete')) return forbidden(now);
      if (purpose === 'replace') halfReplaced.add(heir);
      const answer = await balancer.remove(name);
      if (purpose === 'delete' && answer.outcome === 'ok') halfReplaced.delete(name);
      return answer;
    },
  };
}

function forbidden(policy: WritePolicy): Answer<null> {
  return { outcome: 'forbidden', detail: `policy ${policy}` };
}
