/**
 * One SRV question, as GoBetween asks it: which backends does the cluster's DNS name? For people who look for where a chain
 * breaks. Invariant: every look-up ends within its time-out, with the records or with why there are none.
 */
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import { askDns, type DnsProtocol } from './dns-question.js';

export interface SrvQuestion {
  /** `ip:port`, `[ip6]:port`, or a host name instead of the ip. */
  readonly server: string;
  readonly protocol: DnsProtocol;
  /** With its final dot or without. */
  readonly name: string;
}

export interface SrvRecord {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export type SrvAnswer =
  | { readonly answers: true; readonly rcode: string; readonly records: readonly SrvRecord[] }
  /** `why`: a system error code, `timeout` or `garbage`. */
  | { readonly answers: false; readonly why: string };

export type SrvLookup = (question: SrvQuestion) => Promise<SrvAnswer>;

export function createSrvLookup(deps: {
  readonly clock: Clock;
  readonly random: Random;
  /** @default 2000 */
  readonly timeoutMs?: number;
}): SrvLookup {
  return async ({ server, protocol, name }) => {
    const place = hostAndPort(server);
    if (place === null) return { answers: false, why: `${server} is no ip:port` };
    const question = { type: 'SRV', name: name.replace(/\.$/, '') } as const;
    const answer = await askDns(deps, { ...place, protocol, question });
    if (!answer.ok) return { answers: false, why: answer.why };
    const records = answer.packet.answers ?? [];
    return {
      answers: true,
      rcode: answer.rcode,
      records: records.flatMap((record) =>
        record.type === 'SRV'
          ? [
              {
                target: record.data.target,
                port: record.data.port,
                priority: record.data.priority ?? 0,
                weight: record.data.weight ?? 0,
              },
            ]
          : [],
      ),
    };
  };
}

/** The parts of `ip:port`; null when it is none. */
function hostAndPort(server: string): { readonly ip: string; readonly port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(server);
  const ip = match?.[1] ?? match?.[2];
  return ip === undefined ? null : { ip, port: Number(match?.[3]) };
}

/** The same question for a person's shell. */
export function digLine({ server, protocol, name }: SrvQuestion): string {
  const place = hostAndPort(server);
  const where = place === null ? '' : `@${place.ip} -p ${place.port} `;
  return `dig ${protocol === 'tcp' ? '+tcp ' : '+notcp '}${where}SRV ${name}`;
}
