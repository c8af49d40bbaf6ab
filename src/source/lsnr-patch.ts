/**
 * Frames of the v2.1 event stream → hints. Pure. A frame is a `patch` (absolute paths into daemon_status, cut at any
 * prefix, possibly holding integers) or an `event`. The 2.0 shape (paths below one node) is understood too. Which paths
 * say nothing to us is known to lsnr-noise.ts as well: what changes here has to change there.
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

/** One frame's text → its id and its hints; undefined when it is not JSON. */
export function readFrame(text: string): FrameContent | undefined {
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
    // One by one: a node that joins may bring more than a call takes arguments.
    if (Array.isArray(path)) for (const hint of changeHints(path, value)) hints.push(hint);
  }
  return hints;
}

/** As the agent gave it: names, indexes, and whatever a broken agent sends; looked at only where it matters. */
type Path = readonly unknown[];

/** A name or an index; what is neither (it may nest without end) matches nothing. */
function nameOf(part: unknown): string {
  return typeof part === 'string' || typeof part === 'number' ? String(part) : '';
}

const none: readonly Hint[] = [];
const membership: Hint = { kind: 'membership' };
const listAgain: readonly Hint[] = [membership];

/** `value` is undefined for a delete. */
function changeHints(path: Path, value: unknown): readonly Hint[] {
  const [first, second] = path;
  if (first === 'services') return instanceHints(path, 1, value, undefined);
  if (first === 'cluster') return listAgain;
  if (path.length > 0 && first !== 'monitor') return none;
  if (second === 'services') return aggregateHints(path, value);
  if (path.length > 1 && second !== 'nodes') return none;
  const node = path.length > 2 ? nameOf(path[2]) : undefined;
  if (path.length <= 3) return [...subtreeHints(objectAt(value, 'services'), node), membership];
  if (path[3] === 'services') return instanceHints(path, 4, value, node);
  if (path[3] !== 'monitor') return none;
  return path.length === 4 || path[4] === 'status' ? listAgain : none;
}

/** Below `monitor.services`. */
function aggregateHints(path: Path, value: unknown): readonly Hint[] {
  if (path.length === 2) return listAgain;
  const concerns = path.length === 3 ? value === undefined || isSlave(value) : path[3] === 'scaler_slave';
  return concerns && serviceOf(nameOf(path[2])) !== undefined ? listAgain : none;
}

/** From `at` on the path is below one node's `services`: `config` or `status`, the object, and the leaf. */
function instanceHints(path: Path, at: number, value: unknown, node: string | undefined): readonly Hint[] {
  const map = path[at];
  if (path.length === at) return [...subtreeHints(asObject(value) ?? {}, node), membership];
  if (map !== 'config' && map !== 'status') return none;
  if (path.length === at + 1) return [...subtreeHints({ [map]: value }, node), membership];
  const object = nameOf(path[at + 1]);
  const leaf = path.slice(at + 2);
  return map === 'config' ? configHints(object, leaf, value, node) : statusHints(object, leaf, value);
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
  const shown = typeof csum === 'string' ? csum : null;
  return node === undefined
    ? { kind: 'config', key, csum: shown }
    : { kind: 'config', key, csum: shown, node };
}

function configHints(object: string, leaf: Path, value: unknown, node: string | undefined): readonly Hint[] {
  const [first] = leaf;
  if (leaf.length > 0 && first !== 'csum' && first !== 'scope') return none;
  if (object === 'cluster') return first === 'scope' ? none : listAgain;
  const key = serviceOf(object);
  if (key === undefined) return none;
  if (first === 'csum') return [configHint(key, value, node)];
  if (first === 'scope' || value === undefined) return listAgain;
  return [configHint(key, asObject(value)?.csum, node), membership];
}

function statusHints(object: string, leaf: Path, value: unknown): readonly Hint[] {
  const [first, second] = leaf;
  const expect =
    leaf.length === 0
      ? objectAt(value, 'monitor').global_expect
      : first === 'monitor' && leaf.length === 1
        ? asObject(value)?.global_expect
        : first === 'monitor' && second === 'global_expect'
          ? value
          : undefined;
  const listed = leaf.length === 0 ? value === undefined || isSlave(value) : first === 'scaler_slave';
  if (!listed && !isDeleting(expect)) return none;
  const key = serviceOf(object);
  if (key === undefined) return none;
  const deleting: readonly Hint[] = isDeleting(expect) ? [{ kind: 'deleting', key }] : none;
  return listed ? [...deleting, membership] : deleting;
}
