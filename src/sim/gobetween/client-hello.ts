/** The server name in a TLS ClientHello. Source: utils/tls/sni; RFC 8446 §4.1.2, RFC 6066 §3. */

/** The host name in the first bytes of a connection; empty when there is none to be found. */
export function helloHostname(bytes: Buffer): string {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}

function parse(bytes: Buffer): string {
  // Record: type 22, version, length. Handshake: type 1, 24-bit length, version, random.
  if (bytes.readUInt8(0) !== 22 || bytes.readUInt8(5) !== 1) return '';
  let at = 5 + 4 + 2 + 32;
  at += 1 + bytes.readUInt8(at);
  at += 2 + bytes.readUInt16BE(at);
  at += 1 + bytes.readUInt8(at);
  const end = at + 2 + bytes.readUInt16BE(at);
  at += 2;
  while (at < end) {
    const type = bytes.readUInt16BE(at);
    const size = bytes.readUInt16BE(at + 2);
    at += 4;
    if (type === 0) {
      const length = bytes.readUInt16BE(at + 3);
      return bytes.readUInt8(at + 2) === 0 ? bytes.toString('latin1', at + 5, at + 5 + length) : '';
    }
    at += size;
  }
  return '';
}
