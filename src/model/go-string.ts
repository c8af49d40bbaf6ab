/**
 * Go string literals (strconv.Quote and Unquote), for probe_send and probe_recv: GoBetween unquotes what is posted and
 * shows the result, so what GET shows must be quoted before it is posted. Source: gobetween-rest.md §2.
 */
const simple: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ['"', '"'],
]);

/**
 * The text that `"<quoted>"` stands for, or null where Go refuses it. Bytes that are no UTF-8 text (`\xff`) are refused
 * too: GET shows every such byte as U+FFFD, so what runs could not be compared with what is wanted.
 */
export function unquote(quoted: string): string | null {
  const bytes: number[] = [];
  for (let index = 0; index < quoted.length; ) {
    const char = String.fromCodePoint(quoted.codePointAt(index) ?? 0);
    index += char.length;
    if (char === '"' || char === '\n') return null;
    if (char !== '\\') {
      bytes.push(...encoder.encode(char));
      continue;
    }
    const escape = readEscape(quoted, index);
    if (escape === null) return null;
    bytes.push(...escape.bytes);
    index = escape.next;
  }
  try {
    return decoder.decode(new Uint8Array(bytes));
  } catch {
    return null;
  }
}

/** `text` such that `unquote(quote(text))` is `text`. */
export function quote(text: string): string {
  return text.replace(/[\\"\p{Cc}]/gu, (char) => {
    if (char === '\\' || char === '"') return `\\${char}`;
    if (char === '\n') return '\\n';
    if (char === '\r') return '\\r';
    if (char === '\t') return '\\t';
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The escape whose letter stands at `index`: its bytes and where it ends. */
function readEscape(
  text: string,
  index: number,
): { readonly bytes: Iterable<number>; readonly next: number } | null {
  const letter = text[index] ?? '';
  const plain = simple.get(letter);
  if (plain !== undefined) return { bytes: encoder.encode(plain), next: index + 1 };
  if (/[0-7]/.test(letter)) {
    const digits = /^[0-7]{3}/.exec(text.slice(index, index + 3))?.[0];
    const value = Number.parseInt(digits ?? '400', 8);
    return value <= 255 ? { bytes: [value], next: index + 3 } : null;
  }
  const length = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  const digits = text.slice(index + 1, index + 1 + length);
  if (length === 0 || digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) return null;
  const value = Number.parseInt(digits, 16);
  if (letter === 'x') return { bytes: [value], next: index + 3 };
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return null;
  return { bytes: encoder.encode(String.fromCodePoint(value)), next: index + 1 + length };
}
