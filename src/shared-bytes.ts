/**
 * A body that is collected chunk by chunk into shared memory, so that a worker thread reads it where it lies. Owns the buffer,
 * which is used again for the next body: whoever was given `bytes` is done with them before the next `begin`. Invariant:
 * never more than `maxBytes`; a buffer much too large for what came last is let go.
 */

export interface SharedBytes {
  /** Starts an empty body. */
  begin(): void;
  /** False, and the body is void, when it would be larger than `maxBytes`. */
  append(chunk: Uint8Array): boolean;
  /** What came since `begin`. */
  readonly bytes: Uint8Array;
}

/** Growing shared memory is part of Node 20, but not of the compiler's library for it. */
type Growable = SharedArrayBuffer & { grow(length: number): void };
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => Growable;

const STEP_BYTES = 1024 * 1024;

export function createSharedBytes(maxBytes: number): SharedBytes {
  let buffer: Growable | null = null;
  let length = 0;

  return {
    begin() {
      if (buffer !== null && buffer.byteLength > 4 * (length + STEP_BYTES)) buffer = null;
      length = 0;
    },
    append(chunk) {
      const end = length + chunk.length;
      if (end > maxBytes) return false;
      buffer ??= new GrowableBuffer(0, { maxByteLength: maxBytes });
      if (end > buffer.byteLength) buffer.grow(Math.min(maxBytes, Math.ceil(end / STEP_BYTES) * STEP_BYTES));
      new Uint8Array(buffer, length, chunk.length).set(chunk);
      length = end;
      return true;
    },
    get bytes() {
      return buffer === null ? new Uint8Array(0) : new Uint8Array(buffer, 0, length);
    },
  };
}
