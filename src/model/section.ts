/**
 * A keyword that holds a whole section of GoBetween's config: JSON, or blank-separated `key=value` pairs with shell-like
 * quotes (SPEC §3). This file reads the two shapes into named values and gives each the type its schema wants; which
 * fields there are, and what they may hold, is in sections.ts.
 */
import { isRecord } from './gobetween-fields.js';
import { type Reading, type ReadRules, bad, good } from './keyword-values.js';
import { printable, unprintable } from './printable.js';

/** Reads one field's value, from JSON (any type) or from the text of a pair. */
export type FieldReader = (value: unknown, rules: ReadRules) => Reading<unknown>;

export interface SectionSchema {
  /** A line to write, shown where the shape is wrong. */
  readonly example: string;
  readonly fields: Readonly<Record<string, FieldReader>>;
}

const longestSection = 32 * 1024;

/** The fields that the section sets, typed; fields it does not name are absent. */
export function readSection(
  keyword: string,
  schema: SectionSchema,
  text: string,
  rules: ReadRules,
): Reading<Readonly<Record<string, unknown>>> {
  const line = `write for instance: ${keyword} = ${schema.example}`;
  if (text.length > longestSection)
    return bad(`it is longer than ${longestSection} characters`, 'shorten it');
  const why = unprintable(text);
  if (why !== null) return bad(why, line);
  const pairs = text.startsWith('{') ? readJson(text) : readPairs(text);
  if (typeof pairs === 'string') return bad(pairs, line);
  const result: Record<string, unknown> = {};
  for (const [name, value] of pairs) {
    const field = name.toLowerCase();
    const reader = Object.hasOwn(schema.fields, field) ? schema.fields[field] : undefined;
    if (reader === undefined) {
      return bad(
        `${printable(name, 40)} is none of its fields: ${Object.keys(schema.fields).join(', ')}`,
        line,
      );
    }
    if (Object.hasOwn(result, field)) return bad(`${field} is given twice`, line);
    if (value === null) continue;
    const read = reader(value, rules);
    if (!read.ok) return { ...read, message: `${field}: ${read.message}` };
    result[field] = read.value;
  }
  return good(result);
}

function readJson(text: string): readonly (readonly [string, unknown])[] | string {
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? Object.entries(json) : 'it is JSON, but no object';
  } catch {
    return 'it begins like JSON, but cannot be read as JSON';
  }
}

/** `key=value key="two words"`: quotes as in a shell, a backslash escapes in double quotes and outside of quotes. */
function readPairs(text: string): readonly (readonly [string, string])[] | string {
  const words = readShellWords(text);
  if (words === null) return 'a quote is not closed';
  const pairs: (readonly [string, string])[] = [];
  for (const word of words) {
    const match = /^([A-Za-z_]+)=(.*)$/s.exec(word);
    if (match === null) return `${printable(word, 40)} is no key=value`;
    pairs.push([match[1] ?? '', match[2] ?? '']);
  }
  return pairs;
}

function readShellWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\' && quoted !== "'" && index + 1 < text.length) {
      index += 1;
      word = (word ?? '') + (text[index] ?? '');
    } else if (quoted !== '') {
      if (char === quoted) quoted = '';
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quoted = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quoted !== '') return null;
  return word === null ? words : [...words, word];
}

/** A text field read by a keyword's reader. */
export function textField(read: (text: string, rules: ReadRules) => Reading<unknown>): FieldReader {
  return (value, rules) => {
    if (typeof value === 'number') return read(String(value), rules);
    if (typeof value !== 'string') return bad('it wants a text', 'write a text in quotes');
    return value.trim() === ''
      ? bad('it is empty', 'leave the field out, or give it a value')
      : read(value.trim(), rules);
  };
}

export const boolField: FieldReader = (value) => {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value;
  if (text === true || text === 'true' || text === 'yes' || text === '1') return good(true);
  if (text === false || text === 'false' || text === 'no' || text === '0') return good(false);
  return bad('it is neither true nor false', 'write true or false');
};

/** A list: a JSON list of texts, or one text with commas between. */
export function listField(
  most: number,
  read: (text: string, rules: ReadRules) => Reading<string>,
): FieldReader {
  return (value, rules) => {
    const items: readonly unknown[] =
      typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [null];
    const result: string[] = [];
    for (const item of items) {
      if (typeof item !== 'string')
        return bad('it wants a list of texts', 'write ["one", "two"] in JSON, or one,two');
      if (item.trim() === '') continue;
      const one = read(item.trim(), rules);
      if (!one.ok) return one;
      result.push(one.value);
      if (result.length > most) return bad(`it holds more than ${most} entries`, `keep at most ${most}`);
    }
    return good(result);
  };
}
