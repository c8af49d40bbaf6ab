/** The recorded `dig` transcripts of a real cluster DNS (pdns over a v2.1 agent) against the stand-in, query by query. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer } from 'dns-packet';
import { startDns } from '../../src/sim/dns/dns.js';
import { buildZone } from '../../src/sim/dns/zone.js';
import { queryTcp, queryUdp } from '../support/dns-client.js';
import { recordedCluster, recording } from '../support/recorded-cluster.js';

/** The weight is the node's score, which changes with its load. */
const WEIGHT = /( SRV 0) \d+ /;

const dotted = (name: string): string => (name.endsWith('.') ? name : `${name}.`);

function asText(record: Answer): string {
  const head = `${dotted(record.name)} ${'ttl' in record ? record.ttl : 0} IN ${record.type}`;
  if (record.type === 'SRV') {
    const { priority, weight, port, target } = record.data;
    return `${head} ${priority} ${weight} ${port} ${dotted(target)}`;
  }
  if (record.type === 'SOA') {
    const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
    const mailbox = dotted(rname).replace('@', '\\@');
    return `${head} ${dotted(mname)} ${mailbox} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
  }
  return `${head} ${record.type === 'NS' ? dotted(record.data) : String((record as { data?: unknown }).data)}`;
}

function section(transcript: string, name: string): readonly string[] {
  const found = new RegExp(`;; ${name} SECTION:\n((?:[^;\n].*\n)+)`).exec(transcript);
  return (found?.[1] ?? '').split('\n').flatMap((line) => (line === '' ? [] : [line.split(/\s+/).join(' ')]));
}

const comparable = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.replace(WEIGHT, '$1 W ')).sort();

describe('dig transcripts', () => {
  for (const transcript of recording('dig.txt').split(/^\$ /m).slice(1)) {
    const [, tcp, type, name] = /^dig \S+ -p 5300( \+tcp)? (\S+) (\S+)\n/.exec(transcript) ?? [];
    if (type === undefined || name === undefined) continue;
    test(`${type} ${name}${tcp ?? ''}`, async (t) => {
      const cluster = recordedCluster();
      if (type === 'AXFR') {
        const zone = buildZone(cluster);
        const listed = transcript.split('\n').filter((line) => /^\S+\s+\d+\s+IN\s+(A|SRV)\s/.test(line));
        const owners = listed.map((line) => line.split(/\s+/)[0]?.replace(/\.$/, ''));
        const expected = [...zone.addresses.keys(), ...zone.services.keys()];
        assert.deepEqual([...owners].sort(), [...expected].sort());
        return;
      }
      const dns = await startDns({ cluster, bind: '127.0.0.1:0' });
      t.after(() => dns.stop());
      const query = tcp === undefined ? queryUdp : queryTcp;
      const reply = await query(dns.port, type, name, { ednsBytes: 1232 });
      assert.equal(reply.rcode, /status: (\w+)/.exec(transcript)?.[1]);
      assert.equal(reply.flag_aa, /flags: qr aa/.test(transcript));
      for (const [part, records] of [
        ['ANSWER', reply.answers],
        ['AUTHORITY', reply.authorities],
        ['ADDITIONAL', reply.additionals?.filter((record) => record.type !== 'OPT')],
      ] as const) {
        assert.deepEqual(
          comparable((records ?? []).map(asText)),
          comparable(section(transcript, part)),
          part,
        );
      }
    });
  }
});
