/**
 * JSON as Python's json.dumps writes it: `, ` and `: ` between the parts, everything outside ASCII escaped. Clients that
 * look at bytes before they parse depend on it.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members: string[] = [];
    for (const [key, member] of Object.entries(value)) {
      if (member !== undefined) members.push(`${text(key)}: ${pythonJson(member)}`);
    }
    return `{${members.join(', ')}}`;
  }
  return typeof value === 'string' ? text(value) : JSON.stringify(value ?? null);
}

function text(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
