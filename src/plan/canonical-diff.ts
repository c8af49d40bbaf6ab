/** What differs between two servers, field by field, from their canonical JSON. Invariant: equal texts differ in nothing. */

export interface FieldDiff {
  /** Dotted path: `healthcheck.interval`. */
  readonly field: string;
  /** As JSON; null when the field is absent. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Differences in the order of the fields' paths. A text that is no JSON counts as one field, `(content)`. */
export function diffCanonical(before: string, after: string): readonly FieldDiff[] {
  if (before === after) return [];
  const left = leaves(before);
  const right = leaves(after);
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort()
    .map((field) => ({ field, before: left.get(field) ?? null, after: right.get(field) ?? null }))
    .filter((diff) => diff.before !== diff.after);
}

/** A list is one value: its order has a meaning in GoBetween (access rules, ciphers). */
function leaves(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isBranch || Object.keys(value).length === 0) {
      found.set(path === '' ? '(content)' : path, JSON.stringify(value));
      return;
    }
    for (const [name, child] of Object.entries(value)) walk(child, path === '' ? name : `${path}.${name}`);
  };
  try {
    walk(JSON.parse(text), '');
  } catch {
    found.set('(content)', JSON.stringify(text));
  }
  return found;
}
