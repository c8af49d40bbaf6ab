/**
 * Frames of the v2.1 event stream → hints. Pure. A frame is a `patch` (absolute paths into daemon_status, cut at any
 * prefix, possibly holding integers) or an `event`. The 2.0 shape (paths below one node) is understood too. Invariant: a
 * frame that `mayMatter` rejects has no hint in it; most frames are the agent's own counters and are never parsed.
 * Source: reference/opensvc-v2-protocol.md §4.
 */
import type { ServiceKey } from '../model/service.js';
import { asObject, isDeleting, isSlave, objectAt, serviceOf } from './lsnr-answers.js';

export type Hint =
  | {
      readonly kind: 'config';
      readonly key: ServiceKey;
      readonly csum: string | null;
      readonly node?: string;
    }
  | { readonly kind: 'membership' }
  | { readonly kind: 'deleting'; readonly key: ServiceKey };

export interface FrameContent {
  /** Present on patches of 2.1: one counter per daemon, contiguous. */
  readonly id: number | null;
  readonly hints: readonly Hint[];
  /** The stream itself was refused: an answer with `error`. */
  readonly refused: boolean;
}

const string = String.raw`"(?:[^"\\]|\\.)*"`;
const sep = String.raw`,\s*`;
const step = (...names: readonly string[]): string => names.map((name) => `"${name}"`).join(sep);
const oneOf = (...names: readonly string[]): string => `"(?:${names.join('|')})"`;

