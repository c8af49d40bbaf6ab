/**
 * One DNS query to one answer, as the pdns of a v2.1 cluster gives it (recorded with dig): authoritative inside the zone,
 * SOA in the authority section of negative answers, addresses of SRV targets in the additional one, REFUSED elsewhere.
 */
import type { Answer, DecodedPacket, Packet, Question } from 'dns-packet';
import dnsPacket from 'dns-packet';
import type { Zone } from './zone.js';

const RCODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
export type Rcode = keyof typeof RCODES;

const TTL_SECONDS = 60;
/** pdns' own limit for answers over UDP. */
const MAX_UDP_BYTES = 1232;

interface Found {
  readonly rcode: Rcode;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

const nothing = (rcode: Rcode): Found => ({ rcode, answers: [], authorities: [], additionals: [] });

function soa(zone: Zone): Answer {
  const data = {
    mname: `dns.${zone.name}`,
    rname: 'contact@opensvc.com',
    serial: 1,
    refresh: 7200,
    retry: 3600,
    expire: 432_000,
    minimum: 86_400,
  };
  return { type: 'SOA', name: zone.name, ttl: TTL_SECONDS, data };
}

function addressRecords(zone: Zone, owner: string, name: string, type: 'A' | 'AAAA'): readonly Answer[] {
  const wanted = (address: string): boolean => address.includes(':') === (type === 'AAAA');
  const found = [...(zone.addresses.get(owner) ?? [])].filter(wanted);
  return found.map((data) => ({ type, name, ttl: TTL_SECONDS, data }));
}

function lookup(zone: Zone, question: Question): Found {
  const owner = question.name.toLowerCase().replace(/\.$/, '');
  if (owner !== zone.name && !owner.endsWith(`.${zone.name}`)) return nothing('REFUSED');
  const { name } = question;
  // dns-packet's types do not list ANY
  const type: string = question.type;
  const any = type === 'ANY';
  const answers: Answer[] = [];
  const additionals: Answer[] = [];
  if (owner === zone.name && (any || type === 'SOA')) answers.push({ ...soa(zone), name });
  if (owner === zone.name && (any || type === 'NS')) {
    for (const data of zone.nameServers) {
      answers.push({ type: 'NS', name, ttl: 3600, data });
      additionals.push(...addressRecords(zone, data, data, 'A'));
    }
  }
  if (any || type === 'A') answers.push(...addressRecords(zone, owner, name, 'A'));
  if (any || type === 'AAAA') answers.push(...addressRecords(zone, owner, name, 'AAAA'));
  if (any || type === 'SRV') {
    for (const data of zone.services.get(owner) ?? []) {
      answers.push({ type: 'SRV', name, ttl: TTL_SECONDS, data });
      additionals.push(...addressRecords(zone, data.target, data.target, 'A'));
      additionals.push(...addressRecords(zone, data.target, data.target, 'AAAA'));
    }
  }
  if (answers.length > 0) return { rcode: 'NOERROR', answers, authorities: [], additionals };
  const exists = owner === zone.name || zone.addresses.has(owner) || zone.services.has(owner);
  return { ...nothing(exists ? 'NOERROR' : 'NXDOMAIN'), authorities: [soa(zone)] };
}

/** The bytes of the answer. `forced` answers every question alike; over UDP the answer is cut to what the client takes. */
export function answerQuery(
  query: DecodedPacket,
  zone: Zone,
  proto: 'udp' | 'tcp',
  forced: Rcode | undefined,
): Buffer {
  const question = query.questions?.[0];
  const found =
    forced !== undefined
      ? nothing(forced)
      : question === undefined
        ? nothing('NOTIMP')
        : lookup(zone, question);
  const edns = query.additionals?.find((record) => record.type === 'OPT');
  const limit = edns === undefined ? 512 : Math.max(512, Math.min(edns.udpPayloadSize, MAX_UDP_BYTES));
  const authoritative = found.rcode === 'NOERROR' || found.rcode === 'NXDOMAIN';
  const flags =
    RCODES[found.rcode] |
    (authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
    ((query.flags ?? 0) & dnsPacket.RECURSION_DESIRED);
  // dns-packet wants every field of an OPT record
  const opt: Answer[] =
    edns === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: MAX_UDP_BYTES,
            flags: 0,
            options: [],
            extendedRcode: 0,
            ednsVersion: 0,
            flag_do: false,
          },
        ];
  const encode = (answers: readonly Answer[], additionals: readonly Answer[], extra = 0): Buffer => {
    const packet: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags: flags | extra,
      questions: [...(query.questions ?? [])],
      answers: [...answers],
      authorities: [...found.authorities],
      additionals: [...additionals, ...opt],
    };
    return dnsPacket.encode(packet);
  };
  const whole = encode(found.answers, found.additionals);
  if (proto === 'tcp' || whole.length <= limit) return whole;
  const bare = encode(found.answers, []);
  return bare.length <= limit ? bare : encode([], [], dnsPacket.TRUNCATED_RESPONSE);
}
