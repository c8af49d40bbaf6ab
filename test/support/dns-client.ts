/** One DNS query and its decoded reply, over UDP or TCP, for tests of the simulated cluster DNS. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import dnsPacket, { type Answer, type DecodedPacket, type Packet, type RecordType } from 'dns-packet';

export type Reply = DecodedPacket & { readonly rcode: string };

export interface QueryOptions {
  /** Adds an OPT record with this payload size. */
  readonly ednsBytes?: number;
  readonly timeoutMs?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
}

function packet(type: string, name: string, { ednsBytes }: QueryOptions): Packet {
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: ednsBytes,
    flags: 0,
    options: [],
    extendedRcode: 0,
    ednsVersion: 0,
    flag_do: false,
  };
  return {
    type: 'query',
    id: 4711,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: type as RecordType, name: name.replace(/\.$/, '') }],
    additionals: ednsBytes === undefined ? [] : [opt as Answer],
  };
}

/** Rejects when nothing comes within `timeoutMs` (default 500). */
export function queryUdp(
  port: number,
  type: string,
  name: string,
  options: QueryOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error('no reply'));
    }, options.timeoutMs ?? 500);
    socket.on('message', (message) => {
      clearTimeout(timer);
      socket.close();
      resolve(dnsPacket.decode(message) as Reply);
    });
    socket.send(dnsPacket.encode(packet(type, name, options)), port, options.host ?? '127.0.0.1');
  });
}

/** As `queryUdp`, over TCP. */
export function queryTcp(
  port: number,
  type: string,
  name: string,
  options: QueryOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, options.host ?? '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.setTimeout(options.timeoutMs ?? 500, () => socket.destroy(new Error('no reply')));
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(dnsPacket.streamDecode(received) as Reply);
    });
    socket.write(dnsPacket.streamEncode(packet(type, name, options)));
  });
}
