/**
 * Splits a byte stream into frames that end with NUL (the raw framing of the v2.1 agent), handed on in runs: all frames
 * that a chunk completes, as they stand in it, so that a reader can look at them at once. Bytes may be cut anywhere.
 * Invariant: at most `maxBytes` of a frame are held, each byte is copied a constant number of times; a frame that would
 * be larger ends the splitter, for what follows it on the stream cannot be trusted.
 * Source: reference/opensvc-v2-protocol.md §2, SPEC §9.
 */

/** SPEC §9: frames, bodies and lists are capped alike. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Pieces smaller than this are gathered in blocks of as much: a frame that comes in drips is held as bytes, not as objects. */
const BLOCK_BYTES = 4096;

export interface FrameSplitter {
  /** Feeds bytes; calls `onRun` with what they complete. `over-cap`: ended, now and for ever. */
  push(chunk: Buffer): 'ok' | 'over-cap';
  /** Bytes of the frame that has begun and not ended: more than 0 at the end of the stream means that it was cut. */
  readonly pendingBytes: number;
}

/** `onRun` gets one or more whole frames, each with its NUL. The memory may be the chunk's: read it before returning. */
export function createFrameSplitter(
  onRun: (run: Buffer) => void,
  maxBytes: number = MAX_FRAME_BYTES,
): FrameSplitter {
  let parts: Buffer[] = [];
  let block = Buffer.alloc(0);
  let used = 0;
  let pending = 0;
  let ended = false;

  function closeBlock(): void {
    if (used > 0) parts.push(block.subarray(0, used));
    block = Buffer.alloc(0);
    used = 0;
  }

  function hold(bytes: Buffer): void {
    pending += bytes.length;
    if (bytes.length >= BLOCK_BYTES) {
      closeBlock();
      parts.push(bytes);
      return;
    }
    if (used + bytes.length > block.length) {
      closeBlock();
      block = Buffer.allocUnsafe(BLOCK_BYTES);
    }
    bytes.copy(block, used);
    used += bytes.length;
  }

  function release(): Buffer {
    closeBlock();
    const whole = Buffer.concat(parts, pending);
    clear();
    return whole;
  }

  function clear(): void {
    parts = [];
    block = Buffer.alloc(0);
    used = 0;
    pending = 0;
  }

  /** At most `maxBytes` long, so that only its first frame can exceed the cap: the one that began before it. */
  function feed(piece: Buffer): void {
    const first = piece.indexOf(0);
    if (pending + (first === -1 ? piece.length : first) > maxBytes) {
      ended = true;
      return clear();
    }
    if (first === -1) return hold(piece);
    let from = 0;
    if (pending > 0) {
      from = first + 1;
      hold(piece.subarray(0, from));
      onRun(release());
    }
    const upTo = piece.lastIndexOf(0) + 1;
    if (upTo > from) onRun(piece.subarray(from, upTo));
    if (upTo < piece.length) hold(piece.subarray(upTo));
  }

  return {
    push(chunk) {
      for (let from = 0; from < chunk.length && !ended; from += maxBytes) {
        feed(chunk.subarray(from, from + maxBytes));
      }
      return ended ? 'over-cap' : 'ok';
    },
    get pendingBytes() {
      return pending;
    },
  };
}

/** The frames of a run one by one, without their NUL, until `onFrame` says false; empty ones are left out. */
export function eachFrame(run: Buffer, onFrame: (frame: Buffer) => boolean): void {
  let from = 0;
  for (let end = run.indexOf(0); end !== -1; end = run.indexOf(0, from)) {
    if (end > from && !onFrame(run.subarray(from, end))) return;
    from = end + 1;
  }
}
