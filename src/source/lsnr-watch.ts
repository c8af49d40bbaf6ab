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
import { encodeRequest } from './lsnr-request.js';
import { createStreamReader } from './lsnr-stream.js';
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
  const reader = createStreamReader(handlers);

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
    const splitter = createFrameSplitter((run) => {
      if (!over) read(run);
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

    function read(run: Buffer): void {
      const { defect, heard } = reader.read(run);
      if (heard) {
        quietSince = clock.now();
        backoff.forget(BACKOFF_KEY);
      }
      if (defect !== null) end(defect);
    }

    socket.on('connect', () => {
      if (over) return;
      connected = true;
      cancelConnect();
      quietSince = clock.now();
      reader.begin();
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
