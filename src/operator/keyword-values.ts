/** The keywords of one service for people: what is written, what it comes to on this node, and where that comes from. */
import { readEnv, readSections } from '../model/env.js';
import { type KeywordName, keywords } from '../model/keywords.js';

export interface KeywordView {
  readonly name: string;
  /** As written, without a scope; empty when it is written for scopes only, or not at all. */
  readonly written: string;
  /** What it comes to on this node; null: absent here. */
  readonly value: string | null;
  /** config: as written. reference: from another value. scope: written for some nodes. default: not written. unknown: no keyword. */
  readonly origin: 'config' | 'reference' | 'scope' | 'default' | 'unknown';
}

/** Every keyword that is written, known or not; then, of those that are not, what holds instead. */
export function keywordViews(raw: string, evaluated: string | null): readonly KeywordView[] {
  const sections = readSections(raw);
  if (sections === null) return [];
  const env = readEnv(sections, evaluated === null ? null : readSections(evaluated));
  const written = env.names
    .filter((name) => name.startsWith('igw_gobtw_'))
    .map((name): KeywordView => {
      const { value, origin, raw: text } = env.get(name);
      if (!(name in keywords)) return { name, written: text, value, origin: 'unknown' };
      return { name, written: text, value, origin: origin === 'raw' ? 'config' : origin };
    });
  const known = new Set(written.map(({ name }) => name));
  const defaults = (Object.keys(keywords) as KeywordName[])
    .filter((name) => !known.has(name) && keywords[name].default !== '')
    .map((name): KeywordView => ({ name, written: '', value: keywords[name].default, origin: 'default' }));
  return [...written, ...defaults];
}
