/**
 * The one metric that names services: those with a problem in force. Invariant: at most `MAX_NAMED` series whatever happens
 * to the cluster; how many problems are left out is a series of its own.
 */
import type { Problem } from '../model/problem.js';
import { displayPath } from '../model/service.js';
import type { Registrar } from './registrar.js';

const MAX_NAMED = 100;

/** Replaces what was named before; to be called before a scrape with all that is in force. */
export function declareTroubleInfo({ gauge }: Registrar): (problems: Iterable<Problem>) => void {
  const info = gauge(
    'gobtw_janitor_trouble_info',
    'Always 1; services whose words are held, invalid or not taken by GoBetween, 100 at most',
    ['service', 'code'],
  );
  const truncated = gauge(
    'gobtw_janitor_trouble_truncated',
    'Problems of services that gobtw_janitor_trouble_info has no room for',
  );
  truncated.set(0);
  return (problems) => {
    info.reset();
    const named = new Set<string>();
    let left = 0;
    for (const { key, code, severity } of problems) {
      if (key === null || severity !== 'problem') continue;
      const service = displayPath(key);
      const id = `${service}\n${code}`;
      if (named.has(id)) continue;
      if (named.size >= MAX_NAMED) {
        left += 1;
        continue;
      }
      named.add(id);
      info.set({ service, code }, 1);
    }
    truncated.set(left);
  };
}
