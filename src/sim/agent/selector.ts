/**
 * Object selectors, the part that a gateway needs: globs on paths, `+` and `,`, a keyword that exists (`env.k:`), equals
 * or matches, and `$.scaler_slave=true`. Keywords are only known of objects that have a config on this node.
 */
import { splitPath } from '../cluster/object-path.js';

export interface Candidate {
  readonly path: string;
  /** Keywords by `section.keyword`; undefined when this node has no config of it. */
  keyword(name: string): string | undefined;
  status(field: string): unknown;
}

function glob(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`);
}

function matchesPath(candidate: Candidate, pattern: string): boolean {
  const { namespace, kind, name } = splitPath(candidate.path);
  if (pattern === '**') return true;
  const parts = pattern.split('/');
  const [first = '*', second, third] = parts;
  if (parts.length === 1) return kind === 'svc' && glob(first).test(name);
  if (second === '**') return glob(first).test(namespace);
  if (parts.length === 2) return glob(first).test(kind) && glob(second ?? '*').test(name);
  const anyName = third === '**' ? '*' : (third ?? '*');
  return glob(first).test(namespace) && glob(second ?? '*').test(kind) && glob(anyName).test(name);
}

function matchesTerm(candidate: Candidate, term: string): boolean {
  const status = /^\$\.([\w.]+)=(.*)$/.exec(term);
  if (status?.[1] !== undefined) {
    const found = candidate.status(status[1]);
    return found !== undefined && JSON.stringify(found).replaceAll('"', '') === status[2];
  }
  const config = /^([\w#@-]+\.[\w#@.-]+)(:|~=|=)(.*)$/.exec(term);
  if (config?.[1] === undefined) return matchesPath(candidate, term);
  const [, keyword, operator, operand = ''] = config;
  const value = candidate.keyword(keyword ?? '');
  if (value === undefined) return false;
  if (operator === ':') return true;
  return operator === '=' ? value === operand : new RegExp(operand).test(value);
}

/** True when one of the `,` alternatives has all of its `+` terms. An empty selector selects nothing. */
export function selects(selector: string, candidate: Candidate): boolean {
  return selector
    .split(',')
    .some((all) => all !== '' && all.split('+').every((term) => matchesTerm(candidate, term)));
}
