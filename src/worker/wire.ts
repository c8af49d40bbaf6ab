/**
 * What crosses the thread boundary: text and integers, never object trees, for cloning a tree costs main more than the work
 * it saves (DESIGN §5.2). Each pair of functions is one message. Invariant: decoding what was encoded gives an equal value,
 * and what is equal in a batch (the body text of services that set the same keywords) crosses once.
 */
import type { ServiceKey } from '../model/service.js';
import type { BodyText, Compiled, ServerTemplate } from '../model/spec.js';
import type { CompileInput } from './compile.js';
import type { Known, News } from './news.js';
import type { RenderJob } from './render.js';

/** Texts one after the other, and the length of each; -1: null. */
export interface Texts {
  readonly text: string;
  readonly lengths: Int32Array;
}

function joinTexts(texts: readonly (string | null)[]): Texts {
  return {
    text: texts.join(''),
    lengths: Int32Array.from(texts, (text) => text?.length ?? -1),
  };
}

function splitTexts({ text, lengths }: Texts): (string | null)[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    if (length < 0) return null;
    at += length;
    return text.slice(at - length, at);
  });
}

/** Raw configs hold quotes in plenty: as JSON they would have to be escaped, so they travel as they are. */
export function encodeInputs(inputs: readonly CompileInput[]): Texts {
  return joinTexts(
    inputs.flatMap(({ key, raw, evaluated, loop, slave }) => [key, raw, evaluated, loop, slave ? '1' : '0']),
  );
}

export function decodeInputs(texts: Texts): readonly CompileInput[] {
  const fields = splitTexts(texts);
  const inputs: CompileInput[] = [];
  for (let at = 0; at < fields.length; at += 5) {
    const [key, raw, evaluated = null, loop = null, slave] = fields.slice(at, at + 5);
    inputs.push({ key: key as ServiceKey, raw: raw ?? '', evaluated, loop, slave: slave === '1' });
  }
  return inputs;
}

type PackedTemplate = Omit<ServerTemplate, 'key' | 'clusterName' | 'tcp' | 'udp'> & {
  readonly key: undefined;
  readonly clusterName: undefined;
  /** Positions in the batch's body texts; null: no such words. */
  readonly tcp: number | null;
  readonly udp: number | null;
};
type PackedCompiled = Omit<Compiled, 'key' | 'template'> & {
  readonly key: undefined;
  readonly template: PackedTemplate | null;
};

/** As text, of a batch compiled for one cluster; keys stay where they are. */
export function encodeCompiled(batch: readonly Compiled[]): string {
  const texts = createTable<BodyText>((text) => text.join('\0'));
  const place = (text: BodyText | null): number | null => (text === null ? null : texts.place(text));
  const known = { key: undefined, clusterName: undefined }; // JSON leaves out what is undefined
  const packed = batch.map(({ template, ...rest }): PackedCompiled => {
    if (template === null) return { ...rest, key: undefined, template };
    const { tcp, udp } = template;
    return { ...rest, key: undefined, template: { ...template, ...known, tcp: place(tcp), udp: place(udp) } };
  });
  return JSON.stringify({ texts: texts.all, packed });
}

export function decodeCompiled(
  text: string,
  inputs: readonly CompileInput[],
  clusterName: string,
): readonly Compiled[] {
  const { texts, packed } = JSON.parse(text) as {
    readonly texts: readonly BodyText[];
    readonly packed: readonly PackedCompiled[];
  };
  const textAt = (place: number | null): BodyText | null => (place === null ? null : (texts[place] ?? null));
  return packed.map(({ template, ...rest }, at) => {
    const key = inputs[at]?.key ?? ('' as ServiceKey);
    if (template === null) return { ...rest, key, template };
    const { tcp, udp } = template;
    return {
      ...rest,
      key,
      template: { ...template, key, clusterName, tcp: textAt(tcp), udp: textAt(udp) },
    };
  });
}

type PackedJob = readonly [text: number, bind: string, lookupServer: string, pattern: string];

export function encodeJobs(jobs: readonly RenderJob[]): string {
  const texts = createTable<BodyText>((text) => text.join('\0'));
  const packed = jobs.map(({ text, bind, lookupServer, pattern }): PackedJob => {
    return [texts.place(text), bind, lookupServer, pattern];
  });
  return JSON.stringify({ texts: texts.all, packed });
}

export function decodeJobs(text: string): readonly RenderJob[] {
  const { texts, packed } = JSON.parse(text) as {
    readonly texts: readonly BodyText[];
    readonly packed: readonly PackedJob[];
  };
  return packed.map(([place, bind, lookupServer, pattern]) => {
    const body = texts[place];
    if (body === undefined) throw new Error(`no body text ${place}`);
    return { text: body, bind, lookupServer, pattern, expected: null };
  });
}

/** A name with a NUL, which only a foreign server can have, would cut the text: such a server counts as changed each time. */
export function encodeKnown(known: readonly Known[]): string {
  return known.map(({ name, digest }) => (name.includes('\0') ? '\0' : `${name}\0${digest}`)).join('\0');
}

export function decodeKnown(text: string): readonly Known[] {
  const fields = text === '' ? [] : text.split('\0');
  const known: Known[] = [];
  for (let at = 0; at < fields.length; at += 2)
    known.push({ name: fields[at] ?? '', digest: fields[at + 1] ?? '' });
  return known;
}

/** Shared, so that 24 MB at a start need no copy; in parts that main parses without holding anybody up. */
export interface PackedNews {
  readonly same: Uint8Array;
  readonly changed: SharedArrayBuffer;
  /** Where each part ends. */
  readonly ends: Int32Array;
}

/** About 1 ms of parsing. */
const partLength = 128 * 1024;

export function encodeNews({ same, changed }: News<unknown>): PackedNews {
  const parts: Buffer[] = [];
  let items: string[] = [];
  let length = 0;
  const cut = (): void => {
    if (items.length > 0) parts.push(Buffer.from(`[${items.join()}]`));
    items = [];
    length = 0;
  };
  for (const item of changed) {
    const text = JSON.stringify(item);
    length += text.length;
    items.push(text);
    if (length >= partLength) cut();
  }
  cut();
  const shared = new SharedArrayBuffer(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  const ends = parts.map((part) => {
    new Uint8Array(shared, at, part.length).set(part);
    at += part.length;
    return at;
  });
  return { same, changed: shared, ends: Int32Array.from(ends) };
}

/** The changed items part by part. */
export function* decodeNews<T>({ changed, ends }: PackedNews): Iterable<readonly T[]> {
  const text = Buffer.from(changed);
  let from = 0;
  for (const end of ends) {
    yield JSON.parse(text.toString('utf8', from, end)) as readonly T[];
    from = end;
  }
}

function createTable<T>(nameOf: (value: T) => string) {
  const places = new Map<string, number>();
  const all: T[] = [];
  return {
    all,
    place(value: T): number {
      const name = nameOf(value);
      const known = places.get(name);
      if (known !== undefined) return known;
      places.set(name, all.length);
      return all.push(value) - 1;
    },
  };
}
