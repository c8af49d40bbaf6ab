import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type WritePolicy, createGuardedBalancer } from '../../../src/gobetween/guard.js';
import { desire } from '../../support/fake-balancer.js';
import { createRig, removalOf } from '../../support/gobetween-rig.js';

const one = desire('a', '0.0.0.0:80', 1);
const two = desire('a', '0.0.0.0:80', 2);

describe('an old name of a service gives way to its new one', () => {
  const formerBody = JSON.stringify({
    ...(JSON.parse(desire('old', '0.0.0.0:80').body) as object),
    key: one.key,
  });

  function renaming(options: Parameters<typeof createRig>[0] = {}) {
    const rig = createRig({ latencyMs: 50, ...options });
    rig.balancer.servers.set('old', formerBody);
    rig.have();
    rig.applier.submit([
      ...removalOf(rig.ledger, desire('old', '0.0.0.0:80').name, 'historical'),
      { kind: 'create', key: one.key, desired: one, reason: 'historical' },
    ]);
    return rig;
  }

  test('delete, then create; a stop in between still creates', async () => {
    const rig = renaming();
    await rig.clock.advance(20);
    void rig.applier.stop(10_000);
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['DELETE old', 'POST a']);
  });

  test('also when the policy becomes observe in between', async () => {
    let policy: WritePolicy = 'upsert-only';
    const rig = renaming({ guard: (balancer) => createGuardedBalancer(balancer, () => policy) });
    await rig.clock.advance(60);
    policy = 'observe';
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['DELETE old', 'POST a']);
  });

  test('what is refused under the new name goes on serving as it was', async () => {
    const rig = renaming();
    rig.balancer.fail('POST', 'invalid');
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['DELETE old', 'POST a invalid', 'POST a']);
    assert.equal(rig.balancer.servers.get('a'), formerBody);
  });

  test('the same service waiting for the port is no reason to skip the quiet wait', async () => {
    const rig = renaming({ limits: { quietWaitMs: 5000 } });
    rig.balancer.traffic.set('old', 10);
    await rig.clock.advance(4900);
    assert.deepEqual(rig.writes(), []);
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['DELETE old', 'POST a']);
  });
});

describe('policy and stop', () => {
  test('a flip to observe ends the half replacement, and nothing else is sent', async () => {
    let policy: WritePolicy = 'sync';
    const rig = createRig({
      latencyMs: 50,
      limits: { concurrency: 1 },
      guard: (balancer) => createGuardedBalancer(balancer, () => policy),
    });
    rig.have(one, desire('b', '0.0.0.0:81'));
    rig.wish(two, desire('b', '0.0.0.0:81', 2), desire('c', '0.0.0.0:82'));
    await rig.clock.advance(60);
    policy = 'observe';
    await rig.clock.advance(60_000);
    const sent = rig.writes();
    assert.equal(
      sent.filter((line) => line.startsWith('DELETE')).length,
      sent.filter((line) => line === 'POST a' || line === 'POST b').length,
    );
    assert.equal(rig.balancer.servers.has('a'), true);
    assert.equal(rig.applier.pending(), 0, 'what is forbidden is forgotten');
  });

  test('upsert-only replaces, and never deletes', async () => {
    const rig = createRig({ guard: (balancer) => createGuardedBalancer(balancer, () => 'upsert-only') });
    rig.have(one, desire('b', '0.0.0.0:81'));
    rig.wish(two);
    rig.unwish('b');
    await rig.clock.advance(10_000);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST a']);
    assert.ok(rig.told.includes('failed b forbidden'));
  });

  test('stop ends the replacement whose DELETE was sent, starts nothing, and leaves no timer', async () => {
    const rig = createRig({ latencyMs: 50, limits: { concurrency: 1 } });
    rig.have(one, desire('b', '0.0.0.0:81'));
    rig.wish(two, desire('b', '0.0.0.0:81', 2));
    await rig.clock.advance(20);
    let stopped = false;
    void rig.applier.stop(10_000).then(() => {
      stopped = true;
    });
    await rig.clock.advance(200);
    assert.ok(stopped);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST a']);
    rig.wish(desire('c', '0.0.0.0:82'));
    await rig.clock.advance(60_000);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST a']);
  });

  test('a stop that GoBetween does not let end is over when its budget is', async () => {
    const rig = createRig();
    rig.have(one);
    rig.balancer.fail('POST', 'port-busy', { times: 1000 });
    rig.wish(two);
    await rig.clock.advance(5);
    let stopped = false;
    void rig.applier.stop(8000).then(() => {
      stopped = true;
    });
    await rig.clock.advance(7900);
    assert.equal(stopped, false);
    await rig.clock.advance(200);
    assert.ok(stopped);
  });

  test('idle waits for what will run by itself, not for failures and not for parked ones', async () => {
    const rig = createRig({ limits: { replaceRate: 1 } });
    rig.have(one, desire('b', '0.0.0.0:81'));
    rig.balancer.fail('POST', 'denied', { name: 'd', times: 100 });
    rig.wish(two, desire('c', '0.0.0.0:81'), desire('d', '0.0.0.0:82'));
    let idle = false;
    void rig.applier.idle().then(() => {
      idle = true;
    });
    await rig.clock.advance(0);
    assert.equal(idle, false);
    await rig.clock.advance(1000);
    assert.ok(idle);
    assert.equal(rig.applier.pending(), 2);
  });
});
