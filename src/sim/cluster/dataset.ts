/**
 * The daemon's dataset: one JSON tree, and every change of it as the v2.1 agent journals them. Invariant: replaying the
 * changes in order over an older copy of the tree gives the present tree.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree };

export type Path = readonly (string | number)[];
/** `[path, value]` sets, `[path]` deletes. */
export type Change = readonly [Path, Json] | readonly [Path];

export interface Dataset {
  /** The live tree: read it, never write to it. */
  readonly tree: { readonly [key: string]: Json };
  get(path: Path): Json | undefined;
  /** Makes the value at `path` equal to `value` and journals the differences, the smallest that say so. */
  put(path: Path, value: Json): void;
  /** Journals the whole value even where it equals the present one, as the agent does for some fields. */
  set(path: Path, value: Json): void;
  drop(path: Path): void;
  /** Called once for each change, in order. Returns the unsubscribe function. */
  subscribe(listener: (change: Change) => void): () => void;
}

const isObject = (value: unknown): value is { [key: string]: Tree } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A service may be called `constructor` or `__proto__`: only what a tree itself holds counts. */
function own(tree: { readonly [key: string]: Tree }, key: string): Tree | undefined {
  return Object.hasOwn(tree, key) ? tree[key] : undefined;
}

function assign(tree: { [key: string]: Tree }, key: string, value: Tree): void {
  Object.defineProperty(tree, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The changes that turn `before` into `after`, array deletes in reverse order as the agent writes them. */
function diff(path: Path, before: Json | undefined, after: Json): readonly Change[] {
  if (isObject(before) && isObject(after)) {
    const changes: Change[] = [];
    for (const [key, value] of Object.entries(after))
      changes.push(...diff([...path, key], own(before, key), value));
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) changes.push([[...path, key]]);
    return changes;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, now]: [readonly Json[], readonly Json[]] = [before, after];
    const changes: Change[] = now.flatMap((value, index) => diff([...path, index], old[index], value));
    for (let index = old.length - 1; index >= now.length; index -= 1) changes.push([[...path, index]]);
    return changes;
  }
  return before === after ? [] : [[path, after]];
}

/** Applies one change to a tree, as a client of the stream would. Unknown paths are ignored on delete. */
export function applyChange(tree: { [key: string]: Tree }, change: Change): void {
  const [path, value] = change;
  let parent: Tree = tree;
  for (const part of path.slice(0, -1)) {
    const next: Tree | undefined = Array.isArray(parent)
      ? parent[Number(part)]
      : isObject(parent)
        ? own(parent, String(part))
        : undefined;
    if (next === undefined || next === null || typeof next !== 'object') {
      if (change.length === 1 || !isObject(parent)) return;
      const made: Tree = {};
      assign(parent, String(part), made);
      parent = made;
      continue;
    }
    parent = next;
  }
  const last = path.at(-1);
  if (last === undefined) return;
  if (Array.isArray(parent)) {
    if (change.length === 1) parent.splice(Number(last), 1);
    else parent[Number(last)] = structuredClone(value as Tree);
  } else if (isObject(parent)) {
    if (change.length === 1) Reflect.deleteProperty(parent, String(last));
    else assign(parent, String(last), structuredClone(value as Tree));
  }
}

export function createDataset(initial: { readonly [key: string]: Json }): Dataset {
  const tree = structuredClone(initial) as { [key: string]: Tree };
  const listeners = new Set<(change: Change) => void>();

  function emit(change: Change): void {
    applyChange(tree, change);
    // a copy: what a client was told must not change when the tree does
    const copy = structuredClone(change);
    for (const listener of listeners) listener(copy);
  }

  function get(path: Path): Json | undefined {
    let value: Tree | undefined = tree;
    for (const part of path) {
      if (Array.isArray(value)) value = value[Number(part)];
      else if (isObject(value)) value = own(value, String(part));
      else return undefined;
    }
    return value;
  }

  return {
    tree,
    get,
    put(path, value) {
      for (const change of diff(path, get(path), value)) emit(change);
    },
    set(path, value) {
      emit([path, value]);
    },
    drop(path) {
      if (get(path) !== undefined) emit([path]);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
