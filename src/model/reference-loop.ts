/**
 * What evaluation of a config would do, judged from its raw text: is it needed, and could it run for ever? A reference loop
 * makes a v2.1 agent spin without end (reference/opensvc-v2-protocol.md §6), so the judgement errs on the safe side:
 * scoped variants of a keyword are one node, a reference put together from parts points at everything it could become.
 * Invariant: work is linear in the text, times a small constant; nothing here recurses.
 */
import { jsonText } from './json-text.js';
import { hazardOf, scanReferences } from './reference-text.js';

export type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface ReferenceAnalysis {
  /** An igw_gobtw keyword (or dns_port) has a reference, an expression or a scope. */
  readonly needsEvaluation: boolean;
  /** `env.a -> env.b -> env.a`, or another reason why the agent must not evaluate this config; null when it may. */
  readonly loop: string | null;
}

/** `section.keyword` without scope. */
type Node = string;

/** One value: its length and, per reference in it, the keywords that it may mean. */
interface Value {
  readonly size: number;
  readonly references: readonly (readonly Node[])[];
}

/** Evaluated text beyond this is no configuration. */
const MAX_EVALUATED = 1024 * 1024;
/** References with a computed name, in one config. Each is compared with every keyword. */
const MAX_COMPUTED = 64;
const MAX_SHOWN = 300;

const ownKeyword = /^(?:igw_gobtw_.*|dns_port)$/s;
/** Wider than the agent's own pattern: an evaluation too many costs one request. */
const anyReference = /\{[^{}\s"]+\}|\$\(/;

/** Judges a raw config, `{section: {keyword: text}}`. Source: SPEC §6. */
export function analyseReferences(sections: Sections): ReferenceAnalysis {
  const needsEvaluation = Object.entries(sections.env ?? {}).some(
    ([key, value]) =>
      ownKeyword.test(unscoped(key)) && (key.includes('@') || anyReference.test(jsonText(value))),
  );
  const loop = findHazard(sections);
  return {
    needsEvaluation,
    loop: loop === null || loop.length <= MAX_SHOWN ? loop : `${loop.slice(0, MAX_SHOWN)}…`,
  };
}

const unscoped = (key: string): string => key.split('@', 1)[0] ?? key;

function findHazard(sections: Sections): string | null {
  const graph = new Map<Node, Value[]>();
  for (const [section, keywords] of Object.entries(sections)) {
    for (const key of Object.keys(keywords)) graph.set(`${section}.${unscoped(key)}`, []);
  }
  const nodes = [...graph.keys()];
  const opened = new Set<Node>();
  let computed = 0;
  for (const [section, keywords] of Object.entries(sections)) {
    for (const [key, value] of Object.entries(keywords)) {
      const text = jsonText(value);
      const node = `${section}.${unscoped(key)}`;
      const scan = scanReferences(text);
      const hazard = hazardOf(text, scan);
      if (hazard === 'expression') return `${node} -> $(…)`;
      if (hazard === 'open') opened.add(node);
      computed += scan.references.filter((reference) => reference.includes('*')).length;
      if (computed > MAX_COMPUTED) return `${node} -> (too many references with a computed name)`;
      const references = scan.references.map((reference) => candidates(reference, section, nodes, graph));
      graph.get(node)?.push({ size: text.length, references });
    }
  }
  return findOpened(graph, opened) ?? walk(graph);
}

/** Sections whose keywords are their own: no default in DEFAULT is looked up (core/extconfig.py `_conf_get`). */
const leafSections = new Set(['env', 'labels', 'data', 'DEFAULT']);

/** The keywords that a reference in `section` may mean. `*` in it stands for text that only evaluation knows. */
function candidates(
  reference: string,
  section: string,
  nodes: readonly Node[],
  graph: ReadonlyMap<Node, unknown>,
): readonly Node[] {
  if (reference.includes('*')) {
    const start = reference.slice(0, reference.indexOf('*'));
    const end = reference.slice(reference.lastIndexOf('*') + 1);
    const fits = (name: string): boolean =>
      name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
    return nodes.filter((node) => fits(node) || fits(node.slice(node.indexOf('.') + 1)));
  }
  const dot = reference.indexOf('.');
  const [head, keyword] =
    dot === -1 ? [section, reference] : [reference.slice(0, dot), reference.slice(dot + 1)];
  const meant =
    dot !== -1 && leafSections.has(head) ? [reference] : [`${head}.${keyword}`, `DEFAULT.${keyword}`];
  return [...new Set(meant)].filter((node) => graph.has(node));
}

/** A value with half a reference, which another value inserts: the two halves may meet. */
function findOpened(graph: ReadonlyMap<Node, readonly Value[]>, opened: ReadonlySet<Node>): string | null {
  if (opened.size === 0) return null;
  for (const [node, values] of graph) {
    for (const { references } of values) {
      const half = references.flat().find((target) => opened.has(target));
      if (half !== undefined) return `${node} -> ${half} -> (half a reference)`;
    }
  }
  return null;
}

/** Depth first over the graph with a stack of its own: the first cycle, or the first value that grows without bound. */
function walk(graph: ReadonlyMap<Node, readonly Value[]>): string | null {
  const sizes = new Map<Node, number>();
  for (const root of graph.keys()) {
    if (sizes.has(root)) continue;
    const path: { node: Node; targets: readonly Node[]; next: number }[] = [];
    const onPath = new Set<Node>();
    const enter = (node: Node): void => {
      onPath.add(node);
      path.push({
        node,
        targets: (graph.get(node) ?? []).flatMap(({ references }) => references.flat()),
        next: 0,
      });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.targets[top.next++];
      if (target === undefined) {
        const size = evaluatedSize(graph.get(top.node) ?? [], sizes);
        if (size > MAX_EVALUATED)
          return `${top.node} -> … (more than ${MAX_EVALUATED} characters when evaluated)`;
        sizes.set(top.node, size);
        onPath.delete(top.node);
        path.pop();
      } else if (onPath.has(target)) {
        const from = path.findIndex(({ node }) => node === target);
        return [...path.slice(from).map(({ node }) => node), target].join(' -> ');
      } else if (!sizes.has(target)) enter(target);
    }
  }
  return null;
}

function evaluatedSize(values: readonly Value[], sizes: ReadonlyMap<Node, number>): number {
  let largest = 0;
  for (const { size, references } of values) {
    let sum = 1 + size;
    for (const targets of references) for (const target of targets) sum += sizes.get(target) ?? 0;
    largest = Math.max(largest, sum);
  }
  return largest;
}
