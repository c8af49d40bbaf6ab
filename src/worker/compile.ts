/**
 * From one service's config to what it asks for (SPEC §2, §3). Pure; runs on any thread. Invariant: never throws, and
 * whatever the config holds, what comes out spoils at most this service.
 */
import { type ParsedBind, parseBind } from '../model/bind.js';
import { labelOf } from '../model/word.js';
import { type Env, type EnvValue, readEnv, readSections } from '../model/env.js';
import { type Sections, notExposed, readExpose } from '../model/expose.js';
import { otherTargets, targetsUs } from '../model/gateway-names.js';
import type { ReadRules } from '../model/keyword-values.js';
import { type KeywordValues, keywords } from '../model/keywords.js';
import { unusableName } from '../model/name.js';
import { nearestKeyword } from '../model/nearest-keyword.js';
import { printable } from '../model/printable.js';
import { readKeyword, readKeywords, resolve } from '../model/read-keywords.js';
import { type Report, createReport } from '../model/report.js';
import { type ServiceKey, keyPath } from '../model/service.js';
import type { CompileContext, Compiled, Verdict, Word } from '../model/spec.js';
import { buildTemplate } from '../model/template.js';

export interface CompileInput {
  readonly key: ServiceKey;
  /** JSON `{section: {keyword: value}}` as written. */
  readonly raw: string;
  /** The same, evaluated for this node; null when nothing needed it. */
  readonly evaluated: string | null;
  /** A reference loop in the raw text. */
  readonly loop: string | null;
  /** Scaler slave by the cluster's status. */
  readonly slave: boolean;
}

const bindKeyword = 'igw_gobtw_bind';

export function compile(input: CompileInput, context: CompileContext): Compiled {
  const report = createReport(input.key);
  const blank = {
    key: input.key,
    words: [],
    badWords: false,
    badLabels: [],
    bindOrigin: 'raw',
    bindText: '',
    template: null,
    otherTargets: [],
  } as const;
  const raw = readSections(input.raw);
  const evaluated = input.evaluated === null ? null : readSections(input.evaluated);
  if (input.slave || isSlave(input.key, raw)) return { ...blank, verdict: 'slave', problems: [] };
  if (raw === null || (input.evaluated !== null && evaluated === null)) {
    report.spoil({
      code: 'config-unreadable',
      place: 'the config',
      message: 'what the agent answered is no config in JSON',
      mend: 'look at the config with: om <service> print config',
    });
    return { ...blank, verdict: 'spoiled', badWords: true, badLabels: [null], problems: report.problems() };
  }
  const env = readEnv(raw, evaluated);
  const bind = env.get(bindKeyword);
  const found = { ...blank, bindOrigin: bind.origin, bindText: bind.raw };
  const rules = rulesOf(input.key, context);
  if (isUnbound(bind)) {
    warnUnknownKeywords(env, report);
    return { ...found, verdict: 'unbound', problems: report.problems() };
  }
  reportLoop(input.loop, env, report);
  const targets = readTargets(env, rules, report);
  const elsewhere = targets !== null && !targetsUs(targets, context.gatewayNames);
  const values = readKeywords(env, rules, report);
  const read = readBind(bind, values, context, report);
  const { words } = read;
  const others = otherTargets(targets ?? [], context.gatewayNames);
  if (elsewhere) return { ...found, ...read, verdict: 'elsewhere', otherTargets: others, problems: [] };
  warnUnknownKeywords(env, report);
  const unusable = unusableName(input.key);
  if (unusable !== null) {
    report.spoil({
      code: 'name-unusable',
      place: 'the name',
      message: unusable,
      mend: 'give the service another name',
    });
  }
  warnNotExposed(words, values, raw, context, report);
  const template = buildTemplate(input.key, context.clusterName, values, words, report);
  const verdict: Verdict = template === null ? 'spoiled' : 'served';
  // A loop explains every value that was not evaluated.
  const problems = report
    .problems()
    .filter(({ code }) => input.loop === null || code !== 'unresolved-reference');
  return { ...found, ...read, verdict, template, otherTargets: others, problems };
}

function rulesOf(key: ServiceKey, { allowExec, allowAcme, tlsDir }: CompileContext): ReadRules {
  return { key, allowExec, allowAcme, tlsDir };
}

