/**
 * One DNS question: does this server answer for the cluster's zone? Invariants: every probe ends within its time-out with an
 * answer or with why there is none; NOERROR counts even when it holds no records; anything else does not (SPEC §6). The
 * protocol is the one that GoBetween will use, for a server may answer on udp only.
 */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { decode, encode, RECURSION_DESIRED, streamDecode, streamEncode, type Packet } from 'dns-packet';
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';

export type DnsProtocol = 'udp' | 'tcp';

export interface DnsQuestion {
  readonly ip: string;
  readonly port: number;
  readonly protocol: DnsProtocol;
  /** The cluster's zone, for instance `clu1`. */
  readonly zone: string;
}

export type DnsVerdict =
  | { readonly answers: true }
  /** `why`: an rcode (REFUSED), a system error code (ECONNREFUSED), `timeout` or `garbage`. */
  | { readonly answers: false; readonly why: string };

export type DnsProbe = (question: DnsQuestion) => Promise<DnsVerdict>;

export interface DnsProbeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** @default 2000 */
  readonly timeoutMs?: number;
}

type Settle = (verdict: DnsVerdict) => void;
/** Sends the question; calls settle at most usefully once; returns what closes the socket. */
type Transport = (question: DnsQuestion, packet: Packet, settle: Settle) => () => void;

export function createDnsProbe({ clock, random, timeoutMs = 2000 }: DnsProbeOptions): DnsProbe {
  return (question) =>
    new Promise((resolve) => {
      let settled = false;
      let close: (() => void) | undefined;
      const settle: Settle = (verdict) => {
        if (settled) return;
        settled = true;
        cancel();
        close?.();
        resolve(verdict);
      };
      const cancel = clock.after(timeoutMs, () => settle({ answers: false, why: 'timeout' }));
      const packet: Packet = {
        type: 'query',
        id: Math.floor(random.next() * 65_536),
        flags: RECURSION_DESIRED,
        questions: [{ type: 'SOA', name: question.zone }],
      };
      try {
        close = (question.protocol === 'udp' ? overUdp : overTcp)(question, packet, settle);
        if (settled) close();
      } catch (error) {
        // A zone that no DNS name can hold, or a port out of range.
        settle({ answers: false, why: error instanceof Error ? error.message : 'garbage' });
      }
    });
}

const overUdp: Transport = ({ ip, port }, packet, settle) => {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  const bytes = encode(packet);
  let open = true;
  socket.on('error', (error: NodeJS.ErrnoException) => settle(errorVerdict(error)));
  socket.on('message', (message) => {
    const verdict = judge(() => decode(message), packet);
    if (verdict !== null) settle(verdict);
  });
  // Connected, so that a closed port is told, and strangers' packets are not.
  // Called with the error, too: no route, or no such name.
  socket.connect(port, ip, (error?: NodeJS.ErrnoException | null) => {
    if (error) settle(errorVerdict(error));
    else if (open) socket.send(bytes);
  });
  return () => {
    if (open) socket.close();
    open = false;
  };
};

const overTcp: Transport = ({ ip, port }, packet, settle) => {
  const socket = connect({ host: ip, port });
  let received = Buffer.alloc(0);
  socket.on('connect', () => socket.write(streamEncode(packet)));
  socket.on('error', (error: NodeJS.ErrnoException) => settle(errorVerdict(error)));
  socket.on('close', () => settle({ answers: false, why: 'closed' }));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    settle(judge(() => streamDecode(received), packet) ?? { answers: false, why: 'garbage' });
  });
  return () => socket.destroy();
};

function errorVerdict(error: NodeJS.ErrnoException): DnsVerdict {
  return { answers: false, why: error.code ?? error.message };
}

/** null: not the answer to this question (a stray packet). */
function judge(parse: () => Packet | null, query: Packet): DnsVerdict | null {
  let answer: (Packet & { readonly rcode?: string }) | null;
  try {
    answer = parse();
  } catch {
    return { answers: false, why: 'garbage' };
  }
  if (answer === null || answer.type !== 'response' || answer.id !== query.id) return null;
  // The type of the package lacks it; the low four bits of the flags are the same.
  const rcode = answer.rcode ?? ((answer.flags ?? 0) & 15 ? 'ERROR' : 'NOERROR');
  return rcode === 'NOERROR' ? { answers: true } : { answers: false, why: rcode };
}
