/** A DNS server on loopback whose answers a test changes at will; udp and tcp on one port. */
import { type Socket as UdpSocket, createSocket } from 'node:dgram';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { type Answer, type DecodedPacket, type Packet, decode, encode, streamEncode } from 'dns-packet';

export interface Reply {
  readonly answers?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  /** 2: SERVFAIL, 3: NXDOMAIN. */
  readonly rcode?: number;
  readonly truncated?: boolean;
}

export interface TestDns {
  readonly port: number;
  readonly address: string;
  readonly queries: { readonly protocol: 'udp' | 'tcp'; readonly packet: DecodedPacket }[];
  /** Null: no answer at all. */
  answer: (name: string, type: string) => Reply | null;
  asked(name: string, type?: string): number;
  close(): Promise<void>;
}

export const srv = (name: string, target: string, port: number, weight = 1, priority = 0): Answer => ({
  type: 'SRV',
  name,
  ttl: 60,
  data: { target, port, weight, priority },
});

export const a = (name: string, data: string): Answer => ({ type: 'A', name, ttl: 60, data });

export async function createTestDns(): Promise<TestDns> {
  const queries: TestDns['queries'] = [];
  const replyTo = (protocol: 'udp' | 'tcp', bytes: Buffer): Packet | null => {
    const packet = decode(bytes);
    queries.push({ protocol, packet });
    const [question] = packet.questions ?? [];
    const reply = question === undefined ? null : dns.answer(question.name, question.type);
    if (reply === null) return null;
    const { answers = [], additionals = [], rcode = 0, truncated = false } = reply;
    return {
      type: 'response',
      ...(packet.id === undefined ? {} : { id: packet.id }),
      flags: 0x0400 | rcode | (truncated ? 0x0200 : 0),
      questions: packet.questions ?? [],
      answers: [...answers],
      additionals: [...additionals],
    };
  };
  const udp: UdpSocket = createSocket('udp4');
  udp.on('message', (message, { port, address }) => {
    const reply = replyTo('udp', message);
    if (reply !== null) udp.send(encode(reply), port, address);
  });
  const tcp: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const reply = replyTo('tcp', chunk.subarray(2));
      if (reply === null) socket.destroy();
      else socket.end(streamEncode(reply));
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
  const dns: TestDns = {
    port,
    address: `127.0.0.1:${port}`,
    queries,
    answer: () => ({ rcode: 3 }),
    asked: (name, type = 'SRV') =>
      queries.filter(({ packet }) => packet.questions?.some((q) => q.name === name && q.type === type))
        .length,
    async close() {
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    },
  };
  return dns;
}
