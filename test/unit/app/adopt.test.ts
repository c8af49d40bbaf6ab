import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppRig, openApp } from '../../support/app-rig.js';

const web80 = '_80._tcp.web.root.svc';

/** Takes the server of `from` out of GoBetween and puts it back under another name, perhaps changed. */
function rename(rig: AppRig, from: string, to: string, change: (body: Body) => void = () => undefined): void {
  const body = JSON.parse(rig.balancer.servers.get(from) ?? '') as Body;
  change(body);
  rig.balancer.servers.delete(from);
  rig.balancer.servers.set(to, JSON.stringify(body));
}

interface Body {
  bind: string;
  balance: string;
  max_connections: number;
  discovery: { interval: string; srv_lookup_server: string };
  healthcheck: { timeout: string; interval: string; kind: string };
}

describe('what was there before the janitor', () => {
  test('a historical server with the wanted content is adopted in place, whatever member of the DNS list it asks', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.source.dns = ['10.0.0.1', '10.0.0.2'];
        r.put('web', '80/tcp-:1080');
      },
    });
    rename(rig, web80, '_80_web', (body) => (body.discovery.srv_lookup_server = '10.0.0.2:53'));
    rig.calls();
    await rig.restart();
    await rig.advance(70_000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.served(), { _80_web: '0.0.0.0:1080' });
    rig.put('web', '80/tcp-:2080');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:2080' });
    await rig.stop();
  });

  test('a historical server at the port of an allocated word keeps it', async () => {
    const rig = await openApp({ given: { 'write-back': 'off' }, prepare: (r) => r.put('web', '80/tcp') });
    rename(rig, web80, '_80_web', (body) => (body.bind = '0.0.0.0:1025'));
    rig.calls();
    await rig.restart();
    await rig.advance(40_000);
    assert.deepEqual(rig.calls(), []);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(Object.values(rig.served()), ['0.0.0.0:1025']);
    await rig.stop();
  });

  test('a historical server that differs is replaced once', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    rename(rig, web80, '_80_web', (body) => (body.balance = 'iphash'));
    rig.calls();
    await rig.restart();
    await rig.advance(40_000);
    assert.deepEqual(rig.calls(), ['DELETE _80_web', `POST ${web80}`]);
    await rig.stop();
  });

  test('a historical server of a spoiled service stays, one of nobody goes by absence only', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rename(rig, web80, '_80_web', (body) => (body.balance = 'iphash'));
    const other = (rig.balancer.servers.get('_80_web') ?? '').replace(':1080', ':1999');
    rig.balancer.servers.set('_80_old', other);
    rig.balancer.servers.set('web', other.replace(':1999', ':1998'));
    rig.put('web', '80/tcp-:1080', { balance: 'x' });
    rig.calls();
    await rig.restart();
    await rig.advance(100_000);
    assert.deepEqual(rig.calls(), []);
    await rig.advance(3_300_000);
    assert.deepEqual(rig.calls(), ['DELETE _80_old']);
    await rig.stop();
  });

  test('former defaults are adopted; an edit, drift or a restart of GoBetween ends that', async () => {
    const udp = '_53._udp.web.root.svc';
    const idle = (): unknown =>
      (JSON.parse(rig.balancer.servers.get(udp) ?? '') as { client_idle_timeout: string })
        .client_idle_timeout;
    const age = (): void =>
      rename(rig, udp, udp, (body) => Object.assign(body, { client_idle_timeout: '0', max_connections: 0 }));
    const rig = await openApp({ prepare: (r) => r.put('web', '53/udp-:1053') });
    assert.equal(idle(), '1m');
    age();
    rig.calls();
    await rig.restart();
    await rig.advance(70_000);
    rig.put('web', '53/udp-:1053 80/tcp-:1080');
    await rig.advance(5000);
    await rig.restart();
    assert.deepEqual(rig.calls(), [`POST ${web80}`]);
    rename(rig, udp, udp, (body) => (body.balance = 'iphash'));
    await rig.advance(35_000);
    assert.deepEqual(rig.calls(), [`DELETE ${udp}`, `POST ${udp}`]);
    assert.equal(idle(), '1m');
    age();
    await rig.restart();
    rig.put('web', '53/udp-:1053 80/tcp-:1080', { balance: 'iphash1' });
    await rig.advance(10_000);
    assert.equal(idle(), '1m');
    age();
    await rig.restart();
    assert.equal(idle(), '0');
    rig.put('web', '53/udp-:1053 80/tcp-:1080', { balance: 'iphash1', client_idle_timeout: '60s' });
    await rig.advance(10_000);
    assert.equal(idle(), '1m', 'a keyword sets it now');
    age();
    rig.put('web', '53/udp-:1053');
    await rig.restart();
    rig.balancer.restart();
    await rig.advance(5000);
    assert.equal(idle(), '1m');
    await rig.stop();
  });

  test('names of others are not touched', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    const body = rig.balancer.servers.get(web80) ?? '';
    let port = 3000;
    const foreign = [
      'web',
      '_80._tcp.web.root.svc@10.0.0.01:80',
      '_080._tcp.web.root.svc',
      '_80._TCP.web.root.svc',
      '_80._sctp.web.root.svc',
      'x_80_web',
    ];
    for (const each of foreign) rig.balancer.servers.set(each, body.replace(':1080', `:${port++}`));
    for (const each of ['web2', 'web-api', 'w.eb']) rig.put(each, `80/tcp-:${port++}`);
    rig.source.put('ns1/svc/web', { igw_gobtw_bind: `80/tcp-:${port}` });
    await rig.advance(5000);
    const before = rig.served();
    assert.equal(Object.keys(before).length, 11);
    rig.source.handlers?.onDeleting('root/svc/web' as never);
    rig.source.remove('web');
    await rig.advance(100_000);
    const { [web80]: gone, ...rest } = before;
    assert.ok(gone !== undefined);
    assert.deepEqual(rig.served(), rest);
    await rig.stop();
  });
});

