import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { decode, encode, type Packet } from 'dns-packet';
import { systemClock } from '../../../src/clock.js';
import { createDnsProbe } from '../../../src/source/dns-probe.js';
import type { DnsProtocol } from '../../../src/source/dns-question.js';

type Reply = (query: Buffer) => readonly Buffer[];

/** A DNS server on both protocols that answers each question with what `reply` gives. */
async function serve(t: TestContext, reply: Reply): Promise<number> {
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const answer of reply(chunk.subarray(2))) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(length);
        socket.write(answer);
      }
    });
  });
  const udp = createSocket('udp4', (message, from) => {
    for (const answer of reply(message)) udp.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const address = tcp.address();
  assert.ok(typeof address === 'object' && address !== null);
  await new Promise<void>((resolve) => udp.bind(address.port, '127.0.0.1', resolve));
  t.after(() => {
    tcp.close();
    udp.close();
  });
  return address.port;
}

const protocols: readonly DnsProtocol[] = ['udp', 'tcp'];
const probeFor = (timeoutMs: number): ReturnType<typeof createDnsProbe> =>
  createDnsProbe({ clock: systemClock, random: { next: () => 0.5 }, timeoutMs });
/** Patient, for the machine may be busy; where silence is what is tested, patience is only waiting. */
const [probe, hasty] = [probeFor(30_000), probeFor(150)];
const ask = (port: number, protocol: DnsProtocol): ReturnType<typeof probe> =>
  probe({ ip: '127.0.0.1', port, protocol, zone: 'clu1' });
const askSilent = (port: number, protocol: DnsProtocol, zone = 'clu1'): ReturnType<typeof probe> =>
  hasty({ ip: '127.0.0.1', port, protocol, zone });
const answer = (query: Buffer, rcode: number, more: Partial<Packet> = {}): Buffer =>
  encode({ ...decode(query), type: 'response', flags: rcode, ...more });

describe('dns probe', () => {
  for (const protocol of protocols) {
    test(`${protocol}: NOERROR counts, with and without records`, async (t) => {
      const questions: Packet[] = [];
      const port = await serve(t, (query) => {
        questions.push(decode(query));
        return [answer(query, 0)];
      });
      assert.deepEqual(await ask(port, protocol), { answers: true });
      const [question] = questions[0]?.questions ?? [];
      assert.deepEqual([question?.type, question?.name], ['SOA', 'clu1']);
      const soa = {
        type: 'SOA',
        name: 'clu1',
        ttl: 60,
        data: { mname: 'a', rname: 'b', serial: 1 },
      } as const;
      const full = await serve(t, (query) => [answer(query, 0, { answers: [soa] })]);
      assert.deepEqual(await ask(full, protocol), { answers: true });
    });

    for (const [rcode, why] of [
      [2, 'SERVFAIL'],
      [3, 'NXDOMAIN'],
      [5, 'REFUSED'],
    ] as const) {
      test(`${protocol}: ${why} does not count`, async (t) => {
        const port = await serve(t, (query) => [answer(query, rcode)]);
        assert.deepEqual(await ask(port, protocol), { answers: false, why });
      });
    }

    test(`${protocol}: silence, garbage and a closed port do not count`, async (t) => {
      assert.deepEqual(await askSilent(await serve(t, () => []), protocol), {
        answers: false,
        why: 'timeout',
      });
      assert.deepEqual(await ask(await serve(t, () => [Buffer.from('x')]), protocol), {
        answers: false,
        why: 'garbage',
      });
      assert.deepEqual(await ask(1, protocol), { answers: false, why: 'ECONNREFUSED' });
    });

    test(`${protocol}: a server that cannot be reached at all does not count either`, async () => {
      // The system refuses to send to the broadcast address, as it refuses where there is no route.
      const question = { ip: '255.255.255.255', port: 53, protocol, zone: 'clu1' };
      const verdict = await probe(question);
      assert.match(verdict.answers ? '' : verdict.why, /^E[A-Z]+$/);
    });

    test(`${protocol}: a zone that no name can hold`, async (t) => {
      const port = await serve(t, () => []);
      for (const zone of ['x'.repeat(70), 'a..b', '']) {
        const verdict = await askSilent(port, protocol, zone);
        assert.equal(typeof verdict.answers, 'boolean', zone);
      }
    });
  }

  test('udp: an answer to another question is not ours', async (t) => {
    const port = await serve(t, (query) => [answer(query, 5, { id: 7 }), query, answer(query, 0)]);
    assert.deepEqual(await ask(port, 'udp'), { answers: true });
  });

  test('tcp: an answer may come in pieces', async (t) => {
    const server = createServer((socket) => {
      socket.once('data', (chunk) => {
        const bytes = answer(chunk.subarray(2), 0);
        const whole = Buffer.concat([Buffer.of(0, bytes.length), bytes]);
        for (const byte of whole) socket.write(Buffer.of(byte));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    assert.deepEqual(await ask(address.port, 'tcp'), { answers: true });
  });
});
