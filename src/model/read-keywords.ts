/**
 * The keywords of one service, read by the table. Invariant: a keyword that is absent, or whose value cannot be used, is
 * absent from the result; the latter is reported, and spoils the service (SPEC §3).
 */
import type { Env, EnvValue } from './env.js';
import type { ReadRules, Reading } from './keyword-values.js';
import { type Keyword, type KeywordName, type KeywordValues, keywords } from './keywords.js';
import { printable } from './printable.js';
import { leftReference } from './references.js';
import type { Report } from './report.js';

/** Every keyword that a server is made of; bind and target are read apart. */
export function readKeywords(env: Env, rules: ReadRules, report: Report): KeywordValues {
  const values: Partial<Record<KeywordName, unknown>> = {};
  for (const name of Object.keys(keywords) as KeywordName[]) {
    if (name === 'igw_gobtw_bind' || name === 'igw_gobtw_target_lb' || !env.has(name)) continue;
    const value = readKeyword(name, env, rules, report);
    if (value !== undefined) values[name] = value;
  }
  return values as KeywordValues;
}

/** One keyword's value; undefined when it is absent or wrong (reported). */
export function readKeyword<K extends KeywordName>(
  name: K,
  env: Env,
  rules: ReadRules,
  report: Report,
): KeywordValues[K] | undefined {
  const text = resolve(name, env.get(name), report);
  if (text === null || text === '') return undefined;
  const row = keywords[name] as Keyword<unknown>;
  const read: Reading<unknown> = row.read(text, rules);
  if (!read.ok) {
    const { message, mend } = read;
    report.spoil({
      code: read.code ?? (row.accepts === 'section' ? 'bad-section' : 'bad-keyword'),
      place: name,
      message,
      mend,
    });
    return undefined;
  }
  if (read.warning !== undefined) {
    const { code = 'forced-default', message, mend } = read.warning;
    report.warn({ code, place: name, message, mend });
  }
  return read.value as KeywordValues[K];
}

/** The trimmed text of a keyword, `''` when absent; null when an expression in it did not resolve (reported). */
export function resolve(
  name: string,
  { value, computed, unevaluated }: EnvValue,
  report: Report,
): string | null {
  const text = (value ?? '').trim();
  const left = isPattern(name) ? leftReference(text.replace(/\{\d+(?:,\d*)?\}/g, '')) : leftReference(text);
  if (!unevaluated && left === null && !(computed && text === '')) return text;
  report.spoil({
    code: 'unresolved-reference',
    place: name,
    message: unevaluated
      ? 'its value depends on an evaluation by the agent, which was not made'
      : left === null
        ? 'its value comes from a reference, and is empty'
        : `the reference ${printable(left)} did not resolve`,
    mend: 'correct the reference, or set what it refers to',
  });
  return null;
}

/** Where `{3}` is a count of a regular expression, not a reference. */
function isPattern(name: string): boolean {
  return name === 'igw_gobtw_healthcheck_probe_recv' || name === 'igw_gobtw_healthcheck_probe_send';
}
