import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimOf, createBench } from '../../support/claims.js';

const busy = (port: number) => ({ proto: 'tcp' as const, addr: '0.0.0.0', port });

describe('a foreign process on a port', () => {
  test('an allocated claim moves on and stays there when the port is free again', async () => {
    const { arbiter, clock, set, got, look } = createBench();
    const web = claimOf('web', 443, null);
    set('web', web);
    const first = Number(got(web));
    arbiter.busy(busy(first), true);
    assert.deepEqual(look(), ['web']);
    const second = got(web);
    assert.notEqual(second, first);
    assert.equal(arbiter.usage().tcp.quarantined, 1);
    await clock.advance(60_000);
    assert.deepEqual(look(), []);
    assert.equal(got(web), second);
    assert.equal(arbiter.usage().tcp.quarantined, 0);
  });

  test('an explicit claim stays granted: the applier retries it', () => {
    const { arbiter, set, got, look } = createBench();
    const web = claimOf('web', 80, 8080);
    set('web', web);
    arbiter.busy(busy(8080), true);
    assert.deepEqual(look(), []);
    assert.equal(got(web), 8080);
  });

  test('a server of ours on the port is no reason to move', () => {
    const { arbiter, set, got, look, up } = createBench();
    const web = claimOf('web', 443, null);
    set('web', web);
    const port = Number(got(web));
    arbiter.busy(busy(port), false);
    assert.deepEqual(look(), []);
    up(web);
    arbiter.busy(busy(port), true);
    assert.deepEqual(look(), [], 'it listens there itself');
    assert.equal(got(web), port);
  });

  test('a claim that found no port gets the one whose quarantine ends', async () => {
    const { arbiter, clock, set, got, look } = createBench({ from: 2000, to: 2000 });
    arbiter.busy(busy(2000), true);
    const web = claimOf('web', 443, null);
    set('web', web);
    assert.equal(got(web), 'port-exhausted');
    await clock.advance(59_999);
    assert.deepEqual(look(), []);
    await clock.advance(1);
    assert.deepEqual(look(), ['web']);
    assert.equal(got(web), 2000);
  });

  test('what came up on the port ends its quarantine', () => {
    const { arbiter, set, up } = createBench();
    const web = claimOf('web', 80, 8080);
    set('web', web);
    arbiter.busy(busy(8080), true);
    up(web);
    assert.equal(arbiter.usage().tcp.quarantined, 0);
  });
});

describe('another gateway wrote first', () => {
  test('a port that we chose moments ago gives way to the same port written for another service', async () => {
    const { clock, set, got, up } = createBench();
    const mine = claimOf('m', 443, null);
    const theirs = claimOf('k', 443, null);
    set('m', mine);
    set('k', theirs);
    const contested = Number(got(mine));
    up(mine);
    await clock.advance(5_000);
    const written = claimOf('k', 443, contested);
    assert.deepEqual(set('k', written), ['m']);
    assert.equal(got(written), contested);
    const moved = got(mine);
    assert.ok(typeof moved === 'number' && moved !== contested);
    await clock.advance(5_000);
    set('k', written);
    assert.equal(got(mine), moved, 'once');
  });

  test('a port that has been ours for a while does not', async () => {
    const { clock, set, got } = createBench();
    const mine = claimOf('m', 443, null);
    set('m', mine);
    set('k', claimOf('k', 443, null));
    const port = Number(got(mine));
    await clock.advance(61_000);
    const edited = claimOf('k', 443, port);
    set('k', edited);
    assert.equal(got(mine), port);
    assert.equal(got(edited), 'port-conflict');
  });

  test('our own choice for a service follows what another gateway wrote for it', () => {
    const { set, got } = createBench();
    const auto = claimOf('web', 443, null);
    set('web', auto);
    const written = claimOf('web', 443, 7777);
    assert.deepEqual(set('web', written), []);
    assert.equal(got(written), 7777);
  });
});
