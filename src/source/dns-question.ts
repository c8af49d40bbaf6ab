/**
 * One question to one DNS server, over udp or tcp. Invariant: it ends within its time-out, with the answer to this question
 * or with why there is none; no answer, however broken, throws.
 */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import {
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_DESIRED,
  streamDecode,
  streamEncode,
} from 'dns-packet';
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';

export type DnsProtocol = 'udp' | 'tcp';

export interface Asked {
  readonly ip: string;
  readonly port: number;
  readonly protocol: DnsProtocol;
  readonly question: Question;
}

/** `why`: a system error code (ECONNREFUSED), `timeout`, `closed` or `garbage`. */
export type DnsAnswer =
  | { readonly ok: true; readonly rcode: string; readonly packet: Packet }
  | { readonly ok: false; readonly why: string };

type Settle = (answer: DnsAnswer) => void;
/** Sends the question; calls settle at most usefully once; returns what closes the socket. */
type Transport = (asked: Asked, packet: Packet, settle: Settle) => () => void;

export function askDns(
  deps: { readonly clock: Clock; readonly random: Random; readonly timeoutMs?: number },
  asked: Asked,
): Promise<DnsAnswer> {
  return new Promise((resolve) => {
    let settled = false;
    let close: (() => void) | undefined;
    const settle: Settle = (answer) => {
      if (settled) return;
      settled = true;
      cancel();
      close?.();
      resolve(answer);
    };
    const cancel = deps.clock.after(deps.timeoutMs ?? 2000, () => settle({ ok: false, why: 'timeout' }));
    const packet: Packet = {
      type: 'query',
      id: Math.floor(deps.random.next() * 65_536),
      flags: RECURSION_DESIRED,
      questions: [asked.question],
    };
    try {
      close = (asked.protocol === 'udp' ? overUdp : overTcp)(asked, packet, settle);
      if (settled) close();
    } catch (error) {
      // A name that no DNS message can hold, or a port out of range.
      settle({ ok: false, why: error instanceof Error ? error.message : 'garbage' });
    }
  });
}

const overUdp: Transport = ({ ip, port }, packet, settle) => {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  const bytes = encode(packet);
  let open = true;
  socket.on('error', (error: NodeJS.ErrnoException) => settle(failed(error)));
  socket.on('message', (message) => {
    const answer = judge(() => decode(message), packet);
    if (answer !== null) settle(answer);
  });
  // Connected, so that a closed port is told, and strangers' packets are not.
  // Called with the error, too: no route, or no such name.
  socket.connect(port, ip, (error?: NodeJS.ErrnoException | null) => {
    if (error) settle(failed(error));
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
  socket.on('error', (error: NodeJS.ErrnoException) => settle(failed(error)));
  socket.on('close', () => settle({ ok: false, why: 'closed' }));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    settle(judge(() => streamDecode(received), packet) ?? { ok: false, why: 'garbage' });
  });
  return () => socket.destroy();
};

function failed(error: NodeJS.ErrnoException): DnsAnswer {
  return { ok: false, why: error.code ?? error.message };
}

/** null: not the answer to this question (a stray packet). */
function judge(parse: () => Packet | null, query: Packet): DnsAnswer | null {
  let packet: (Packet & { readonly rcode?: string }) | null;
  try {
    packet = parse();
  } catch {
    return { ok: false, why: 'garbage' };
  }
  if (packet === null || packet.type !== 'response' || packet.id !== query.id) return null;
  // The type of the package lacks it; the low four bits of the flags are the same.
  return { ok: true, rcode: packet.rcode ?? ((packet.flags ?? 0) & 15 ? 'ERROR' : 'NOERROR'), packet };
}
