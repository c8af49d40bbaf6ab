import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimOf, createBench, keyOf } from '../../support/claims.js';

describe('allocated claims', () => {
  test('a port of the range outside the ephemeral ones, on the asked address', () => {
    const { set, grant } = createBench();
    const web = claimOf('web', 443, null, { addr: '127.0.0.6' });
    set('web', web);
    const granted = grant(web);
    assert.ok(granted.kind === 'granted');
    assert.equal(granted.addr, '127.0.0.6');
    assert.ok(granted.port >= 1024 && granted.port <= 65535);
    assert.ok(granted.port < 32768 || granted.port > 60999);
  });

  test('ephemeral ports come last', () => {
    const { set, got } = createBench({ from: 32766, to: 32769 });
    const claims = [1, 2, 3, 4].map((label) => claimOf('web', label, null));
    set('web', ...claims);
    const ports = claims.map(got);
    assert.deepEqual(new Set(ports.slice(0, 2)), new Set([32766, 32767]));
    assert.deepEqual(new Set(ports.slice(2)), new Set([32768, 32769]));
  });

  test('never a reserved port, never one that is explicit anywhere in the cluster, on any address', () => {
    const { set, got } = createBench({ from: 2000, to: 2003, reserved: [2000] });
    set('a', claimOf('a', 80, 2001, { served: false }));
    set('b', claimOf('b', 80, 2002, { addr: '127.0.0.9' }));
    const web = claimOf('web', 443, null, { addr: '127.0.0.1' });
    set('web', web);
    assert.equal(got(web), 2003);
  });

  test('never a port of a foreign server', () => {
    const { arbiter, set, got } = createBench({ from: 2000, to: 2001 });
    arbiter.hold('mine', null, { proto: 'tcp', addr: '127.0.0.1', port: 2000 });
    const web = claimOf('web', 443, null);
    set('web', web);
    assert.equal(got(web), 2001);
  });

  test('sticky: neither edits of its service nor other services move it', () => {
    const { set, got } = createBench({ from: 2000, to: 2010 });
    const web = claimOf('web', 443, null);
    set('web', web);
    const port = got(web);
    set('web', web, claimOf('web', 80, 8080));
    for (let n = 0; n < 5; n++) set(`a${n}`, claimOf(`a${n}`, 443, null));
    assert.equal(got(web), port);
  });

  test('sticky: an explicit claim that comes later for its port is held', () => {
    const { set, got } = createBench();
    const web = claimOf('web', 443, null);
    set('web', web);
    const port = Number(got(web));
    const app = claimOf('app', 80, port);
    assert.deepEqual(set('app', app), []);
    assert.equal(got(web), port);
    assert.equal(got(app), 'port-conflict');
  });

  test('in one batch explicit beats allocated: the allocated one goes elsewhere', () => {
    const alone = createBench();
    const web = claimOf('web', 443, null);
    alone.set('web', web);
    const home = Number(alone.got(web));
    const { arbiter, got } = createBench();
    const app = claimOf('zzz', 80, home);
    arbiter.setClaims(web.key, [web]);
    arbiter.setClaims(app.key, [app]);
    arbiter.decide([]);
    assert.equal(got(app), home);
    assert.notEqual(got(web), home);
  });

  test('written back: the word becomes explicit and nothing moves, nor back again', () => {
    const { set, got, up } = createBench();
    const auto = claimOf('web', 443, null);
    set('web', auto);
    const port = Number(got(auto));
    up(auto, port);
    const explicit = claimOf('web', 443, port);
    assert.deepEqual(set('web', explicit), []);
    assert.equal(got(explicit), port);
    assert.deepEqual(set('web', auto), []);
    assert.equal(got(auto), port);
  });

  test('written back while another waits for the port: it stays with its owner', () => {
    const { set, got } = createBench();
    const auto = claimOf('web', 443, null);
    set('web', auto);
    const port = Number(got(auto));
    const app = claimOf('app', 80, port);
    set('app', app);
    const explicit = claimOf('web', 443, port);
    set('web', explicit);
    assert.equal(got(explicit), port);
    assert.equal(got(app), 'port-conflict');
  });

  test('at a start its server in GoBetween says which port it has', () => {
    const { arbiter, set, got } = createBench();
    const listen = { proto: 'tcp' as const, addr: '0.0.0.0', port: 4321 };
    arbiter.hold('_443._tcp.web.root.svc', keyOf('web'), listen);
    arbiter.hold('_80_old', keyOf('old'), { ...listen, port: 4322 });
    const web = claimOf('web', 443, null);
    const old = claimOf('old', 80, null);
    set('web', web);
    set('old', old);
    assert.equal(got(web), 4321);
    assert.equal(got(old), 4322, 'historical names say it too');
  });

  test('at a start: not a server of another label, address or protocol, nor one that an explicit word has', () => {
    const { arbiter, set, got } = createBench();
    const listen = { proto: 'tcp' as const, addr: '0.0.0.0', port: 4321 };
    arbiter.hold('_80._tcp.web.root.svc', keyOf('web'), listen);
    arbiter.hold('_443._tcp.web.root.svc', keyOf('web'), { ...listen, addr: '127.0.0.1', port: 4322 });
    arbiter.hold('_443._udp.web.root.svc', keyOf('web'), { ...listen, proto: 'udp', port: 4323 });
    arbiter.hold('_443._tcp.web.root.svc@0.0.0.0:4324', keyOf('web'), { ...listen, port: 4324 });
    const web = claimOf('web', 443, null);
    const explicit = claimOf('web', 443, 4324);
    set('web', web, explicit);
    assert.equal(got(explicit), 4324);
    const port = Number(got(web));
    assert.ok(port < 4321 || port > 4324);
  });

  test('at a start the state says which port it had, and the port is not given to a newcomer', () => {
    const { arbiter, got } = createBench();
    arbiter.record(keyOf('web'), { proto: 'tcp', label: 443, addr: '0.0.0.0', port: 4321, since: 5 });
    const web = claimOf('web', 443, null);
    const app = claimOf('app', 80, 4321);
    arbiter.setClaims(web.key, [web]);
    arbiter.setClaims(app.key, [app]);
    arbiter.decide([]);
    assert.equal(got(web), 4321);
    assert.equal(got(app), 'port-conflict');
  });

  test('claims of services served elsewhere are allocated too, and take no port from ours', () => {
    const { set, got } = createBench({ from: 2000, to: 2001 });
    const away = claimOf('a', 443, null, { served: false });
    const here = claimOf('b', 443, null);
    set('a', away);
    set('b', here);
    assert.deepEqual(new Set([got(away), got(here)]), new Set([2000, 2001]));
  });

  test('a service that comes to this gateway keeps its port, unless an explicit one listens there', () => {
    const { set, got } = createBench();
    const away = claimOf('a', 443, null, { served: false });
    set('a', away);
    const port = Number(got(away));
    const here = claimOf('a', 443, null);
    set('a', here);
    assert.equal(got(here), port);
    set('a', away);
    const rival = claimOf('b', 80, port);
    set('b', rival);
    assert.equal(got(rival), port, 'it does not listen here, so it stops nobody');
    set('a', here);
    assert.equal(got(rival), port);
    assert.notEqual(got(here), port);
    assert.equal(typeof got(here), 'number');
  });

  test('port-exhausted names the claims that found none; they get the next port that comes free', () => {
    const { arbiter, set, got } = createBench({ from: 2000, to: 2001 });
    const [a, b, c] = ['a', 'b', 'c'].map((name) => claimOf(name, 443, null));
    assert.ok(a && b && c);
    set('a', a);
    set('b', b);
    set('c', c);
    assert.equal(got(c), 'port-exhausted');
    assert.equal(arbiter.exhausted(), 1);
    assert.equal(typeof got(claimed(set, 'd')), 'number', 'udp is another space');
    assert.deepEqual(set('a'), ['c']);
    assert.equal(typeof got(c), 'number');
    assert.equal(arbiter.exhausted(), 0);
  });

  test('usage counts every port of the range once', () => {
    const { arbiter, set } = createBench({ from: 2000, to: 2009, reserved: [2001, 9284] });
    set('a', claimOf('a', 443, null), claimOf('a', 80, 2001), claimOf('a', 81, 8080), claimOf('a', 82, 2005));
    arbiter.busy({ proto: 'tcp', addr: '0.0.0.0', port: 2003 }, true);
    const { tcp, udp } = arbiter.usage();
    assert.equal(tcp.free + tcp.used + tcp.reserved + tcp.quarantined, 10);
    assert.equal(tcp.reserved, 1);
    assert.ok(tcp.used === 2 || tcp.used === 3);
    assert.deepEqual(udp, { free: 9, used: 0, reserved: 1, quarantined: 0, total: 10 });
  });
});

function claimed(set: (name: string, ...claims: ReturnType<typeof claimOf>[]) => unknown, name: string) {
  const claim = claimOf(name, 53, null, { proto: 'udp' });
  set(name, claim);
  return claim;
}
