/**
 * A value of JSON as the text it would be in a config. Invariant: never throws, and is empty for nothing but null: a value
 * that cannot be shown, nested so deeply that printing it would overflow the stack, must not look like a removed one.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '[nested too deeply]';
  }
}
