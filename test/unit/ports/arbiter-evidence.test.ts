import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimOf, createBench, keyOf, serverName } from '../../support/claims.js';

const listen = { proto: 'tcp' as const, addr: '0.0.0.0', port: 8080 };

describe('who holds it keeps it', () => {
  test('at a start the service whose server is in GoBetween wins, whatever its path', () => {
    const { arbiter, got, up } = createBench();
    const web = claimOf('web', 80, 8080);
    const app = claimOf('app', 80, 8080);
    up(web);
    arbiter.setClaims(app.key, [app]);
    arbiter.setClaims(web.key, [web]);
    arbiter.decide([]);
    assert.equal(got(web), 8080);
    assert.equal(got(app), 'port-conflict');
  });

  test('at a start without servers the service on record wins; then the older record', () => {
    const { arbiter, got } = createBench();
    const record = { proto: 'tcp' as const, label: 80, addr: '0.0.0.0', port: 8080 };
    const [a, m, z] = ['a', 'm', 'z'].map((name) => claimOf(name, 80, 8080));
    assert.ok(a && m && z);
    arbiter.record(m.key, { ...record, since: 20 });
    arbiter.record(z.key, { ...record, since: 10 });
    for (const claim of [a, m, z]) arbiter.setClaims(claim.key, [claim]);
    arbiter.decide([]);
    assert.equal(got(z), 8080);
    assert.equal(got(m), 'port-conflict');
    assert.equal(got(a), 'port-conflict');
  });

  test('the records that it gives out put it back after a restart', () => {
    const first = createBench();
    const auto = claimOf('web', 443, null);
    const winner = claimOf('web', 80, 8080);
    first.set('web', auto, winner, claimOf('web', 81, 8081, { served: false }));
    first.set('app', claimOf('app', 80, 8080));
    const second = createBench();
    for (const record of first.arbiter.recordsOf(keyOf('web'))) second.arbiter.record(keyOf('web'), record);
    assert.equal(first.arbiter.recordsOf(keyOf('web')).length, 2);
    assert.deepEqual(first.arbiter.recordsOf(keyOf('app')), []);
    second.arbiter.setClaims(keyOf('app'), [claimOf('app', 80, 8080)]);
    second.arbiter.setClaims(keyOf('web'), [auto, winner]);
    second.arbiter.decide([]);
    assert.equal(second.got(winner), 8080);
    assert.equal(second.got(auto), first.got(auto));
  });

  test('a service that comes back while its server still listens has its port, whoever was given it since (D16)', () => {
    const { set, got, up } = createBench();
    const web = claimOf('web', 80, null);
    set('web', web);
    up(web);
    const app = claimOf('app', 80, Number(got(web)));
    set('web');
    set('app', app);
    assert.equal(got(app), app.listen);
    set('web', web);
    assert.equal(got(web), app.listen);
    assert.equal(got(app), 'port-conflict');
  });

  test('foreign servers that could not both listen are both respected', () => {
    const { arbiter, set, got } = createBench();
    arbiter.hold('theirs', null, { ...listen, addr: '0.0.0.0' });
    arbiter.hold('also-theirs', null, { ...listen, addr: '127.0.0.1' });
    const web = claimOf('web', 80, 8080, { addr: '127.0.0.1' });
    const app = claimOf('app', 80, 8080, { addr: '127.0.0.2' });
    set('web', web);
    set('app', app);
    assert.equal(got(web), 'port-busy');
    assert.equal(got(app), 'port-busy');
  });

  test('a restart of GoBetween costs nobody its port', () => {
    const { set, got, up, down } = createBench();
    const web = claimOf('web', 80, 8080);
    const app = claimOf('app', 80, 8080);
    set('web', web);
    up(web);
    set('app', app);
    down(web);
    set('app', app);
    assert.equal(got(web), 8080);
    assert.equal(got(app), 'port-conflict');
  });

  test('a server that turns out to be there takes the port from a claim that has none yet', () => {
    const { set, got, up, look } = createBench();
    const web = claimOf('web', 80, 8080);
    const app = claimOf('app', 80, 8080);
    set('app', app);
    set('web', web);
    assert.equal(got(app), 8080);
    up(web);
    assert.deepEqual(look(), ['app', 'web']);
    assert.equal(got(web), 8080);
  });

  test('an edit of the address beats a newcomer but not who listens there', () => {
    const { set, got, up } = createBench();
    const narrow = claimOf('a', 80, 8080, { addr: '127.0.0.1' });
    const other = claimOf('b', 80, 8080, { addr: '127.0.0.2' });
    set('a', narrow);
    set('b', other);
    up(narrow);
    up(other);
    const wide = claimOf('a', 80, 8080);
    set('a', wide);
    assert.equal(got(wide), 'port-conflict');
    assert.equal(got(other), 8080);
  });

  test('swapped ports: each gets the other port, and the former servers are needed', () => {
    const { arbiter, set, got, up } = createBench();
    const a = claimOf('a', 80, 8080);
    const b = claimOf('b', 80, 8081);
    set('a', a);
    set('b', b);
    up(a);
    up(b);
    const a2 = claimOf('a', 80, 8081);
    const b2 = claimOf('b', 80, 8080);
    set('a', a2);
    assert.equal(got(a2), 'port-conflict');
    assert.equal(arbiter.needed(serverName(a)), false, 'its former server keeps serving');
    assert.deepEqual(set('b', b2), ['a']);
    assert.equal(got(a2), 8081);
    assert.equal(got(b2), 8080);
    assert.ok(arbiter.needed(serverName(a)) && arbiter.needed(serverName(b)));
  });
});

