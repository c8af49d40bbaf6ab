/**
 * What in the frames of the v2.1 event stream says nothing to us, told from the bytes: a grammar of frames, spelled as the
 * agent spells JSON. Invariant: what it accepts is JSON, and parsing it would give no hint, for it mirrors lsnr-patch.ts
 * and knows no escapes; what it does not accept may be anything and is parsed. So no hint is missed and no defect goes
 * unseen. Every choice in it is settled by what comes next, so a frame costs time linear in its length.
 * Source: reference/opensvc-v2-protocol.md §4.
 */

const comma = ', ';
const colon = ': ';
const string = String.raw`"[^"\\\x00-\x1f]*"`;
const index = '(?:0|[1-9][0-9]*)';
const number = String.raw`-?${index}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`;
const scalar = `(?:${number}|${string}|null|true|false)`;

/** A comma is followed by another item, anything else by the end: an item is written once, and never a comma too many. */
const items = (item: string, start: string, end: string): string =>
  `(?:${item}(?:${comma}(?=${start})|(?=${end})))*${end}`;
const objectOf = (value: string): string =>
  String.raw`\{${items(string + colon + value, '"', String.raw`\}`)}`;
const list = String.raw`\[${items(scalar, String.raw`[^\]]`, String.raw`\]`)}`;
const valueOf = (inner: string): string => `(?:${scalar}|${objectOf(inner)}|${list})`;
const flat = valueOf(scalar);
const value = valueOf(valueOf(flat));

const word = (...names: readonly string[]): string => `"(?:${names.join('|')})"`;
const not = (...names: readonly string[]): string => `(?!${word(...names)})${string}`;
const path = (...steps: readonly string[]): string => steps.join(comma);
const oneOf = (...options: readonly string[]): string => `(?:${options.join('|')})`;

/** The rest of a path and, unless something is deleted, the value. */
const anything = String.raw`(?:${comma}(?:${string}|${index}))*\](?:${comma}${value})?`;
const expects = String.raw`"global_expect"\](?:${comma}(?!${word('deleted', 'purged')})${scalar})?`;

/** Below the `services` of one node. */
const instance = oneOf(
  path('"status"', string) +
    comma +
    oneOf(
      not('monitor', 'scaler_slave') + anything,
      path('"monitor"', oneOf(not('global_expect') + anything, expects)),
    ),
  path('"config"', string, not('csum', 'scope')) + anything,
);
const node = oneOf(
  not('services', 'monitor') + anything,
  path('"services"', instance),
  path('"monitor"', not('status')) + anything,
);
const change = String.raw`\[\[${oneOf(
  not('monitor', 'services', 'cluster') + anything,
  path(
    '"monitor"',
    oneOf(
      path('"nodes"', string, node),
      path('"services"', string, not('scaler_slave')) + anything,
      not('nodes', 'services') + anything,
    ),
  ),
  path('"services"', instance),
)}\]`;

const patchHead = '{"kind": "patch", "id": ';
// Stops in front of the first change that may matter; reaches the NUL when there is none.
const patch = new RegExp(
  String.raw`\{"kind": "patch", "id": ${index}, "ts": ${number}, "data": \[` +
    String.raw`(?:${change}(?:${comma}(?=\[)|(?=\])))*(?:\]\}\x00)?`,
  'y',
);
const member = `(?!"id": "instance_delete")${string}${colon}${value}`;
const event = new RegExp(
  String.raw`\{"nodename": ${string}, "ts": ${number}, "kind": "event", "data": \{${items(member, '"', String.raw`\}`)}\}\x00`,
  'y',
);

/**
 * `text`: bytes read as latin1. How far the frame that begins at `at` says nothing to us: behind its NUL; or in front of
 * the first change that may say something; or `at` when nothing is known of it.
 */
export function noiseEnd(text: string, at: number): number {
  const grammar = text.startsWith(patchHead, at) ? patch : event;
  grammar.lastIndex = at;
  return grammar.test(text) ? grammar.lastIndex : at;
}

/** The counter of a frame in which `noiseEnd` got beyond its begin; null for an event, which has none. */
export function noiseId(text: string, at: number): number | null {
  if (!text.startsWith(patchHead, at)) return null;
  const from = at + patchHead.length;
  return Number(text.slice(from, text.indexOf(',', from)));
}

/** Behind the bracket that begins the changes of the patch at `at`: the first one, for nothing in front can hold one. */
export function changesBegin(text: string, at: number): number {
  return text.indexOf('[', at) + 1;
}
