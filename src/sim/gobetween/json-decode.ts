/**
 * Decodes a body into a server configuration with the semantics of Go's encoding/json: keys without case, unknown
 * fields ignored, the last duplicate wins (objects merge), null leaves a value alone or empties a pointer, the first
 * type error is reported after all was read. Source: reference/gobetween-rest.md §2; encoding/json decode.go.
 */
import type { ServerConfig } from './config.js';
import { type JsonNode, JsonSyntaxError, scanFirstValue } from './json-scan.js';
import {
  type Embedded,
  type GoStruct,
  type GoValue,
  type Leaf,
  type Nested,
  SERVER,
  type Struct,
  zeroStruct,
} from './schema.js';

export type Decoded = { readonly config: ServerConfig } | { readonly error: string };

/** The body of a POST as a configuration, or the text of the 400 answer. */
export function decodeServer(body: Buffer): Decoded {
  let node: JsonNode;
  try {
    node = scanFirstValue(body);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { error: error.message };
    throw error;
  }
  const config = zeroStruct(SERVER);
  const errors: string[] = [];
  if (node.kind === 'object') {
    intoStruct(node, config, SERVER, [], errors);
  } else if (node.kind !== 'null') {
    errors.push(`json: cannot unmarshal ${node.kind} into Go value of type config.Server`);
  }
  const [first] = errors;
  return first === undefined ? { config: config as unknown as ServerConfig } : { error: first };
}

interface Target {
  readonly owner: Embedded | null;
  readonly field: Leaf | Nested;
}

const targets = new WeakMap<Struct, Map<string, Target>>();

function targetsOf(struct: Struct): Map<string, Target> {
  let found = targets.get(struct);
  if (found === undefined) {
    found = new Map();
    for (const field of struct.fields) {
      if ('embed' in field)
        for (const leaf of field.fields) found.set(leaf.key, { owner: field, field: leaf });
      else found.set(field.key, { owner: null, field });
    }
    targets.set(struct, found);
  }
  return found;
}

/** Go folds ASCII case, and the two letters of Unicode that fold into ASCII. */
function foldKey(key: string): string {
  return key
    .replace(/[A-Z]/g, (c) => c.toLowerCase())
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k');
}

function intoStruct(
  node: JsonNode & { kind: 'object' },
  into: GoStruct,
  struct: Struct,
  path: readonly string[],
  errors: string[],
): void {
  const fields = targetsOf(struct);
  for (const [key, value] of node.members) {
    const target = fields.get(foldKey(key));
    if (target === undefined) continue;
    const { owner, field } = target;
    const where = [...path, ...(owner === null ? [] : [owner.embed]), field.key];
    const mismatch = (what: string, type: string): void => {
      errors.push(
        `json: cannot unmarshal ${what} into Go struct field ${struct.name}.${where.join('.')} of type ${type}`,
      );
    };
    let holder = into;
    if (owner !== null) {
      into[owner.embed] ??= zeroStruct(owner);
      holder = into[owner.embed] as GoStruct;
    }
    if ('struct' in field) intoPointer(value, holder, field, where, errors, mismatch);
    else holder[field.key] = leafValue(value, field, holder[field.key] ?? null, mismatch);
  }
}

function intoPointer(
  value: JsonNode,
  holder: GoStruct,
  field: Nested,
  where: readonly string[],
  errors: string[],
  mismatch: (what: string, type: string) => void,
): void {
  if (value.kind === 'null') {
    holder[field.key] = null;
    return;
  }
  holder[field.key] ??= zeroStruct(field.struct);
  if (value.kind === 'object') intoStruct(value, holder[field.key] as GoStruct, field.struct, where, errors);
  else mismatch(value.kind, `config.${field.struct.name}`);
}

const LIMITS = {
  int: [-(1n << 63n), (1n << 63n) - 1n],
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  uint64: [0n, (1n << 64n) - 1n],
} as const;

function leafValue(
  value: JsonNode,
  leaf: Leaf,
  before: GoValue,
  mismatch: (what: string, type: string) => void,
): GoValue {
  if (value.kind === 'null') return leaf.pointer === true || leaf.type === 'strings' ? null : before;
  switch (leaf.type) {
    case 'string':
      if (value.kind === 'string') return value.value;
      break;
    case 'bool':
      if (value.kind === 'bool') return value.value;
      break;
    case 'strings':
      if (value.kind === 'array') return stringsValue(value.items, before, mismatch);
      mismatch(value.kind, '[]string');
      return before;
    default: {
      if (value.kind !== 'number') break;
      const [least, most] = LIMITS[leaf.type];
      const whole = /^-?\d+$/.test(value.text) && !(leaf.type === 'uint64' && value.text.startsWith('-'));
      const number = whole ? BigInt(value.text) : null;
      if (number !== null && number >= least && number <= most) return number;
      mismatch(`number ${value.text}`, leaf.type);
      return before;
    }
  }
  mismatch(value.kind, leaf.type);
  return before;
}

function stringsValue(
  items: readonly JsonNode[],
  before: GoValue,
  mismatch: (what: string, type: string) => void,
): string[] {
  // Decoding into a list that is already there reuses its elements: a null keeps the old one.
  const old = Array.isArray(before) ? before : [];
  return items.map((item, i) => {
    if (item.kind === 'string') return item.value;
    if (item.kind !== 'null') mismatch(item.kind, 'string');
    return old[i] ?? '';
  });
}
