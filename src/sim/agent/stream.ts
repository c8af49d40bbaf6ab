/**
 * The event stream: changes become patches with one counter for the whole daemon, patches become frames, and frames go to
 * the subscribers, with the defects of the v2.1 agent (reference/opensvc-v2-protocol.md §4): held patches, the cut by a
 * long frame or a slow reader, and the subscriber that is forgotten when two earlier ones die between two frames.
 */
import type { Socket } from 'node:net';
import type { Change, Json } from '../cluster/dataset.js';
import { nowSeconds } from '../cluster/status.js';
import type { Flaws } from './flaws.js';
import { pythonJson } from './python-json.js';

interface Subscriber {
  readonly socket: Socket;
  /** Undefined without a selector. */
  readonly matches: ((path: string) => boolean) | undefined;
  closed: boolean;
}

export interface EventStream {
  subscribe(socket: Socket, matches: ((path: string) => boolean) | undefined): void;
  unsubscribe(socket: Socket): void;
  note(changes: readonly Change[]): void;
  sendEvent(event: { readonly [key: string]: Json }): void;
  /** Ends every subscriber's connection, after what is pending. */
  close(): void;
  /** Forgets every subscriber and leaves the sockets open: they never hear anything again. */
  silence(): void;
  /** Leaves out this many ids, as if frames had been lost. */
  skipIds(count: number): void;
  /** Starts again from 1, as after a restart of the daemon, on the same connections. */
  restartIds(): void;
  /** Cuts every subscriber within a frame. */
  cut(): void;
  subscribers(): number;
  /** Patches made so far. */
  lastId(): number;
}

/** The object that a change below `status`, `config` or the aggregates concerns; undefined for every other change. */
function objectOf([path]: Change): string | undefined {
  if (path[0] !== 'monitor') return undefined;
  if (path[1] === 'services') return path[2] === undefined ? undefined : String(path[2]);
  const below = path[3] === 'services' && (path[4] === 'status' || path[4] === 'config');
  return below && path[5] !== undefined ? String(path[5]) : undefined;
}

/** Deletions of whole objects pass every selector. */
function passes(change: Change, matches: (path: string) => boolean): boolean {
  const object = objectOf(change);
  return object === undefined || change.length === 1 || matches(object);
}

/** The frames of one patch: one, or one for each node in the 2.0 form. */
function patchFrames(id: () => number, changes: readonly Change[], old: boolean) {
  const ts = nowSeconds();
  if (!old) return [{ kind: 'patch', id: id(), ts, data: changes }];
  const byNode = new Map<string, Change[]>();
  for (const change of changes) {
    const [path] = change;
    if (path[0] !== 'monitor' || path[1] !== 'nodes' || path.length < 4) continue;
    const node = String(path[2]);
    const short = path.slice(3);
    const list = byNode.get(node) ?? [];
    list.push(change.length === 1 ? [short] : [short, change[1]]);
    byNode.set(node, list);
  }
  return [...byNode].map(([nodename, data]) => ({ kind: 'patch', nodename, id: id(), ts, data }));
}

export function createStream(flaws: Flaws): EventStream {
  let subscribers: Subscriber[] = [];
  let pending: Change[] = [];
  let frames: { readonly [key: string]: unknown }[] = [];
  let id = 0;
  let lastPatch = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function makePatch(): void {
    if (pending.length === 0) return;
    frames.push(...patchFrames(() => ++id, pending, flaws.oldEventPaths));
    pending = [];
    lastPatch = performance.now();
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!flaws.holdPatches) makePatch();
      drain();
    }, flaws.latencyMs);
  }

  function drain(): void {
    const queued = frames;
    frames = [];
    for (const frame of queued) {
      const stale: number[] = [];
      for (const [index, subscriber] of subscribers.entries()) {
        if (subscriber.closed) stale.push(index);
        else send(subscriber, frame);
      }
      // the agent's own mistake: each index is one too far after the first deletion
      for (const index of stale) subscribers.splice(index, 1);
    }
  }

  function send(subscriber: Subscriber, frame: { readonly [key: string]: unknown }): void {
    const { matches, socket } = subscriber;
    let shown = frame;
    if (matches !== undefined) {
      if (frame['kind'] === 'event') return;
      const data = frame['data'] as readonly Change[];
      shown = { ...frame, data: data.filter((change) => passes(change, matches)) };
    }
    const bytes = Buffer.from(`${pythonJson(shown)}\0`, 'latin1');
    const limit = flaws.frameLimitBytes;
    if (limit > 0 && bytes.length + socket.writableLength > limit) {
      end(subscriber, bytes.subarray(0, Math.max(0, limit - socket.writableLength)));
    } else socket.write(bytes);
  }

  function end(subscriber: Subscriber, lastBytes: Buffer): void {
    subscriber.closed = true;
    subscriber.socket.end(lastBytes);
    subscriber.socket.destroySoon();
  }

  return {
    subscribe(socket, matches) {
      subscribers.push({ socket, matches, closed: false });
    },
    unsubscribe(socket) {
      for (const subscriber of subscribers) if (subscriber.socket === socket) subscriber.closed = true;
    },
    note(changes) {
      if (changes.length === 0) return;
      for (const change of changes) pending.push(change);
      if (flaws.holdPatches) {
        if (performance.now() - lastPatch < flaws.holdMs) return;
        makePatch();
      }
      schedule();
    },
    sendEvent(event) {
      frames.push(event);
      schedule();
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      makePatch();
      drain();
      for (const subscriber of subscribers) if (!subscriber.closed) subscriber.socket.destroySoon();
      subscribers = [];
      id = 0;
      lastPatch = Number.NEGATIVE_INFINITY;
    },
    silence() {
      subscribers = [];
    },
    skipIds(count) {
      id += count;
    },
    restartIds() {
      id = 0;
    },
    cut() {
      const frame = pythonJson({ kind: 'patch', id: id + 1, ts: nowSeconds(), data: pending });
      const half = Buffer.from(frame.slice(0, Math.ceil(frame.length / 2)), 'latin1');
      for (const subscriber of subscribers) if (!subscriber.closed) end(subscriber, half);
    },
    subscribers: () => subscribers.filter((subscriber) => !subscriber.closed).length,
    lastId: () => id,
  };
}
