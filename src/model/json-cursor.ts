/**
 * Walks through the bytes of a large JSON text without building what it stands for: the members of an object one by one,
 * each value to be entered, parsed or skipped. Invariants: each byte is looked at once; nothing of a skipped value is kept;
 * what is not JSON throws a SyntaxError where it is met (inside of what is skipped only brackets and strings are checked).
 * A list of 19 MB so costs a few kilobytes of garbage at a time, instead of a tree of 100 MB.
 */

export interface JsonCursor {
  /** Calls `member` for each member of the object that stands here; it must consume the value. False: another value. */
  object(member: (key: string) => void): boolean;
  /** The value that stands here, parsed. */
  value(): unknown;
  skip(): void;
  /** Nothing but blanks may follow. */
  end(): void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

export function createJsonCursor(bytes: Uint8Array): JsonCursor {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function fault(): never {
    throw new SyntaxError(`no JSON at byte ${at}`);
  }

  function isBlank(byte: number | undefined): boolean {
    return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
  }

  function peek(): number | undefined {
    while (isBlank(text[at])) at += 1;
    return text[at];
  }

  function expect(byte: number): void {
    if (peek() !== byte) fault();
    at += 1;
  }

  /** From its first quote to behind its last. */
  function skipString(): void {
    at += 1;
    for (;;) {
      const byte = text[at];
      if (byte === undefined) fault();
      at += 1;
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) at += 1;
    }
  }

  function skip(): void {
    let depth = 0;
    const first = peek();
    if (first !== OPEN && first !== OPEN_LIST) {
      if (first === QUOTE) skipString();
      else skipScalar();
      return;
    }
    for (;;) {
      const byte = text[at];
      if (byte === undefined) fault();
      if (byte === QUOTE) {
        skipString();
        continue;
      }
      at += 1;
      if (byte === OPEN || byte === OPEN_LIST) depth += 1;
      else if (byte === CLOSE || byte === CLOSE_LIST) {
        depth -= 1;
        if (depth === 0) return;
      }
    }
  }

  /** A number, true, false or null. */
  function skipScalar(): void {
    const from = at;
    for (;;) {
      const byte = text[at];
      if (byte === undefined || byte === COMMA || byte === CLOSE || byte === CLOSE_LIST || isBlank(byte))
        break;
      at += 1;
    }
    if (at === from || !/^(?:true|false|null|-?\d[\d.eE+-]*)$/.test(text.toString('latin1', from, at)))
      fault();
  }

  function value(): unknown {
    peek();
    const from = at;
    skip();
    return JSON.parse(text.toString('utf8', from, at));
  }

  function object(member: (key: string) => void): boolean {
    if (peek() !== OPEN) return false;
    at += 1;
    if (peek() === CLOSE) {
      at += 1;
      return true;
    }
    for (;;) {
      if (peek() !== QUOTE) fault();
      const key = value() as string;
      expect(COLON);
      member(key);
      if (peek() === CLOSE) break;
      expect(COMMA);
    }
    at += 1;
    return true;
  }

  return {
    object,
    value,
    skip,
    end() {
      if (peek() !== undefined) fault();
    },
  };
}
