/**
 * Evaluation of a config as the v2.1 agent does it (its core/extconfig.py): scopes for the impersonated node, references,
 * `$(…)`, then the types of the keywords that the agent knows. `{nodename}` is always the answering node. A reference
 * loop has no value: the real agent never answers and burns a core for ever, so it is a verdict of its own here.
 */
import { compute, printComputed } from './arithmetic.js';
import type { Sections } from './ini.js';

export interface EvaluationContext {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly path: string;
  /** The node that answers. */
  readonly node: string;
  /** The node whose scopes count. */
  readonly scopeNode: string;
  readonly clusterName: string;
  readonly clusterId: string;
  readonly clusterNodes: readonly string[];
  readonly dns: readonly string[];
}

export type Value = string | number | boolean | readonly string[];

export type Evaluated =
  | { readonly kind: 'data'; readonly data: Record<string, Record<string, Value>> }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'loop'; readonly keyword: string };

const REFERENCE = /\{\w*[\w#][\w.[\]:/]*\}/;
const OPEN = '@@O1@@';
const CLOSE = '@@C1@@';
/** More rewrites than any sane value needs: the agent would go on for ever. */
const MAX_REWRITES = 1000;

class Loop extends Error {}

const LISTS = /^(nodes|drpnodes|encapnodes|expose|dns|parents|children|slaves|disable_rollback)$/;
const NUMBERS = /^(scale|flex_min|flex_max|flex_target|priority|wipe_on_exit|restart|port)$/;
const BOOLEANS = /^(scaler_slave|disable|check_carrier|optional|monitor|shared|detach|rm|interactive|tty)$/;
const SVC_SECTIONS =
  /^(DEFAULT|env|labels|data|subset#.+|(ip|disk|fs|share|app|container|sync|task|volume|expose|certificate|vhost|route|hashpolicy)(#.*)?)$/;
const CLUSTER_SECTIONS =
  /^(DEFAULT|env|cluster|listener|monitor|cni|(array|network|pool|hb|arbitrator|stonith)(#.*)?)$/;

function typed(section: string, keyword: string, value: string | number): Value {
  if (section === 'env' || typeof value === 'number') return value;
  if (LISTS.test(keyword)) return value.split(/\s+/).filter((word) => word !== '');
  if (NUMBERS.test(keyword) && /^\d+$/.test(value)) return Number(value);
  if (BOOLEANS.test(keyword)) return /^(true|yes|y|1|on)$/i.test(value);
  return value;
}

/** The value of a keyword for a node: `kw@node`, then `kw@nodes`, then `kw`. */
function scoped(section: ReadonlyMap<string, string>, keyword: string, node: string): string | undefined {
  return section.get(`${keyword}@${node}`) ?? section.get(`${keyword}@nodes`) ?? section.get(keyword);
}

/** Evaluates every section, or says why the agent would not. */
export function evaluateConfig(sections: Sections, context: EvaluationContext): Evaluated {
  const known = context.kind === 'ccfg' ? CLUSTER_SECTIONS : SVC_SECTIONS;
  const data: Record<string, Record<string, Value>> = {};
  let current = '';
  try {
    for (const [name, section] of sections) {
      const out: Record<string, Value> = {};
      for (const key of section.keys()) {
        const keyword = key.split('@')[0] ?? key;
        current = `${name}.${keyword}`;
        if (!known.test(name)) throw new Error(`${current} not found in the keywords dictionary`);
        if (keyword in out) continue;
        const value = evaluateKeyword(sections, context, name, keyword, []);
        if (value !== undefined) out[keyword] = typed(name, keyword, value);
      }
      data[name] = out;
    }
  } catch (error) {
    if (error instanceof Loop) return { kind: 'loop', keyword: current };
    return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
  }
  return { kind: 'data', data };
}

function evaluateKeyword(
  sections: Sections,
  context: EvaluationContext,
  section: string,
  keyword: string,
  stack: readonly string[],
): string | number | undefined {
  const id = `${section}.${keyword}`;
  if (stack.includes(id)) throw new Loop(id);
  const text = scoped(sections.get(section) ?? new Map<string, string>(), keyword, context.scopeNode);
  if (text === undefined) return undefined;
  const follow = (value: string): string => references(sections, context, section, value, [...stack, id]);
  const computed = expressions(follow(text));
  return typeof computed === 'number' ? computed : follow(computed);
}

function expressions(text: string): string | number {
  const match = /\$\((.+)\)/s.exec(text);
  if (match?.[1] === undefined) return text;
  const computed = compute(match[1]);
  if (match[0].length === text.length) return computed.value;
  return text.slice(0, match.index) + printComputed(computed) + text.slice(match.index + match[0].length);
}

function references(
  sections: Sections,
  context: EvaluationContext,
  section: string,
  text: string,
  stack: readonly string[],
): string {
  let out = text;
  for (let rewrites = 0; ; rewrites += 1) {
    const match = REFERENCE.exec(out);
    if (match === null) return out.replaceAll(OPEN, '{').replaceAll(CLOSE, '}');
    if (rewrites > MAX_REWRITES) throw new Loop(text);
    const reference = match[0].slice(1, -1);
    const value =
      resolveReference(sections, context, section, reference, stack) ?? `${OPEN}${reference}${CLOSE}`;
    out = out.slice(0, match.index) + value + out.slice(match.index + match[0].length);
  }
}

/** The value of one reference, modifiers included; undefined leaves it as it is written. */
function resolveReference(
  sections: Sections,
  context: EvaluationContext,
  section: string,
  reference: string,
  stack: readonly string[],
): string | undefined {
  const parts = /^(#?)(upper:|lower:)?(.*?)(?:\[(\d+)\])?$/.exec(reference);
  const [, length = '', modifier, name = '', index] = parts ?? [];
  let value = hardcoded(name, context) ?? keywordReference(sections, context, section, name, stack);
  if (value === undefined) return undefined;
  const words = value.split(/\s+/).filter((word) => word !== '');
  if (length === '#') value = String(words.length);
  else if (index !== undefined) value = words[Number(index)];
  if (modifier === 'upper:') return value?.toUpperCase();
  return modifier === 'lower:' ? value?.toLowerCase() : value;
}

function keywordReference(
  sections: Sections,
  context: EvaluationContext,
  section: string,
  name: string,
  stack: readonly string[],
): string | undefined {
  const dot = name.indexOf('.');
  const candidates: readonly (readonly [string, string])[] =
    dot >= 0
      ? [[name.slice(0, dot), name.slice(dot + 1)]]
      : [
          [section, name],
          ['DEFAULT', name],
        ];
  for (const [where, keyword] of candidates) {
    const value = evaluateKeyword(sections, context, where, keyword, stack);
    if (value !== undefined) return String(value);
  }
  return undefined;
}

function hardcoded(name: string, context: EvaluationContext): string | undefined {
  const shortName = (text: string): string => text.split('.')[0] ?? text;
  switch (name) {
    case 'nodename':
      return context.node;
    case 'short_nodename':
      return shortName(context.node);
    case 'namespace':
      return context.namespace;
    case 'kind':
      return context.kind;
    case 'path':
    case 'svcpath':
      return context.path;
    case 'name':
    case 'svcname':
      return context.name;
    case 'short_name':
    case 'short_svcname':
      return shortName(context.name);
    case 'scaler_name':
    case 'scaler_svcname':
      return context.name.replaceAll(/\d+\./g, '');
    case 'clustername':
      return context.clusterName;
    case 'clusterid':
      return context.clusterId;
    case 'clusternodes':
      return context.clusterNodes.join(' ');
    case 'dns':
      return context.dns.join(' ');
    case 'fqdn':
      return `${context.name}.${context.namespace}.${context.kind}.${context.clusterName}`;
    case 'domain':
      return `${context.namespace}.${context.kind}.${context.clusterName}`;
    default:
      return undefined;
  }
}
