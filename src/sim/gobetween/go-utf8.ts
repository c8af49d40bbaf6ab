/** Bytes that may be no UTF-8, as Go strings are: names and unquoted probes. */

/** Stands for a byte that is no UTF-8: Go writes it as an escape, unlike a U+FFFD that was there before. */
export const INVALID_BYTE = '\udfff';

/** UTF-8 as Go ranges over it: each byte that starts no valid sequence is one replacement. */
export function decodeUtf8(bytes: Uint8Array, replacement = '\ufffd'): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quick = buffer.toString('utf8');
  if (!quick.includes('\ufffd')) return quick;
  let out = '';
  for (let i = 0; i < buffer.length; ) {
    const size = sequenceLength(buffer, i);
    out += size === 0 ? replacement : buffer.toString('utf8', i, i + size);
    i += Math.max(1, size);
  }
  return out;
}

/** Length of the valid UTF-8 sequence at `i`, or 0. */
function sequenceLength(buffer: Buffer, i: number): number {
  const first = buffer[i] ?? 0;
  const size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size === 0 || i + size > buffer.length) return 0;
  const slice = buffer.subarray(i, i + size);
  return Buffer.from(slice.toString('utf8'), 'utf8').equals(slice) ? size : 0;
}
