import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimOf, createBench, keyOf } from '../../support/claims.js';

describe('explicit claims', () => {
  test('a port that nobody else wants is granted as asked', () => {
    const { set, grant } = createBench();
    const web = claimOf('web', 80, 8080, { addr: '127.0.0.1' });
    set('web', web);
    assert.deepEqual(grant(web), { kind: 'granted', addr: '127.0.0.1', port: 8080 });
  });

  test('two services, one port: the smaller path wins a first round, and the loser names it', () => {
    const { arbiter, grant } = createBench();
    const web = claimOf('web', 80, 8080);
    const app = claimOf('app', 80, 8080);
    arbiter.setClaims(web.key, [web]);
    arbiter.setClaims(app.key, [app]);
    arbiter.decide([web.key, app.key]);
    assert.equal(grant(app).kind, 'granted');
    const held = grant(web);
    assert.ok(held.kind === 'held');
    assert.equal(held.code, 'port-conflict');
    assert.equal(held.winner?.key, keyOf('app'));
    assert.equal(held.detail, '0.0.0.0:8080/tcp belongs to app');
  });

  test('MUST NOT move an explicit port: the later claim is held, never sent elsewhere', () => {
    const { set, got } = createBench();
    const web = claimOf('web', 80, 8080);
    set('web', web);
    const app = claimOf('app', 80, 8080);
    set('app', app);
    assert.equal(got(web), 8080);
    assert.equal(got(app), 'port-conflict');
  });

  test('the loser is served as soon as the winner leaves, and is named as affected', () => {
    const { set, got } = createBench();
    const web = claimOf('web', 80, 8080);
    const app = claimOf('app', 80, 8080);
    set('web', web);
    set('app', app);
    assert.deepEqual(set('web'), ['app']);
    assert.equal(got(app), 8080);
  });

  test('the loser is served when the winner moves to another port', () => {
    const { set, got } = createBench();
    const app = claimOf('app', 80, 8080);
    set('web', claimOf('web', 80, 8080));
    set('app', app);
    assert.deepEqual(set('web', claimOf('web', 80, 9090)), ['app']);
    assert.equal(got(app), 8080);
  });

  test('the next in line is the oldest claim, not the smallest path', async () => {
    const { set, got, clock } = createBench();
    set('m', claimOf('m', 80, 8080));
    await clock.advance(10);
    const z = claimOf('z', 80, 8080);
    set('z', z);
    await clock.advance(10);
    const a = claimOf('a', 80, 8080);
    set('a', a);
    assert.deepEqual(set('m'), ['a', 'z']);
    assert.equal(got(z), 8080);
    assert.equal(got(a), 'port-conflict');
  });

  test("MUST NOT cost the winner its port: the winner's unrelated edits", () => {
    const { set, got } = createBench();
    const web = claimOf('web', 80, 8080);
    set('web', web);
    const app = claimOf('app', 80, 8080);
    set('app', app);
    set('web', web, claimOf('web', 443, 8443));
    assert.equal(got(web), 8080);
    const relabelled = claimOf('web', 81, 8080);
    set('web', relabelled);
    assert.equal(got(relabelled), 8080, 'another SRV label on the same listener');
    const narrowed = claimOf('web', 81, 8080, { addr: '127.0.0.1' });
    set('web', narrowed);
    assert.equal(got(narrowed), 8080, 'another address on the same port');
    assert.equal(got(app), 'port-conflict');
  });

  test('a change and its reversal between two decisions changes nothing', () => {
    const { arbiter, set, got, look } = createBench();
    const web = claimOf('web', 80, 8080);
    const app = claimOf('app', 80, 8080);
    set('web', web);
    set('app', app);
    arbiter.setClaims(web.key, []);
    arbiter.setClaims(web.key, [web]);
    assert.deepEqual(look(), ['web'], 'who set claims is told; who waits is not');
    assert.equal(got(web), 8080);
    assert.equal(got(app), 'port-conflict');
  });

  test('tcp and udp have separate spaces', () => {
    const { set, got } = createBench();
    const tcp = claimOf('a', 53, 5353);
    const udp = claimOf('b', 53, 5353, { proto: 'udp' });
    set('a', tcp);
    set('b', udp);
    assert.equal(got(tcp), 5353);
    assert.equal(got(udp), 5353);
  });

  test('different addresses share a port; a wildcard of either family shares with none', () => {
    const { set, got } = createBench();
    const one = claimOf('a', 80, 8080, { addr: '127.0.0.1' });
    const two = claimOf('b', 80, 8080, { addr: '127.0.0.2' });
    const six = claimOf('c', 80, 8080, { addr: '::' });
    set('a', one);
    set('b', two);
    set('c', six);
    assert.equal(got(one), 8080);
    assert.equal(got(two), 8080);
    assert.equal(got(six), 'port-conflict');
  });

  test('one service that asks for one port twice: the smaller label has it', () => {
    const { set, grant, got } = createBench();
    const first = claimOf('web', 443, 8080);
    const second = claimOf('web', 80, 8080);
    set('web', first, second);
    assert.equal(got(first), 8080);
    const held = grant(second);
    assert.ok(held.kind === 'held');
    assert.equal(held.winner?.key, keyOf('web'));
  });

  test('port-reserved: a reserved port is never granted, and beats nobody', () => {
    const { set, got } = createBench({ reserved: [9284] });
    const web = claimOf('web', 80, 9284);
    set('web', web);
    assert.equal(got(web), 'port-reserved');
    const elsewhere = claimOf('app', 80, 9284, { served: false });
    set('app', elsewhere);
    assert.equal(got(elsewhere), 9284, 'another gateway may have it free');
  });

  test('a service served elsewhere does not conflict with ours', () => {
    const { set, got } = createBench();
    const away = claimOf('a', 80, 8080, { served: false });
    const here = claimOf('b', 80, 8080);
    set('a', away);
    set('b', here);
    assert.equal(got(away), 8080);
    assert.equal(got(here), 8080);
  });

  test('a service that comes to this gateway does not oust the one that has its port here', async () => {
    const { set, got, clock } = createBench();
    set('a', claimOf('a', 80, 8080, { served: false }));
    await clock.advance(1000);
    const b = claimOf('b', 80, 8080);
    set('b', b);
    const a = claimOf('a', 80, 8080);
    set('a', a);
    assert.equal(got(b), 8080);
    assert.equal(got(a), 'port-conflict');
  });

  test('removeKey frees its ports', () => {
    const { arbiter, set, look, got } = createBench();
    const app = claimOf('app', 80, 8080);
    set('web', claimOf('web', 80, 8080));
    set('app', app);
    arbiter.removeKey(keyOf('web'));
    assert.deepEqual(look(), ['app']);
    assert.equal(got(app), 8080);
  });
});
