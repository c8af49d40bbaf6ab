/**
 * Reads the first JSON value of a body as Go's json.Decoder does: its syntax, its error texts, bytes (not characters),
 * members in order with duplicates kept. Anything after the first value is ignored. Source: encoding/json scanner.go.
 */
import { quoteByte } from './go-strings.js';
import { decodeUtf8 } from './go-utf8.js';

export type JsonNode =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, JsonNode])[] };

/** A syntax error with Go's text. */
export class JsonSyntaxError extends Error {}

const MAX_DEPTH = 10_000;

/** Parses the first value of `body`; throws JsonSyntaxError with the text Go would give. */
export function scanFirstValue(body: Buffer): JsonNode {
  let at = 0;
  let depth = 0;

  const space = (): void => {
    for (let c = body[at]; c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d; c = body[at]) at++;
  };
  const end = (): never => {
    throw new JsonSyntaxError('unexpected EOF');
  };
  const bad = (where: string): never => {
    const byte = body[at];
    if (byte === undefined) return end();
    throw new JsonSyntaxError(`invalid character ${quoteByte(byte)} ${where}`);
  };

  function value(): JsonNode {
    space();
    const c = body[at];
    if (c === 0x7b) return nested(object);
    if (c === 0x5b) return nested(array);
    if (c === 0x22) return { kind: 'string', value: string() };
    if (c === 0x2d || (c !== undefined && c >= 0x30 && c <= 0x39)) return { kind: 'number', text: number() };
    if (c === 0x74) return literal('true', { kind: 'bool', value: true });
    if (c === 0x66) return literal('false', { kind: 'bool', value: false });
    if (c === 0x6e) return literal('null', { kind: 'null' });
    return bad('looking for beginning of value');
  }

  function nested(read: () => JsonNode): JsonNode {
    at++;
    depth++;
    if (depth > MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth');
    const node = read();
    depth--;
    return node;
  }

  function literal(word: string, node: JsonNode): JsonNode {
    for (let i = 1; i < word.length; i++) {
      at++;
      if (body[at] !== word.charCodeAt(i))
        bad(`in literal ${word} (expecting ${quoteByte(word.charCodeAt(i))})`);
    }
    at++;
    return node;
  }

  function object(): JsonNode {
    const members: (readonly [string, JsonNode])[] = [];
    space();
    if (body[at] === 0x7d) {
      at++;
      return { kind: 'object', members };
    }
    for (;;) {
      space();
      if (body[at] !== 0x22) bad('looking for beginning of object key string');
      const key = string();
      space();
      if (body[at] !== 0x3a) bad('after object key');
      at++;
      members.push([key, value()]);
      space();
      if (body[at] === 0x7d) break;
      if (body[at] !== 0x2c) bad('after object key:value pair');
      at++;
    }
    at++;
    return { kind: 'object', members };
  }

  function array(): JsonNode {
    const items: JsonNode[] = [];
    space();
    if (body[at] === 0x5d) {
      at++;
      return { kind: 'array', items };
    }
    for (;;) {
      items.push(value());
      space();
      if (body[at] === 0x5d) break;
      if (body[at] !== 0x2c) bad('after array element');
      at++;
    }
    at++;
    return { kind: 'array', items };
  }

  const digits = (): void => {
    for (let c = body[at]; c !== undefined && c >= 0x30 && c <= 0x39; c = body[at]) at++;
  };
  const digit = (where: string): void => {
    const c = body[at];
    if (c === undefined || c < 0x30 || c > 0x39) bad(where);
  };

  function number(): string {
    const from = at;
    if (body[at] === 0x2d) at++;
    digit('in numeric literal');
    if (body[at] === 0x30) at++;
    else digits();
    if (body[at] === 0x2e) {
      at++;
      digit('after decimal point in numeric literal');
      digits();
    }
    if (body[at] === 0x65 || body[at] === 0x45) {
      at++;
      if (body[at] === 0x2b || body[at] === 0x2d) at++;
      digit('in exponent of numeric literal');
      digits();
    }
    return body.toString('latin1', from, at);
  }

  function string(): string {
    const from = ++at;
    let escaped = false;
    for (;;) {
      const c = body[at];
      if (c === undefined) return end();
      if (c === 0x22) break;
      if (c < 0x20) bad('in string literal');
      if (c === 0x5c) {
        escaped = true;
        escape();
      }
      at++;
    }
    const raw = decodeUtf8(body.subarray(from, at));
    at++;
    return escaped ? unescape(raw) : raw;
  }

  function escape(): void {
    at++;
    const c = body[at];
    if (c === undefined) return end();
    if (c !== 0x75) {
      if (!'bfnrt\\/"'.includes(String.fromCharCode(c))) bad('in string escape code');
      return;
    }
    for (let i = 0; i < 4; i++) {
      at++;
      const hex = body[at];
      if (hex === undefined) return end();
      if (!/[0-9a-fA-F]/.test(String.fromCharCode(hex))) bad('in \\u hexadecimal character escape');
    }
  }

  space();
  if (at >= body.length) throw new JsonSyntaxError('EOF');
  return value();
}

const PLAIN: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescape(raw: string): string {
  const text = raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, hex: string | undefined, c: string) =>
    hex === undefined ? (PLAIN[c] ?? c) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
