/**
 * SRV discovery and the statistics, the same tests for the stand-in and for the binary named by GOBETWEEN_BIN: in one
 * file, and side by side, because both wait for beats of 2 s.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Reply, type TestDns, a, createTestDns, srv } from '../support/gobetween-dns.js';
import { type Lab, type TcpBackend, createLab, eventually } from '../support/gobetween-lab.js';
import { takePorts } from '../support/gobetween-ports.js';
import { targets } from '../support/gobetween-target.js';

const ports = await takePorts();
after(() => ports.release());

for (const target of targets()) {
  describe(`SRV discovery and statistics of the ${target.name}`, { concurrency: true }, () => {
    let lab: Lab;
    let dns: TestDns;
    let one: TcpBackend;
    let two: TcpBackend;
    /** Replies by the first label of the name. */
    const replies = new Map<string, (name: string, type: string) => Reply | null>();
    before(async () => {
      lab = await createLab(target, ports);
      dns = await createTestDns();
      dns.answer = (name, type) => replies.get(name.split('.')[0] ?? '')?.(name, type) ?? null;
      [one, two] = [await lab.tcpBackend('one'), await lab.tcpBackend('two')];
    });
    after(async () => {
      await lab.close();
      await dns.close();
    });

    const always = (label: string, reply: () => Reply | null): void => void replies.set(label, reply);
    const serve = (label: string, ...backends: TcpBackend[]): void => {
      always(label, () => ({
        answers: backends.map(({ port }, i) => srv(`${label}.test`, `h${i}.test`, port)),
        additionals: backends.map((_, i) => a(`h${i}.test`, '127.0.0.1')),
      }));
    };
    const post = async (label: string, discovery: Record<string, unknown>, rest = {}): Promise<number> => {
      const port = lab.nextPort();
      await lab.post(label, {
        bind: `127.0.0.1:${port}`,
        ...rest,
        discovery: {
          kind: 'srv',
          srv_lookup_server: dns.address,
          srv_lookup_pattern: `${label}.test.`,
          interval: '300ms',
          timeout: '300ms',
          ...discovery,
        },
      });
      return port;
    };
    const reaches = (port: number, name: string, waitMs = 3000): Promise<boolean> =>
      eventually(async () => (await lab.reach(port)) === name, waitMs);

    for (const protocol of ['udp', 'tcp'] as const) {
      test(`${protocol}: asks once per interval, with EDNS0 4096 and DO, and follows the answers`, async () => {
        const label = `follow-${protocol}`;
        serve(label, one);
        const port = await post(label, { srv_dns_protocol: protocol });
        assert.ok(await reaches(port, 'one'));
        serve(label, two);
        assert.ok(await reaches(port, 'two'));
        const [first] = dns.queries.filter(({ packet }) => packet.questions?.[0]?.name === `${label}.test`);
        assert.equal(first?.protocol, protocol);
        const [edns] = first?.packet.additionals ?? [];
        assert.ok(edns?.type === 'OPT');
        assert.deepEqual([edns.udpPayloadSize, edns.flag_do], [4096, true]);
        assert.equal((first?.packet.flags ?? 0) & 0x0100, 0x0100, 'recursion desired');
        const before = dns.asked(`${label}.test`);
        await sleep(1000);
        const asked = dns.asked(`${label}.test`) - before;
        assert.ok(asked >= 2 && asked <= 4, `${asked} questions in a second`);
      });
    }

    test('an address that is not in the Additional section is asked for', async () => {
      replies.set('bare', (_, type) => {
        if (type === 'SRV')
          return {
            answers: [srv('bare.test', 'bare.test', one.port, 3, 7), srv('bare.test', 'none.test', 1)],
          };
        return { answers: [a('bare.test', '127.0.0.1')] };
      });
      always('none', () => ({}));
      const port = await post('bare', {});
      assert.ok(await reaches(port, 'one'));
      assert.ok(dns.asked('bare.test', 'A') >= 1);
      assert.ok(dns.asked('none.test', 'A') >= 1 && dns.asked('none.test', 'AAAA') >= 1, 'A, then AAAA');
      const shown = async (): Promise<boolean> => (await lab.stats('bare')).backends.length > 0;
      assert.ok(await eventually(shown));
      const { backends } = await lab.stats('bare');
      assert.deepEqual(
        backends.map(({ host, port: at, priority, weight, sni }) => ({ host, at, priority, weight, sni })),
        [{ host: '127.0.0.1', at: String(one.port), priority: 7, weight: 3, sni: 'bare.test' }],
      );
    });

    for (const [what, reply] of [
      ['NOERROR', {}],
      ['NXDOMAIN', { rcode: 3 }],
      ['SERVFAIL', { rcode: 2 }],
    ] as const) {
      test(`an empty answer (${what}) empties at once, failpolicy keeplast or not`, async () => {
        const label = `empty-${what.toLowerCase()}`;
        serve(label, one);
        const port = await post(label, { failpolicy: 'keeplast' });
        assert.ok(await reaches(port, 'one'));
        always(label, () => reply);
        assert.ok(await reaches(port, '', 1500));
      });
    }

    test('keeplast keeps when there is no answer; setempty empties after the time-out', async () => {
      serve('keep', one);
      serve('drop', one);
      const keep = await post('keep', { failpolicy: 'keeplast' });
      const drop = await post('drop', { failpolicy: 'setempty' });
      assert.ok((await reaches(keep, 'one')) && (await reaches(drop, 'one')));
      always('keep', () => null);
      always('drop', () => null);
      assert.ok(await reaches(drop, '', 1500));
      assert.equal(await lab.reach(keep), 'one');
    });

    test('a failure is retried after 2 s, whatever the interval', async () => {
      always('lost', () => null);
      const port = await post('lost', { interval: '100ms' });
      await sleep(1500);
      assert.equal(dns.asked('lost.test'), 1);
      serve('lost', one);
      assert.ok(await reaches(port, 'one'));
      assert.equal(await reaches(port, 'one'), true);
    });

    test('records that are no SRV are a failure, not an empty answer', async () => {
      serve('mixed', one);
      const port = await post('mixed', {});
      assert.ok(await reaches(port, 'one'));
      always('mixed', () => ({ answers: [{ type: 'CNAME', name: 'mixed.test', ttl: 1, data: 'x.test' }] }));
      const before = dns.asked('mixed.test');
      assert.ok(await eventually(() => dns.asked('mixed.test') > before));
      await sleep(100);
      assert.equal(await lab.reach(port), 'one');
    });

    test('interval 0 asks until the first success, and never again', async () => {
      serve('once', one);
      const port = await post('once', { interval: '0' });
      assert.ok(await reaches(port, 'one'));
      always('once', () => ({}));
      await sleep(2500);
      assert.equal(dns.asked('once.test'), 1);
      assert.equal(await lab.reach(port), 'one');
    });

    test('no question without the final dot, nor to a server without a port', async () => {
      serve('dotless', one);
      serve('portless', one);
      await post('dotless', { srv_lookup_pattern: 'dotless.test' });
      await post('portless', { srv_lookup_server: '127.0.0.1' });
      await sleep(400);
      assert.deepEqual([dns.asked('dotless.test'), dns.asked('portless.test')], [0, 0]);
    });

    test('over udp a truncated answer is used as it is', async () => {
      always('cut', () => ({
        answers: [srv('cut.test', 'h0.test', one.port)],
        additionals: [a('h0.test', '127.0.0.1')],
        truncated: true,
      }));
      const port = await post('cut', { srv_dns_protocol: 'udp' });
      assert.ok(await reaches(port, 'one'));
      assert.ok(
        dns.queries.every(({ protocol, packet }) => {
          return packet.questions?.[0]?.name !== 'cut.test' || protocol === 'udp';
        }),
      );
    });

    test('a backend that left keeps its connections, and is listed until they end', async () => {
      serve('leaving', one);
      const port = await post('leaving', {});
      assert.ok(await reaches(port, 'one'));
      const held = lab.dial(port);
      await held.until('\n');
      serve('leaving', two);
      assert.ok(await reaches(port, 'two'));
      assert.equal(held.ended, false);
      const listed = async (): Promise<number> => (await lab.stats('leaving')).backends.length;
      assert.ok(await eventually(async () => (await listed()) === 2));
      held.close();
      assert.ok(await eventually(async () => (await listed()) === 1, 4000));
    });

    test('bytes are counted at each beat of 2 s; an idle connection goes on counting its last bytes', async () => {
      const backend = await lab.tcpBackend('s');
      const port = lab.nextPort();
      const discovery = { kind: 'static', static_list: [`127.0.0.1:${backend.port}`] };
      await lab.post('counted', { bind: `127.0.0.1:${port}`, discovery });
      assert.ok(await eventually(async () => (await lab.reach(port)) === 's'));
      const client = lab.dial(port);
      await client.until('\n');
      client.write('x'.repeat(998));
      await client.until('x'.repeat(998));
      assert.deepEqual((await lab.stats('counted')).backends, [], 'nothing is shown before the first beat');
      assert.ok(await eventually(async () => (await lab.stats('counted')).tx_total > 0, 4000));
      const first = await lab.stats('counted');
      assert.equal(first.active_connections, 1);
      assert.ok(first.tx_second > 0 && first.rx_second >= first.tx_second);
      await sleep(2600);
      const later = await lab.stats('counted');
      assert.ok(later.tx_second >= 499, 'a whole beat of silence, and yet a rate');
      assert.ok(later.tx_total >= first.tx_total + 998);
      const shown = later.backends[0]?.stats;
      assert.deepEqual(
        [shown?.['live'], shown?.['discovered'], shown?.['active_connections']],
        [true, true, 1],
      );
      client.close();
      assert.ok(await eventually(async () => (await lab.stats('counted')).active_connections === 0));
      const silent = async (): Promise<boolean> => {
        const { rx_second: rx, tx_second: tx } = await lab.stats('counted');
        return rx === 0 && tx === 0;
      };
      assert.ok(await eventually(silent, 5000), 'closing it is what ends the rate');
    });
  });
}
