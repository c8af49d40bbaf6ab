/**
 * Blanks what must not leave the machine with a support bundle: what health checks send, expect and run, and whatever is
 * called a secret, wherever it stands: as a field, as a keyword, as a difference, or inside a server's JSON. Invariant: what
 * cannot be looked into is blanked whole.
 */
const sensitive = /probe_(send|recv)$|exec_command|password|secret|token|private/i;
const blanked = '***';

/** For JSON.stringify. */
export function blank(name: string, value: unknown): unknown {
  if (sensitive.test(name)) return isEmpty(value) ? value : blanked;
  if ((name === 'desired' || name === 'observed') && typeof value === 'string') return blankJson(value);
  if (isRecord(value)) return blankTold(value);
  return value;
}

/** What says by one of its fields what the others are: a keyword's value, or a field that differs. */
function blankTold(value: Readonly<Record<string, unknown>>): unknown {
  const { name, field } = value;
  if ('written' in value && typeof name === 'string' && sensitive.test(name))
    return { ...value, written: blanked, value: blanked };
  if ('before' in value && typeof field === 'string' && sensitive.test(field))
    return { ...value, before: blanked, after: blanked };
  return value;
}

function blankJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), blank);
  } catch {
    return blanked;
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
