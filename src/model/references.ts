/** References that the agent left unresolved, `{word}`; JSON is none (opensvc-v2-protocol.md §6). */

/** The first reference in `value`, or null. */
export function leftReference(value: string): string | null {
  return /\{[^{}\s"]+\}/.exec(value)?.[0] ?? null;
}

/** True where the raw text is an expression that the agent evaluates: a reference or `$(…)`. */
export function isExpression(value: string): boolean {
  return leftReference(value) !== null || value.includes('$(');
}
