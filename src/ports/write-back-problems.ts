/** What the owner of a service reads when its allocated ports are not written into its config (SPEC §5). */
import type { Problem, ProblemCode } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';

/** Allocated words by their text, and the listener each was given. */
export type Fills = ReadonlyMap<string, { readonly addr: string; readonly port: number }>;

const KEEPS = 'the listeners keep serving on their allocated ports';

export function notWrittenBack(key: ServiceKey, fills: Fills, origin: 'reference' | 'scope'): Problem {
  const from = origin === 'reference' ? 'a reference' : 'a scope';
  return problem('not-written-back', key, fills, {
    message: `its value comes from ${from}, which is not rewritten`,
    mend: `write ${show(fills)} where the value comes from, or keep the port with --state-dir`,
  });
}

export function writeBackReverted(key: ServiceKey, fills: Fills): Problem {
  return problem('write-back-reverted', key, fills, {
    message:
      'the allocated port was written three times in ten minutes and removed each time; writing stops for an hour',
    mend: `let ${show(fills)} stand in igw_gobtw_bind, or start the janitor with --write-back off`,
  });
}

export function writeBackFailed(key: ServiceKey, fills: Fills, reason: string): Problem {
  return problem('write-back-failed', key, fills, {
    message: `the allocated port could not be written into the service's config: ${reason}`,
    mend: `see why the agent refuses, or write ${show(fills)} into igw_gobtw_bind`,
  });
}

function problem(
  code: ProblemCode,
  key: ServiceKey,
  fills: Fills,
  text: { readonly message: string; readonly mend: string },
): Problem {
  const place = `igw_gobtw_bind ${[...fills.keys()].join(' ')}`;
  return { code, severity: 'warning', key, place, keeps: KEEPS, ...text };
}

function show(fills: Fills): string {
  return [...fills]
    .map(([word, { addr, port }]) => {
      const dash = word.indexOf('-');
      const left = dash < 0 ? word : word.slice(0, dash);
      return `${left}-${addr.includes(':') ? `[${addr}]` : addr}:${port}`;
    })
    .join(' ');
}
