/** Problems as text for people: who, what and why, what keeps working, how to mend it, and the stable code (SPEC §3). */
import type { Problem } from '../model/problem.js';
import { displayPath } from '../model/service.js';

/** `web`, or `this gateway` for a problem of no service. */
export function problemOwner(problem: Problem): string {
  return problem.key === null ? 'this gateway' : displayPath(problem.key);
}

/** One line: `web: igw_gobtw_bind 443/tcp-8443: … Meanwhile: … To mend: … [bad-word]`. */
export function problemLine(problem: Problem): string {
  const place = problem.place === '' ? '' : `${problem.place}: `;
  const keeps = problem.keeps === '' ? '' : ` Meanwhile: ${sentence(problem.keeps)}`;
  const mend = problem.mend === '' ? '' : ` To mend: ${sentence(problem.mend)}`;
  return `${problemOwner(problem)}: ${place}${sentence(problem.message)}${keeps}${mend} [${problem.code}]`;
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
