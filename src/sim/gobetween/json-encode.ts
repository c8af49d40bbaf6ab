/**
 * Writes JSON as gin's IndentedJSON does: four spaces, struct order, `< > &` and U+2028/9 escaped.
 * Source: reference/gobetween-rest.md §1.
 */
import type { ServerConfig } from './config.js';
import { INVALID_BYTE } from './go-utf8.js';
import { type Field, type GoStruct, type GoValue, SERVER } from './schema.js';

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** A string as Go writes it. */
export function encodeString(text: string): string {
  // eslint-disable-next-line no-control-regex
  const escaped = text.replace(/["\\<>&\u0000-\u001f\u2028\u2029]|\p{Surrogate}/gu, (c) => {
    if (c === INVALID_BYTE) return '\\ufffd';
    return NAMED[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

export type Plain = string | number | bigint | boolean | null | readonly Plain[] | PlainObject;
export interface PlainObject {
  readonly [key: string]: Plain | undefined;
}

/** Any value, objects in the order of their keys (the caller sorts maps); `indent` is the margin it starts at. */
export function encodeIndented(value: Plain, indent = ''): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return encodeString(value);
  if (typeof value !== 'object') return String(value);
  const inner = `${indent}    `;
  const isList = Array.isArray(value);
  const parts = isList
    ? (value as readonly Plain[]).map((item) => inner + encodeIndented(item, inner))
    : Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : [`${inner}${encodeString(key)}: ${encodeIndented(item, inner)}`],
      );
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return parts.length === 0 ? `${open}${close}` : `${open}\n${parts.join(',\n')}\n${indent}${close}`;
}

/** A server configuration as a plain object in Go's field order. */
export function plainServer(config: ServerConfig): PlainObject {
  return plainStruct(config as unknown as GoStruct, SERVER.fields);
}

function plainStruct(value: GoStruct, fields: readonly Field[]): PlainObject {
  const out: Record<string, Plain> = {};
  for (const field of fields) {
    if ('embed' in field) {
      const embedded = value[field.embed];
      if (embedded !== null) Object.assign(out, plainStruct(embedded as GoStruct, field.fields));
      continue;
    }
    const item: GoValue = value[field.key] ?? null;
    if ('struct' in field) {
      out[field.key] = item === null ? null : plainStruct(item as GoStruct, field.struct.fields);
    } else if (!(field.omitEmpty === true && item === '')) {
      out[field.key] = item;
    }
  }
  return out;
}
