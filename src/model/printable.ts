/**
 * Other people's text inside our sentences. Invariant: what comes out is one line, holds no control character and is
 * short, so a keyword's value can neither forge a log line nor flood a page.
 */

const longest = 80;

/** `text` on one line without control characters, cut to `limit` characters. */
export function printable(text: string, limit = longest): string {
  const clean = text.slice(0, limit + 1).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
  return text.length > limit ? `${clean.slice(0, limit)}…` : clean;
}

/** Why `text` cannot be sent to GoBetween and read back unchanged, or null. Line breaks and tabs count as blanks. */
export function unprintable(text: string): string | null {
  const control = /[^\P{Cc}\t\n\r]/u.exec(text);
  if (control !== null) return `it holds the control character ${printable(control[0])}`;
  return /\p{Cs}/u.test(text) ? 'it holds an invalid character (half of a surrogate pair)' : null;
}