describe('DNS', () => {
  const lookups = (rig: AppRig): string[] =>
    [...rig.balancer.servers.values()].map((body) => (JSON.parse(body) as Body).discovery.srv_lookup_server);

  test('any member of the list is as good as another, also after a restart', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.source.dns = ['10.0.0.1', '10.0.0.2'];
        r.put('web', '80/tcp-:1080 443/tcp-:1443');
      },
    });
    rig.calls();
    rig.source.dns = ['10.0.0.2', '10.0.0.1', '10.0.0.3'];
    rig.source.clusterConfigCsum = 'other';
    await rig.advance(60_000);
    await rig.restart();
    await rig.advance(60_000);
    assert.deepEqual(rig.calls(), []);
    rig.put('db', '80/tcp-:2080');
    await rig.advance(5000);
    assert.equal(rig.calls().length, 1);
    await rig.stop();
  });

  test('a server moves when its DNS left the list, or is down for 60 s while another answers', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.source.dns = ['10.0.0.1', '10.0.0.2'];
        r.put('web', '80/tcp-:1080');
      },
    });
    assert.deepEqual(lookups(rig), ['10.0.0.1:53']);
    rig.dns.set('10.0.0.1', { answers: false, why: 'REFUSED' });
    await rig.advance(50_000);
    assert.deepEqual(lookups(rig), ['10.0.0.1:53']);
    await rig.advance(50_000);
    assert.deepEqual(lookups(rig), ['10.0.0.2:53']);
    rig.dns.clear();
    await rig.advance(100_000);
    assert.deepEqual(lookups(rig), ['10.0.0.2:53'], 'sticky');
    rig.source.dns = ['10.0.0.1'];
    rig.source.clusterConfigCsum = 'other';
    await rig.advance(60_000);
    assert.deepEqual(lookups(rig), ['10.0.0.1:53']);
    rig.calls();
    rig.source.dns = [];
    rig.source.clusterConfigCsum = 'none';
    await rig.advance(60_000);
    assert.deepEqual(rig.calls(), []);
    rig.put('db', '80/tcp-:2080');
    rig.put('web', '80/tcp-:1080', { balance: 'iphash' });
    await rig.advance(20_000);
    assert.deepEqual(rig.problems(), ['no-dns db']);
    assert.deepEqual(lookups(rig), ['10.0.0.1:53']);
    assert.deepEqual(rig.calls(), [`DELETE ${web80}`, `POST ${web80}`]);
    await rig.restart();
    assert.deepEqual(rig.calls(), []);
    await rig.stop();
  });

  test('a new list of which none answers yet moves nothing; the first answer does', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.source.dns = ['10.0.0.1'];
        r.put('web', '80/tcp-:1080');
      },
    });
    rig.dns.set('10.0.0.9', { answers: false, why: 'REFUSED' });
    rig.source.dns = ['10.0.0.9'];
    rig.source.clusterConfigCsum = 'new';
    await rig.advance(120_000);
    await rig.restart();
    assert.deepEqual(lookups(rig), ['10.0.0.1:53']);
    rig.dns.clear();
    await rig.advance(60_000);
    assert.deepEqual(lookups(rig), ['10.0.0.9:53']);
    await rig.stop();
  });

  test('none answers: at a first start the first is taken, later everything stays', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.source.dns = ['10.0.0.1', '10.0.0.2'];
        for (const ip of r.source.dns) r.dns.set(ip, { answers: false, why: 'timeout' });
        r.put('web', '80/tcp-:1080');
      },
    });
    assert.deepEqual(lookups(rig), ['10.0.0.1:53']);
    rig.calls();
    await rig.advance(300_000);
    assert.deepEqual(rig.calls(), []);
    rig.dns.delete('10.0.0.2');
    await rig.advance(30_000);
    assert.deepEqual(rig.calls(), []);
    await rig.advance(60_000);
    assert.deepEqual(lookups(rig), ['10.0.0.2:53']);
    await rig.stop();
  });

  test('a lookup server of its own, a port, a protocol', async () => {
    const rig = await openApp({
      prepare: (r) => r.put('web', '80/tcp-:1080', { discovery_srv_lookup_server: '[fd00::1]' }),
    });
    assert.deepEqual(lookups(rig), ['[fd00::1]:53']);
    rig.calls();
    await rig.restart();
    await rig.advance(30_000);
    assert.deepEqual(rig.calls(), []);
    rig.source.put('web', { igw_gobtw_bind: '80/tcp-:1080', dns_port: '5353' });
    await rig.advance(5000);
    assert.deepEqual(lookups(rig), ['10.0.0.1:5353']);
    await rig.stop();
  });
});
