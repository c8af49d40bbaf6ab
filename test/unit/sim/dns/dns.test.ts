/** The simulated cluster DNS: what it publishes and how it fails (reference/opensvc-v2-protocol.md §8). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCluster, type SimCluster } from '../../../../src/sim/cluster/cluster.js';
import { type DnsMode, startDns } from '../../../../src/sim/dns/dns.js';
import { queryTcp, queryUdp, type Reply } from '../../../support/dns-client.js';

const service = (expose: string, more = ''): string =>
  `[DEFAULT]\ntopology = flex\n\n[ip#0]\ntype = cni\nexpose = ${expose}\n${more}\n[env]\nigw_gobtw_bind = 80/tcp\n`;

async function stage(t: { after(fn: () => unknown): void }) {
  const cluster = createCluster({ name: 'Clu1', nodes: ['n1', 'n2'], dns: ['127.0.0.1'] });
  const dns = await startDns({ cluster, bind: '127.0.0.1:0' });
  t.after(() => dns.stop());
  return { cluster, dns };
}

const ports = (reply: Reply): readonly number[] =>
  (reply.answers ?? []).flatMap((record) => (record.type === 'SRV' ? [record.data.port] : []));

describe('records', () => {
  test('the left part of expose is the label and the port', async (t) => {
    const { cluster, dns } = await stage(t);
    cluster.create('NS1/svc/web', service('8443/tcp:443 53/udp'));
    const left = await queryUdp(dns.port, 'SRV', '_8443._tcp.web.ns1.svc.clu1');
    assert.deepEqual(ports(left), [8443, 8443]);
    const right = await queryUdp(dns.port, 'SRV', '_443._tcp.web.ns1.svc.clu1');
    assert.equal(right.rcode, 'NXDOMAIN');
    assert.deepEqual(ports(await queryUdp(dns.port, 'SRV', '_DOMAIN._UDP.Web.Ns1.svc.CLU1')), [53, 53]);
  });

  test('an expose resource publishes its own port', async (t) => {
    const { cluster, dns } = await stage(t);
    cluster.create('web', service('expose#1', '\n[expose#1]\ntype = envoy\nport = 8080\nprotocol = tcp\n'));
    assert.deepEqual(ports(await queryUdp(dns.port, 'SRV', '_8080._tcp.web.root.svc.clu1')), [8080, 8080]);
  });

  test('follow the cluster: stopped instances stay, slaves count for their scaler, a lost node goes', async (t) => {
    const { cluster, dns } = await stage(t);
    cluster.create('web', service('8080/tcp'));
    const found = async (): Promise<number> =>
      ports(await queryUdp(dns.port, 'SRV', '_8080._tcp.web.root.svc.clu1')).length;
    assert.equal(await found(), 2);
    cluster.setUp('web', false);
    assert.equal(await found(), 2);
    cluster.scale('web', 3);
    assert.equal(await found(), 6);
    cluster.loseNode('n2');
    assert.equal(await found(), 3);
    cluster.delete('web', { announced: true });
    assert.equal(await found(), 0);
  });

  test('addresses by service, by node and by address, and nothing of another type', async (t) => {
    const { cluster, dns } = await stage(t);
    cluster.create('web', service('8080/tcp'));
    cluster.setAddress('web', 'n1', '127.9.0.1');
    cluster.setAddress('web', 'n2', '127.9.0.2');
    const address = async (name: string): Promise<readonly unknown[]> =>
      ((await queryTcp(dns.port, 'A', name)).answers ?? []).map((record) => 'data' in record && record.data);
    assert.deepEqual(await address('web.root.svc.clu1'), ['127.9.0.1', '127.9.0.2']);
    assert.deepEqual(await address('web.root.svc.n2.node.clu1'), ['127.9.0.2']);
    assert.deepEqual(await address('127-9-0-1.web.root.svc.clu1'), ['127.9.0.1']);
    assert.deepEqual(await address('ns0.clu1'), ['127.0.0.1']);
    const nodata = await queryUdp(dns.port, 'AAAA', 'web.root.svc.clu1');
    assert.equal(nodata.rcode, 'NOERROR');
    assert.deepEqual([nodata.answers?.length, nodata.authorities?.[0]?.type], [0, 'SOA']);
  });
});

describe('size over UDP', () => {
  const many = (cluster: SimCluster): void => {
    cluster.create('web', service('8080/tcp'));
    cluster.scale('web', 12);
  };

  test('too long is cut and says so, TCP has it all', async (t) => {
    const { cluster, dns } = await stage(t);
    many(cluster);
    const name = '_8080._tcp.web.root.svc.clu1';
    for (const options of [{}, { ednsBytes: 1232 }]) {
      const reply = await queryUdp(dns.port, 'SRV', name, options);
      assert.deepEqual([reply.flag_tc, reply.answers?.length], [true, 0]);
    }
    const whole = await queryTcp(dns.port, 'SRV', name);
    assert.deepEqual([whole.flag_tc, whole.answers?.length, whole.additionals?.length], [false, 24, 24]);
  });

  test('what only the additional addresses make too long is sent without them', async (t) => {
    const { cluster, dns } = await stage(t);
    cluster.create('web', service('8080/tcp'));
    cluster.scale('web', 3);
    const reply = await queryUdp(dns.port, 'SRV', '_8080._tcp.web.root.svc.clu1');
    assert.deepEqual([reply.flag_tc, reply.answers?.length, reply.additionals?.length], [false, 6, 0]);
  });
});

describe('failures', () => {
  for (const [mode, rcode] of [
    ['servfail', 'SERVFAIL'],
    ['refused', 'REFUSED'],
    ['nxdomain', 'NXDOMAIN'],
    ['empty', 'NOERROR'],
  ] as const satisfies readonly (readonly [DnsMode, string])[]) {
    test(mode, async (t) => {
      const { dns } = await stage(t);
      dns.setMode(mode);
      for (const query of [queryUdp, queryTcp]) {
        const reply = await query(dns.port, 'SOA', 'clu1');
        assert.deepEqual([reply.rcode, reply.answers?.length], [rcode, 0]);
      }
      dns.setMode('ok');
      assert.equal((await queryUdp(dns.port, 'SOA', 'clu1')).answers?.length, 1);
    });
  }

  test('silent over one protocol leaves the other alone; queries are counted all the same', async (t) => {
    const { dns } = await stage(t);
    dns.setMode('silent', 'udp');
    await assert.rejects(queryUdp(dns.port, 'SOA', 'clu1', { timeoutMs: 40 }), /no reply/);
    assert.equal((await queryTcp(dns.port, 'SOA', 'clu1')).rcode, 'NOERROR');
    assert.deepEqual([dns.count(), dns.count('SOA'), dns.count('SRV')], [2, 2, 0]);
  });

  test('outside the zone is refused', async (t) => {
    const { dns } = await stage(t);
    assert.equal((await queryUdp(dns.port, 'A', 'notclu1')).rcode, 'REFUSED');
  });
});
