/**
 * The event stream of a v2.1 agent, for ever: connect, ask, read frames, and after any defect say onGap, pause and begin
 * again. Invariants: at most one connection; never half-closed; always read at once (an agent cuts a reader that lags);
 * every way in which something may have been missed ends in onGap. Source: reference/opensvc-v2-protocol.md §4.
 */
import { connect, type Socket } from 'node:net';
import type { Cancel, Clock } from '../clock.js';
import type { Result } from '../errors.js';
import type { Backoff } from '../queue/backoff.js';
import { createFrameSplitter, MAX_FRAME_BYTES } from './frames.js';
import { readFrame, type Hint } from './lsnr-patch.js';
import { encodeRequest } from './lsnr-request.js';
import type { GapReason, WatchHandlers } from './source.js';

export interface LsnrWatchOptions {
  readonly clock: Clock;
  readonly locate: (fresh: boolean) => Promise<Result<string>>;
  readonly backoff: Backoff;
  readonly handlers: WatchHandlers;
  /** A connect that has not succeeded by then is given up. */
  readonly connectTimeoutMs: number;
  readonly maxBytes?: number;
}

export interface LsnrWatch {
  stop(): void;
  /** The agent answered a request: a live stream then shows a frame soon, so a long silence means it is deaf (§4.4). */
  answered(): void;
}

/** Each request makes the agent emit counters within about a second; idle gaps of 12 s were seen without any. */
const SILENCE_MS = 45_000;
const BACKOFF_KEY = 'stream';

export function watchLsnr(options: LsnrWatchOptions): LsnrWatch {
  const { clock, locate, backoff, handlers, connectTimeoutMs, maxBytes = MAX_FRAME_BYTES } = options;
  let stopped = false;
  let cancelRetry: Cancel | undefined;
  /** Ends the present connection; undefined while there is none. */
  let endPresent: ((reason: GapReason) => void) | undefined;
  let quietSince = 0;
  /** Of the last patch heard, over connections: a smaller one means another daemon. */
  let lastId: number | null = null;

  async function begin(): Promise<void> {
    const located = await locate(true);
    if (stopped) return;
    if (located.ok) follow(connect({ path: located.value }));
    else failed('restarted');
  }

  function failed(reason: GapReason): void {
    if (stopped) return;
    handlers.onGap(reason);
    cancelRetry = clock.after(backoff.next(BACKOFF_KEY), () => void begin());
  }

  function follow(socket: Socket): void {
    let connected = false;
    let over = false;
    const cancelConnect = clock.after(connectTimeoutMs, () => end('restarted'));
    /** Ids are contiguous within a connection; the first patch of one may come from anywhere above the last. */
    let expectedId: number | null = null;

    const splitter = createFrameSplitter((frame) => {
      if (!over) read(frame.toString('utf8'));
    }, maxBytes);

    function end(reason: GapReason): void {
      if (over) return;
      over = true;
      endPresent = undefined;
      cancelConnect();
      socket.destroy();
      if (connected) handlers.onConnected(false);
      failed(reason);
    }

    function read(text: string): void {
      quietSince = clock.now();
      const frame = readFrame(text);
      if (frame === undefined) return end('not-json');
      if (frame.refused) return end('refused');
      handlers.onEvent(frame.hints.length > 0 ? 'relevant' : 'irrelevant');
      backoff.forget(BACKOFF_KEY);
      if (frame.id !== null) {
        if (expectedId === null ? lastId !== null && frame.id <= lastId : frame.id < expectedId) {
          handlers.onGap('restarted');
        } else if (expectedId !== null && frame.id > expectedId) handlers.onGap('id-gap');
        lastId = frame.id;
        expectedId = frame.id + 1;
      }
      tell(handlers, frame.hints);
    }

    socket.on('connect', () => {
      if (over) return;
      connected = true;
      cancelConnect();
      quietSince = clock.now();
      socket.write(encodeRequest({ action: 'events' }));
      handlers.onConnected(true);
    });
    socket.on('data', (chunk) => {
      if (!over && splitter.push(chunk) === 'over-cap') end('over-cap');
    });
    socket.on('error', () => end(connected ? 'disconnected' : 'restarted'));
    socket.on('close', () => end(splitter.pendingBytes > 0 ? 'cut-frame' : 'disconnected'));
    endPresent = end;
  }

  void begin();
  return {
    stop() {
      stopped = true;
      cancelRetry?.();
      endPresent?.('disconnected');
    },
    answered() {
      if (endPresent !== undefined && clock.now() - quietSince > SILENCE_MS) endPresent('silent');
    },
  };
}

function tell(handlers: WatchHandlers, hints: readonly Hint[]): void {
  let listAgain = false;
  for (const hint of hints) {
    if (hint.kind === 'config') handlers.onConfig(hint.key, hint.csum, hint.node);
    else if (hint.kind === 'deleting') handlers.onDeleting(hint.key);
    else listAgain = true;
  }
  if (listAgain) handlers.onMembership();
}
