/**
 * Splits a byte stream into frames that end with NUL (the raw framing of the v2.1 agent). Bytes may be cut anywhere.
 * Invariant: at most `maxBytes` are held; a frame that would be larger ends the splitter, for what follows it on the
 * stream cannot be trusted. Source: reference/opensvc-v2-protocol.md §2, SPEC §9.
 */

/** SPEC §9: frames, bodies and lists are capped alike. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export interface FrameSplitter {
  /** Feeds bytes; calls `onFrame` for each complete, non-empty frame. `over-cap`: ended, now and for ever. */
  push(chunk: Buffer): 'ok' | 'over-cap';
  /** Bytes of the frame that has begun and not ended: more than 0 at the end of the stream means that it was cut. */
  readonly pendingBytes: number;
}

/** `onFrame` gets the frame without its NUL. The buffer may share memory with the chunk: read it before returning. */
export function createFrameSplitter(
  onFrame: (frame: Buffer) => void,
  maxBytes: number = MAX_FRAME_BYTES,
): FrameSplitter {
  let parts: Buffer[] = [];
  let pending = 0;
  let ended = false;

  function emit(tail: Buffer): void {
    const frame = parts.length === 0 ? tail : Buffer.concat([...parts, tail], pending + tail.length);
    parts = [];
    pending = 0;
    if (frame.length > 0) onFrame(frame);
  }

  return {
    push(chunk) {
      let from = 0;
      while (!ended) {
        const end = chunk.indexOf(0, from);
        const upTo = end === -1 ? chunk.length : end;
        if (pending + upTo - from > maxBytes) {
          ended = true;
          parts = [];
          pending = 0;
          break;
        }
        if (end === -1) {
          if (upTo > from) parts.push(chunk.subarray(from));
          pending += upTo - from;
          return 'ok';
        }
        emit(chunk.subarray(from, end));
        from = end + 1;
      }
      return 'over-cap';
    },
    get pendingBytes() {
      return pending;
    },
  };
}