// Subtrees where no change at any depth says anything to us. A path that stops above them is not in the list, so a node
// that joins ([["monitor","nodes","m2"]]) stays suspicious.
const irrelevantPaths = [
  oneOf('listener', 'scheduler', 'collector', 'dns', 'hb#[^"]*'),
  step('monitor') + sep + oneOf('transitions', 'compat', 'frozen'),
  step('monitor', 'nodes') +
    sep +
    string +
    sep +
    oneOf('stats', 'gen', 'updated', 'frozen', 'labels', 'locks', 'env'),
  step('monitor', 'nodes') +
    sep +
    string +
    sep +
    step('monitor') +
    sep +
    oneOf('status_updated', 'global_expect_updated'),
  step('monitor', 'services') +
    sep +
    string +
    sep +
    oneOf('avail', 'frozen', 'overall', 'placement', 'provisioned'),
  ...[step('monitor', 'nodes') + sep + string + sep, ''].flatMap((base) => {
    const status = base + step('services', 'status') + sep + string + sep;
    return [
      base + step('services', 'config') + sep + string + sep + oneOf('updated'),
      status +
        oneOf(
          'updated',
          'csum',
          'avail',
          'overall',
          'optional',
          'frozen',
          'provisioned',
          'resources',
          'status_group',
        ),
      status +
        step('monitor') +
        sep +
        oneOf(
          'status',
          'status_updated',
          'placement',
          'global_expect_updated',
          'local_expect',
          'local_expect_updated',
        ),
    ];
  }),
];
const suspicious = new RegExp(String.raw`\[\s*\[\s*(?!\[|\s|(?:${irrelevantPaths.join('|')})\s*[,\]])`);
const patchHead = /^\s*\{\s*"kind":\s*"patch",\s*"id":\s*(\d+)\s*,/;

/**
 * One frame's text (latin1 or utf8) → its id and its hints; undefined when it is not JSON. Suspicious by default: what is
 * not known to be irrelevant is parsed.
 */
export function readFrame(text: string): FrameContent | undefined {
  const id = patchHead.exec(text)?.[1];
  if (id !== undefined && !mayMatter(text)) return { id: Number(id), hints: [], refused: false };
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { kind, id: counter, data, error } = asObject(frame) ?? {};
  return {
    id: typeof counter === 'number' ? counter : null,
    hints: kind === 'event' ? eventHints(data) : patchHints(data),
    refused: typeof error === 'string',
  };
}

/** Whether a patch's text can hold a change that concerns us. */
export function mayMatter(text: string): boolean {
  return suspicious.test(text);
}

function eventHints(data: unknown): readonly Hint[] {
  const { id, reason, path } = asObject(data) ?? {};
  if (id !== 'instance_delete' || reason !== 'target' || typeof path !== 'string') return [];
  const key = serviceOf(path);
  return key === undefined ? [] : [{ kind: 'deleting', key }];
}

function patchHints(data: unknown): readonly Hint[] {
  if (!Array.isArray(data)) return [];
  const hints: Hint[] = [];
  for (const change of data as readonly unknown[]) {
    const [path, value] = Array.isArray(change) ? (change as readonly unknown[]) : [];
    if (!Array.isArray(path)) continue;
    // One by one: a node that joins may bring more than a call takes arguments.
    for (const hint of changeHints(path.map(nameOf), value)) hints.push(hint);
  }
  return hints;
}

/** A name or an index; what is neither (it may nest without end) matches nothing. */
function nameOf(part: unknown): string {
  return typeof part === 'string' || typeof part === 'number' ? String(part) : '';
}

const membership: Hint = { kind: 'membership' };

/** `value` is undefined for a delete. */
function changeHints(path: readonly string[], value: unknown): readonly Hint[] {
  const [first, second, third] = path;
  if (first === 'services') return instanceHints(path.slice(1), value, undefined);
  if (first === 'cluster') return [membership];
  if (first !== undefined && first !== 'monitor') return [];
  if (second === 'services') return aggregateHints(path.slice(2), value);
  if (second !== undefined && second !== 'nodes') return [];
  if (path.length <= 3) return [...subtreeHints(objectAt(value, 'services'), third), membership];
  if (path[3] === 'services') return instanceHints(path.slice(4), value, third);
  if (path[3] !== 'monitor') return [];
  return path.length === 4 || path[4] === 'status' ? [membership] : [];
}

/** `rest` is the path below `monitor.services`. */
function aggregateHints(rest: readonly string[], value: unknown): readonly Hint[] {
  const [path, leaf] = rest;
  if (path === undefined) return [membership];
  if (serviceOf(path) === undefined) return [];
  if (leaf === undefined) return value === undefined || isSlave(value) ? [membership] : [];
  return leaf === 'scaler_slave' ? [membership] : [];
}

/** `rest` is the path below one node's `services`. */
function instanceHints(rest: readonly string[], value: unknown, node: string | undefined): readonly Hint[] {
  const [map, path, ...leaf] = rest;
  if (map === undefined) return [...subtreeHints(asObject(value) ?? {}, node), membership];
  if (map !== 'config' && map !== 'status') return [];
  if (path === undefined) return [...subtreeHints({ [map]: value }, node), membership];
  if (map === 'config' && path === 'cluster')
    return leaf.length === 0 || leaf[0] === 'csum' ? [membership] : [];
  const key = serviceOf(path);
  if (key === undefined) return [];
  return map === 'config' ? configHints(key, leaf, value, node) : statusHints(key, leaf, value);
}

/** A whole `services` of one node appeared or changed: what it holds. */
function subtreeHints(services: unknown, node: string | undefined): readonly Hint[] {
  const hints: Hint[] = [];
  for (const [path, config] of Object.entries(objectAt(services, 'config'))) {
    const key = serviceOf(path);
    if (key !== undefined) hints.push(configHint(key, asObject(config)?.csum, node));
  }
  for (const [path, status] of Object.entries(objectAt(services, 'status'))) {
    const key = serviceOf(path);
    if (key !== undefined && isDeleting(objectAt(status, 'monitor').global_expect))
      hints.push({ kind: 'deleting', key });
  }
  return hints;
}

function configHint(key: ServiceKey, csum: unknown, node: string | undefined): Hint {
  const hint = { kind: 'config', key, csum: typeof csum === 'string' ? csum : null } as const;
  return node === undefined ? hint : { ...hint, node };
}

function configHints(
  key: ServiceKey,
  leaf: readonly string[],
  value: unknown,
  node: string | undefined,
): readonly Hint[] {
  if (leaf.length === 0) {
    return value === undefined ? [membership] : [configHint(key, asObject(value)?.csum, node), membership];
  }
  if (leaf[0] === 'csum') return [configHint(key, value, node)];
  return leaf[0] === 'scope' ? [membership] : [];
}

function statusHints(key: ServiceKey, leaf: readonly string[], value: unknown): readonly Hint[] {
  const expect =
    leaf.length === 0
      ? objectAt(value, 'monitor').global_expect
      : leaf[0] === 'monitor' && leaf.length === 1
        ? asObject(value)?.global_expect
        : leaf[0] === 'monitor' && leaf[1] === 'global_expect'
          ? value
          : undefined;
  const deleting: readonly Hint[] = isDeleting(expect) ? [{ kind: 'deleting', key }] : [];
  const listAgain = leaf.length === 0 ? value === undefined || isSlave(value) : leaf[0] === 'scaler_slave';
  return listAgain ? [...deleting, membership] : deleting;
}