describe('foreign servers', () => {
  test('an explicit claim of their port is held, and served when they are gone', () => {
    const { arbiter, set, grant, got, look } = createBench();
    const web = claimOf('web', 80, 8080);
    arbiter.hold('mine', null, { ...listen, addr: '127.0.0.1' });
    set('web', web);
    const held = grant(web);
    assert.ok(held.kind === 'held');
    assert.equal(held.code, 'port-busy');
    assert.equal(held.winner, null);
    assert.match(held.detail, /127\.0\.0\.1:8080\/tcp belongs to mine in GoBetween/);
    arbiter.release('mine');
    assert.deepEqual(look(), ['web']);
    assert.equal(got(web), 8080);
  });

  test('one that appears on the port of an allocated claim makes it move, unless our server is there', () => {
    const { arbiter, set, got, look, up } = createBench();
    const away = claimOf('a', 443, null);
    const there = claimOf('b', 443, null);
    set('a', away);
    set('b', there);
    const before = { a: Number(got(away)), b: Number(got(there)) };
    up(there);
    arbiter.hold('x', null, { ...listen, port: before.a });
    arbiter.hold('y', null, { ...listen, port: before.b });
    assert.deepEqual(look(), ['a']);
    assert.notEqual(got(away), before.a);
    assert.equal(got(there), before.b);
  });
});

describe('servers of services that are not known, or not understood', () => {
  test('MUST NOT give away the port of an owned server whose service was not read yet', () => {
    const { arbiter, set, grant, got, look } = createBench();
    arbiter.hold('_80._tcp.slow.root.svc', keyOf('slow'), listen);
    const app = claimOf('app', 80, 8080);
    set('app', app);
    const held = grant(app);
    assert.ok(held.kind === 'held');
    assert.equal(held.winner?.key, keyOf('slow'));
    arbiter.setClaims(keyOf('slow'), [claimOf('slow', 80, 9090)]);
    assert.deepEqual(look(), ['app', 'slow'], 'it is read, and does not ask for that port');
    assert.equal(got(app), 8080);
    assert.equal(arbiter.needed('_80._tcp.slow.root.svc'), true);
  });

  test('a service that is proven gone protects nothing', () => {
    const { arbiter, set, got, look } = createBench();
    arbiter.hold('_80._tcp.old.root.svc', keyOf('old'), listen);
    const app = claimOf('app', 80, 8080);
    set('app', app);
    assert.equal(got(app), 'port-conflict');
    arbiter.removeKey(keyOf('old'));
    assert.deepEqual(look(), ['app', 'old']);
    assert.equal(got(app), 8080);
    arbiter.release('_80._tcp.old.root.svc');
    assert.deepEqual(look(), []);
  });

  test('at a start, servers of a service that claims nothing yet stand for themselves', () => {
    const { arbiter, got, look } = createBench();
    arbiter.hold('_80._tcp.web.root.svc', keyOf('web'), listen);
    const own = claimOf('web', 443, 8080);
    const app = claimOf('app', 80, 8080);
    arbiter.setClaims(keyOf('app'), [app]);
    look();
    assert.equal(got(app), 'port-conflict');
    arbiter.setClaims(keyOf('web'), [own]);
    look();
    assert.equal(got(own), 8080);
    assert.equal(got(app), 'port-conflict');
  });
});

describe('needed', () => {
  test('the former server of a held word goes only when its port is granted to another', () => {
    const { arbiter, set, got, up } = createBench();
    const holder = claimOf('z', 80, 8080);
    set('z', holder);
    const before = claimOf('web', 80, 9090);
    set('web', before);
    up(before);
    const after = claimOf('web', 80, 8080);
    set('web', after);
    assert.equal(got(after), 'port-conflict');
    assert.equal(arbiter.needed(serverName(before)), false);
    const app = claimOf('app', 80, 9090, { addr: '127.0.0.1' });
    assert.deepEqual(set('app', app), ['web']);
    assert.equal(got(app), 9090);
    assert.equal(arbiter.needed(serverName(before)), true);
    assert.equal(arbiter.needed('unknown'), false);
  });

  test('a server that serves its own word is never needed', () => {
    const { arbiter, set, up } = createBench();
    const web = claimOf('web', 80, 8080);
    set('web', web);
    up(web);
    set('app', claimOf('app', 80, 8080));
    assert.equal(arbiter.needed(serverName(web)), false);
  });
});
