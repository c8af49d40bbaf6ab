/** Small pieces of Go's standard library whose texts reach the API: strconv quoting, time.ParseDuration. */
import { INVALID_BYTE, decodeUtf8 } from './go-utf8.js';

/** A byte as encoding/json names it in a syntax error. */
export function quoteByte(byte: number): string {
  if (byte === 0x27) return "'\\''";
  if (byte === 0x22) return "'\"'";
  return `'${quoteRune(byte)}'`;
}

const NAMED: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  0x5c: '\\\\',
};

function quoteRune(code: number): string {
  const named = NAMED[code];
  if (named !== undefined) return named;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if ((code >= 0x80 && code <= 0xa0) || code === 0xad) return `\\u${code.toString(16).padStart(4, '0')}`;
  return String.fromCodePoint(code);
}

/** time.quote: how ParseDuration shows its input. Bytes that are not plain ASCII come as \x.. */
function quoteDuration(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte >= 0x7f) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return `"${out}"`;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** 2^63 nanoseconds, in milliseconds. */
const MAX_MS = 2 ** 63 / 1e6;

export type Duration = { readonly ms: number } | { readonly error: string };

/** time.ParseDuration: milliseconds, or Go's error text. */
export function parseDuration(text: string): Duration {
  const invalid = { error: `time: invalid duration ${quoteDuration(text)}` };
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return { ms: 0 };
  if (rest === '') return invalid;
  let ms = 0;
  while (rest !== '') {
    const amount = /^(\d+(?:\.\d*)?|\.\d+)/.exec(rest)?.[0];
    if (amount === undefined) return invalid;
    rest = rest.slice(amount.length);
    const unit = /^[^.0-9]*/.exec(rest)?.[0] ?? '';
    if (unit === '') return { error: `time: missing unit in duration ${quoteDuration(text)}` };
    const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (factor === undefined) {
      return { error: `time: unknown unit ${quoteDuration(unit)} in duration ${quoteDuration(text)}` };
    }
    ms += Number(amount) * factor;
    if (ms > MAX_MS) return invalid;
    rest = rest.slice(unit.length);
  }
  return { ms: sign * ms };
}

/** utils.ParseDurationOrDefault, in milliseconds: the default for "" and for garbage. */
export function durationOr(text: string, defaultMs: number): number {
  if (text === '') return defaultMs;
  const parsed = parseDuration(text);
  return 'ms' in parsed ? parsed.ms : defaultMs;
}

/** time.Duration.String() of a positive duration in milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 1000) return `${trim(ms, 6)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${trim((ms % 60_000) / 1000, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** strconv.Unquote of `"text"`, the quotes put around it by the caller: the value, or null for "invalid syntax". */
export function unquote(text: string): string | null {
  const bytes: Buffer[] = [];
  for (let i = 0; i < text.length; ) {
    const c = String.fromCodePoint(text.codePointAt(i) ?? 0);
    if (c === '"' || c === '\n') return null;
    if (c !== '\\') {
      bytes.push(Buffer.from(c, 'utf8'));
      i += c.length;
      continue;
    }
    const found =
      /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\"]))/.exec(
        text.slice(i),
      );
    if (found === null) return null;
    const [whole, byte, short, long, octal, named] = found;
    if (byte !== undefined || octal !== undefined) {
      const value = byte !== undefined ? Number.parseInt(byte, 16) : Number.parseInt(octal ?? '', 8);
      if (value > 255) return null;
      bytes.push(Buffer.from([value]));
    } else if (named !== undefined) {
      bytes.push(Buffer.from(ESCAPES[named] ?? ''));
    } else {
      const code = Number.parseInt(short ?? long ?? '', 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
      bytes.push(Buffer.from(String.fromCodePoint(code), 'utf8'));
    }
    i += whole.length;
  }
  return decodeUtf8(Buffer.concat(bytes), INVALID_BYTE);
}
