/**
 * One DNS question: does this server answer for the cluster's zone? Invariants: every probe ends within its time-out with an
 * answer or with why there is none; NOERROR counts even when it holds no records; anything else does not (SPEC §6). The
 * protocol is the one that GoBetween will use, for a server may answer on udp only.
 */
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import { askDns, type DnsProtocol } from './dns-question.js';

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

export function createDnsProbe(options: DnsProbeOptions): DnsProbe {
  return async ({ ip, port, protocol, zone }) => {
    const answer = await askDns(options, { ip, port, protocol, question: { type: 'SOA', name: zone } });
    if (!answer.ok) return { answers: false, why: answer.why };
    return answer.rcode === 'NOERROR' ? { answers: true } : { answers: false, why: answer.rcode };
  };
}
