/**
 * One DNS question and its answer, as miekg/dns asks: EDNS0 with a buffer of 4096 and DO, no retry over tcp when
 * truncated, replies to other questions ignored, a datagram above the buffer cut. Source: reference §5.
 */
import { createSocket } from 'node:dgram';
import { createConnection, isIPv6 } from 'node:net';
import { type DecodedPacket, type Packet, decode, encode, streamEncode } from 'dns-packet';
import { splitHostPort } from './address.js';

const BUFFER_SIZE = 4096;
const DEFAULT_TIMEOUT_MS = 2000;
/** Beyond it a timer of Node fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

export type RecordType = 'SRV' | 'A' | 'AAAA';

export interface Asking {
  /** `host:port`; anything else fails. */
  readonly server: string;
  readonly protocol: string;
  /** 0: the library's own 2 s. */
  readonly timeoutMs: number;
}

/** Asks for `name`, which must end with a dot. Rejects on time-outs, refusals and answers that cannot be read. */
export async function ask(asking: Asking, name: string, type: RecordType): Promise<DecodedPacket> {
  if (!name.endsWith('.')) throw new Error('dns: domain must be fully qualified');
  const labels = name.slice(0, -1).split('.');
  if (labels.some((label) => label === '' || Buffer.byteLength(label) > 63))
    throw new Error('dns: bad rdata');
  const split = splitHostPort(asking.server);
  if ('error' in split) throw new Error(`dial ${asking.protocol}: ${split.error}`);
  const id = Math.floor(Math.random() * 0x1_0000);
  const question: Packet = {
    type: 'query',
    id,
    flags: 0x0100,
    questions: [{ type, name: name.slice(0, -1) }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: BUFFER_SIZE,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0x8000,
        flag_do: true,
        options: [],
      },
    ],
  };
  const timeoutMs =
    asking.timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : Math.min(Math.max(1, asking.timeoutMs), LONGEST_MS);
  const send = asking.protocol === 'tcp' ? overTcp : overUdp;
  const answer = await send(question, id, split.host, Number(split.port), timeoutMs);
  return decode(answer);
}

const timedOut = (): Error => new Error('i/o timeout');

function overUdp(
  question: Packet,
  id: number,
  host: string,
  port: number,
  timeoutMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      socket.close();
    };
    const timer = setTimeout(() => {
      close();
      reject(timedOut());
    }, timeoutMs);
    socket.on('error', (error) => {
      close();
      reject(error);
    });
    socket.on('message', (message) => {
      if (message.length < 2 || message.readUInt16BE(0) !== id) return;
      close();
      resolve(message.subarray(0, BUFFER_SIZE));
    });
    // Connected, so that a refusal is seen at once.
    // Called with the error, too, where the name does not resolve.
    socket.connect(port, host, (error?: Error | null) => {
      if (error) {
        close();
        reject(error);
      } else if (!closed) socket.send(encode(question));
    });
  });
}

function overTcp(
  question: Packet,
  id: number,
  host: string,
  port: number,
  timeoutMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(timedOut()), timeoutMs);
    socket.on('connect', () => socket.write(streamEncode(question)));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      socket.destroy();
      if (message.length >= 2 && message.readUInt16BE(0) === id) resolve(message);
      else reject(new Error('dns: id mismatch'));
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('EOF'));
    });
  });
}