/** The gateways it names; null when they cannot be known (reported). */
function readTargets(env: Env, rules: ReadRules, report: Report): readonly string[] | null {
  const own = createReport(rules.key);
  const targets = readKeyword('igw_gobtw_target_lb', env, rules, own) ?? [];
  report.take(own);
  return own.spoiled() ? null : targets;
}

/**
 * The flag in the config counts for names that a slave can have only (`0.web`): while a v2.1 agent makes the slaves it writes
 * their flag into its copy of the scaler's own config, and answers with that copy from then on.
 */
function isSlave(key: ServiceKey, raw: Sections | null): boolean {
  if (!/^\d+\./.test(keyPath(key).name)) return false;
  return /^(true|yes|1)$/i.test(raw?.['DEFAULT']?.['scaler_slave'] ?? '');
}

/** An empty value counts as removed, but not one that an expression left empty (SPEC §6). */
function isUnbound(bind: EnvValue): boolean {
  return !bind.unevaluated && (bind.value ?? '').trim() === '' && !bind.computed;
}

function reportLoop(loop: string | null, env: Env, report: Report): void {
  if (loop === null) return;
  const note = {
    code: 'reference-loop',
    place: 'the config',
    message: `its references go in a circle (${printable(loop)}), so the agent was not asked to evaluate it`,
    mend: 'break the circle',
  } as const;
  const touched = Object.keys(keywords).some((name) => env.get(name).unevaluated);
  if (touched) report.spoil(note);
  else report.warn(note);
}

function readBind(
  bind: EnvValue,
  values: KeywordValues,
  context: CompileContext,
  report: Report,
): Pick<Compiled, 'words' | 'badWords' | 'badLabels'> {
  const text = resolve(bindKeyword, bind, report);
  const unknown = { words: [], badWords: true, badLabels: [null] };
  if (text === null) return unknown;
  const plain = keywords[bindKeyword].read(text, rulesOf(report.key, context));
  if (!plain.ok) {
    report.spoilWord({ code: 'bad-word', place: bindKeyword, message: plain.message, mend: plain.mend });
    return unknown;
  }
  const udp = values.igw_gobtw_protocol === 'udp';
  const refused = {
    message: 'its /tcp contradicts igw_gobtw_protocol = udp',
    mend: 'write /udp, or remove igw_gobtw_protocol',
  };
  const parsed = parseBind(
    text,
    { addr: context.defaultAddr, proto: udp ? 'udp' : 'tcp' },
    udp ? refused : 'ok',
  );
  reportIssues(parsed, report);
  const bad = parsed.issues.filter(({ code }) => code !== 'duplicate-word');
  const badLabels = bad.map(({ code, word }) => (code === 'bad-word' ? labelOf(word) : null));
  return { words: parsed.words, badWords: bad.length > 0, badLabels };
}

function reportIssues({ issues }: ParsedBind, report: Report): void {
  for (const { code, word, message, mend } of issues.slice(0, 20)) {
    const note = { code, place: `${bindKeyword} ${printable(word)}`.trim(), message, mend };
    if (code === 'duplicate-word') report.warn(note);
    else report.spoilWord(note);
  }
}

function warnUnknownKeywords(env: Env, report: Report): void {
  const unknown = env.names.filter(
    (name) => name.toLowerCase().startsWith('igw_gobtw') && !Object.hasOwn(keywords, name),
  );
  for (const name of unknown.slice(0, 20)) {
    report.warn({
      code: 'unknown-keyword',
      place: printable(name),
      message: 'there is no such keyword, so it has no effect',
      mend: `did you mean ${nearestKeyword(name)}?`,
    });
  }
}

/** Words that no expose line publishes; only where the record looked up is the agent's own. */
function warnNotExposed(
  words: readonly Word[],
  values: KeywordValues,
  raw: Sections,
  context: CompileContext,
  report: Report,
): void {
  if (values.igw_gobtw_discovery_srv_lookup_pattern !== undefined) return;
  const exposed = readExpose(raw, context.dialect);
  // By what is to be exposed, not by the word's text: a port written back into it changes nothing here.
  const labels = new Map(words.map((word) => [`${word.port}/${word.proto}`, word]));
  for (const [label, word] of labels) {
    const found = notExposed(word, exposed, context.dialect);
    if (found !== null) report.warn({ code: 'not-exposed', place: `${bindKeyword} ${label}`, ...found });
  }
}
