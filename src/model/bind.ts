/**
 * The value of `igw_gobtw_bind` as words, and what a server listens on. Invariants: the order of words never matters;
 * filling in an allocated port changes nothing else in the user's text; `conflicts` is the one rule for who may listen
 * beside whom (SPEC §3, §4, DESIGN §5.2).
 */
import { canonicalAddress, isWildcard } from './address.js';
import { printable } from './printable.js';
import type { Listen } from './server.js';
import type { Word } from './spec.js';
import { type WordDefaults, parsePort, parseWord } from './word.js';

const maxWords = 64;

interface BindIssue {
  readonly code: 'bad-word' | 'too-many-words' | 'duplicate-word';
  /** The word; empty when it is about the whole value. */
  readonly word: string;
  readonly message: string;
  readonly mend: string;
}

export interface ParsedBind {
  /** Sorted, each claim once. */
  readonly words: readonly Word[];
  readonly issues: readonly BindIssue[];
}

/**
 * Reads a bind value. `explicitTcp` says what to think of a word with an explicit `/tcp` (SPEC §3, protocol udp).
 * More than 64 words: none is taken.
 */
export function parseBind(
  text: string,
  defaults: WordDefaults,
  explicitTcp: 'ok' | { readonly message: string; readonly mend: string } = 'ok',
): ParsedBind {
  const texts = splitWords(text);
  if (texts.length > maxWords) {
    const message = `it holds ${texts.length} words; at most ${maxWords} are served`;
    return {
      words: [],
      issues: [{ code: 'too-many-words', word: '', message, mend: 'spread the ports over several services' }],
    };
  }
  const issues: BindIssue[] = [];
  const words = new Map<string, Word>();
  for (const wordText of [...texts].sort()) {
    const parsed = parseWord(wordText, defaults);
    if (!parsed.ok) {
      issues.push({ code: 'bad-word', word: wordText, message: parsed.message, mend: parsed.mend });
    } else if (explicitTcp !== 'ok' && parsed.protoGiven && parsed.word.proto === 'tcp') {
      issues.push({ code: 'bad-word', word: wordText, ...explicitTcp });
    } else if (words.has(claimOf(parsed.word))) {
      const first = words.get(claimOf(parsed.word)) ?? parsed.word;
      const message = `it asks for the same as ${printable(first.text)}`;
      issues.push({ code: 'duplicate-word', word: wordText, message, mend: 'remove one of the two' });
      if (wordText !== first.text)
        words.set(claimOf(first), { ...first, again: [...(first.again ?? []), wordText] });
    } else {
      words.set(claimOf(parsed.word), parsed.word);
    }
  }
  return { words: [...words.values()].sort(byClaim), issues };
}

/**
 * The bind value with each allocated word that `fills` names (by its text) filled in; `443/tcp` becomes
 * `443/tcp-0.0.0.0:1025`. Nothing else changes, blanks included. Other spellings of a word have to be named too: which
 * ones are the same depends on the service's defaults.
 */
export function fillBind(
  bindText: string,
  fills: ReadonlyMap<string, { readonly addr: string; readonly port: number }>,
): string {
  return bindText.replace(/[^ \t\r\n]+/g, (text) => {
    const fill = fills.get(text);
    if (fill === undefined) return text;
    const parsed = parseWord(text, { addr: '0.0.0.0', proto: 'tcp' });
    if (!parsed.ok || parsed.word.listen !== null) return text;
    const dash = text.indexOf('-');
    return `${dash < 0 ? text : text.slice(0, dash)}-${formatListen(fill.addr, fill.port)}`;
  });
}

/** `0.0.0.0:80`, `[::1]:80`. */
export function formatListen(addr: string, port: number): string {
  return addr.includes(':') ? `[${addr}]:${port}` : `${addr}:${port}`;
}

/**
 * Address and port of a GoBetween `bind` (Go host:port), or null when it names no fixed port. A host name counts as
 * every address, for it may resolve to any; so does an empty one.
 */
export function parseListen(bind: string): { readonly addr: string; readonly port: number } | null {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):0*(\d{1,5})$/.exec(bind);
  if (match === null) return null;
  const port = parsePort(match[3] ?? '');
  if (port === null) return null;
  return { addr: canonicalAddress(match[1] ?? match[2] ?? '') ?? '0.0.0.0', port };
}

/** The very same place; two that are nowhere are the same, too. */
export function sameListen(a: Listen | null, b: Listen | null): boolean {
  if (a === null || b === null) return a === b;
  return a.proto === b.proto && a.port === b.port && a.addr === b.addr;
}

/** True when GoBetween cannot listen on both: one protocol, one port, and one address or a wildcard of either family. */
export function conflicts(a: Listen, b: Listen): boolean {
  if (a.proto !== b.proto || a.port !== b.port) return false;
  if (isWildcard(a.addr) || isWildcard(b.addr)) return true;
  const one = canonicalAddress(a.addr);
  const other = canonicalAddress(b.addr);
  // A host name may resolve to any address.
  return one === null || other === null || one === other;
}

/** The words of a value; blanks are space, tab and line breaks. */
export function splitWords(text: string): readonly string[] {
  return text.split(/[ \t\r\n]+/).filter((word) => word !== '');
}

function claimOf(word: Word): string {
  return `${word.proto}|${word.port}|${word.addr}|${word.listen ?? '*'}`;
}

function byClaim(a: Word, b: Word): number {
  return (
    compare(a.proto, b.proto) ||
    a.port - b.port ||
    compare(a.addr, b.addr) ||
    (a.listen ?? 0) - (b.listen ?? 0)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
