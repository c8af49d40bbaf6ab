/** TOML as BurntSushi 0.3.1 writes it, which is what GET /dump answers by default. Source: contract 01, 07. */
import type { Plain, PlainObject } from './json-encode.js';

/** A document of top-level tables. */
export function encodeToml(document: PlainObject): string {
  const tables = Object.entries(document).flatMap(([key, value]) =>
    isTable(value) ? [table([key], value, '').join('\n')] : [],
  );
  return `${tables.join('\n\n')}\n`;
}

const isTable = (value: Plain | undefined): value is PlainObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function table(path: readonly string[], value: PlainObject, indent: string): string[] {
  const lines = [`${indent}[${path.map(bareOrQuoted).join('.')}]`];
  const inner = `${indent}  `;
  const entries = Object.entries(value);
  for (const [key, item] of entries) {
    if (item === null || item === undefined || isTable(item)) continue;
    lines.push(`${inner}${bareOrQuoted(key)} = ${scalar(item)}`);
  }
  for (const [key, item] of entries) if (isTable(item)) lines.push(...table([...path, key], item, inner));
  return lines;
}

const bareOrQuoted = (key: string): string =>
  /^[A-Za-z0-9_-]+$/.test(key) ? key : `"${key.replaceAll('"', '\\"')}"`;

function scalar(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(scalar).join(', ')}]`;
  if (typeof value === 'object') return '';
  if (typeof value !== 'string') return String(value);
  const escapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '"': '\\"' };
  return `"${value.replace(/[\t\n\r"\\]/g, (c) => escapes[c] ?? '\\\\')}"`;
}
