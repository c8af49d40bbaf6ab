/**
 * A body that is collected chunk by chunk: in parts that are joined at its end, or in shared memory, where a worker thread
 * reads it as it lies. Invariant: never more than `maxBytes`.
 */

export interface BodyBytes {
  /** False, and the body is void, when it would be larger than `maxBytes`. */
  append(chunk: Uint8Array): boolean;
  readonly length: number;
  readonly bytes: Uint8Array;
}

export function createBodyBytes(maxBytes: number): BodyBytes {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return {
    append(chunk) {
      length += chunk.length;
      chunks.push(chunk);
      return length <= maxBytes;
    },
    get length() {
      return length;
    },
    get bytes() {
      return Buffer.concat(chunks, length);
    },
  };
}

export interface SharedBytes extends BodyBytes {
  /** Starts an empty body. */
  begin(): void;
}

/** Growing shared memory is part of Node 20, but not of the compiler's library for it. */
type Growable = SharedArrayBuffer & { grow(length: number): void };
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => Growable;

/** Growth by so much. */
const STEP_BYTES = 1024 * 1024;

/**
 * The buffer is used again for the next body: whoever was given `bytes` is done with them before the next `begin`. One much
 * too large for what came last is let go.
 */
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
    get length() {
      return length;
    },
    get bytes() {
      return buffer === null ? new Uint8Array(0) : new Uint8Array(buffer, 0, length);
    },
  };
}
