/**
 * What thousands of compiled services have in common, once in memory: services that set the same keywords share the text of
 * their bodies and the list of their fields. Invariant: what comes out is equal to what went in. Results are written out field
 * by field, for what a spread makes has a hidden class of its own each.
 */
import type { BodyText, Compiled, ServerTemplate } from '../model/spec.js';

/** More distinct ones than any cluster has; then it begins anew. */
const maxEntries = 10_000;

export function createIntern(): (compiled: Compiled) => Compiled {
  const bodies = createTable<BodyText>();
  const lists = createTable<readonly string[]>();

  function template(given: ServerTemplate): ServerTemplate {
    const { key, clusterName, lookup, dnsProtocol, pattern, tcp, udp, setFields } = given;
    return {
      key,
      clusterName,
      lookup,
      dnsProtocol,
      pattern,
      tcp: tcp === null ? null : bodies(tcp),
      udp: udp === null ? null : bodies(udp),
      setFields: lists(setFields),
    };
  }

  return (compiled) => ({
    key: compiled.key,
    verdict: compiled.verdict,
    words: compiled.words,
    badWords: compiled.badWords,
    badLabels: compiled.badLabels,
    bindOrigin: compiled.bindOrigin,
    bindText: compiled.bindText,
    template: compiled.template === null ? null : template(compiled.template),
    otherTargets: lists(compiled.otherTargets),
    problems: compiled.problems.length === 0 ? none : compiled.problems,
  });
}

const none: readonly never[] = [];

function createTable<T extends readonly string[]>(): (texts: T) => T {
  const table = new Map<string, T>();
  return (texts) => {
    const name = texts.join('\0');
    const known = table.get(name);
    if (known !== undefined) return known;
    if (table.size >= maxEntries) table.clear();
    table.set(name, texts);
    return texts;
  };
}
