/**
 * One service's `[env]` section as compile reads it: the evaluated value where the agent gave one, and where the value
 * comes from. Invariant: text in, text out; whatever JSON another program sends, nothing here throws.
 */
import type { Sections } from './expose.js';
import { isRecord } from './gobetween-fields.js';
import { jsonText } from './json-text.js';
import { isExpression } from './references.js';

export interface EnvValue {
  /** The value for this node; null when the keyword is absent here. */
  readonly value: string | null;
  readonly origin: 'raw' | 'reference' | 'scope';
  /** The unscoped text as written; empty when there is none. */
  readonly raw: string;
  /** True when some text it may come from is an expression, so that an empty value proves nothing. */
  readonly computed: boolean;
  /** True when the value needs an evaluation that was not made. */
  readonly unevaluated: boolean;
}

export interface Env {
  get(name: string): EnvValue;
  /** False when no text anywhere could give the keyword a value. */
  has(name: string): boolean;
  /** Keyword names in use, without their scope. */
  readonly names: readonly string[];
}

/** `{section: {keyword: text}}`, or null when `text` is no such JSON. */
export function readSections(text: string): Sections | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(json)) return null;
  const sections: Record<string, Record<string, string>> = Object.create(null) as Record<
    string,
    Record<string, string>
  >;
  for (const [name, section] of Object.entries(json)) {
    if (!isRecord(section)) continue;
    const values = Object.create(null) as Record<string, string>;
    for (const [keyword, value] of Object.entries(section)) values[keyword] = asText(value);
    sections[name] = values;
  }
  return sections;
}

/** The agent's evaluation may turn a value into a number or a list. */
function asText(value: unknown): string {
  return Array.isArray(value)
    ? value.map((item) => (item === null ? 'null' : jsonText(item))).join(' ')
    : jsonText(value);
}

/** No inherited names either: `constructor` is no keyword. */
const none = Object.create(null) as Readonly<Record<string, string>>;

export function readEnv(raw: Sections, evaluated: Sections | null): Env {
  const written = raw['env'] ?? none;
  const scoped = new Map<string, string[]>();
  for (const [name, value] of Object.entries(written)) {
    const at = name.indexOf('@');
    if (at <= 0) continue;
    const values = scoped.get(name.slice(0, at));
    if (values === undefined) scoped.set(name.slice(0, at), [value]);
    else values.push(value);
  }
  const values = evaluated === null ? null : (evaluated['env'] ?? none);
  return {
    has: (name) => name in written || scoped.has(name) || (values !== null && name in values),
    names: [...new Set(Object.keys(written).map((name) => name.split('@', 1)[0] ?? name))],
    get(name) {
      const text = written[name];
      const scopes = scoped.get(name) ?? [];
      const computed = [text ?? '', ...scopes].some(isExpression);
      const origin = scopes.length > 0 ? 'scope' : computed ? 'reference' : 'raw';
      const shown = values?.[name];
      const unevaluated = shown === undefined && (computed || scopes.length > 0) && evaluated === null;
      // An evaluation without the keyword: no scope of it applies here, unless a text stands for every node.
      return { value: shown ?? text ?? null, origin, raw: text ?? '', computed, unevaluated };
    },
  };
}
