import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceKey } from '../../../src/model/service.js';
import { createOrders } from '../../../src/operator/orders.js';
import type { Policy } from '../../../src/plan/policy.js';
import { createFakeClock } from '../../support/fake-clock.js';

const web = 'root/svc/web' as ServiceKey;
const api = 'shop/svc/api' as ServiceKey;

function rig(policy: Policy = 'sync') {
  const clock = createFakeClock();
  const changes: (string | null)[] = [];
  const lines: string[] = [];
  const orders = createOrders({
    ...{ clock, policy },
    onChange: (key) => void changes.push(key),
    tell: (line) => void lines.push(line),
  });
  return { clock, orders, changes, lines };
}

describe('a pause', () => {
  test('of one service holds it under observe, and no other', () => {
    const { orders, changes } = rig();
    orders.pause(web, 60_000);
    assert.equal(orders.policyOf(web), 'observe');
    assert.equal(orders.policyOf(api), 'sync');
    assert.equal(orders.policyOf(null), 'sync');
    assert.match(orders.holdBack(web)?.why ?? '', /^this service is paused by an operator until \d{4}-/);
    assert.equal(orders.holdBack(web)?.mend, 'say gobtw-janitor resume web, or wait');
    assert.equal(orders.holdBack(api), null);
    assert.deepEqual(changes, [web]);
  });

  test('of everything holds all', () => {
    const { orders } = rig();
    orders.pause(null, 60_000);
    assert.deepEqual(
      [web, null].map((key) => orders.policyOf(key)),
      ['observe', 'observe'],
    );
    assert.match(orders.holdBack(api)?.why ?? '', /^everything is paused/);
    assert.equal(orders.holdBack(api)?.mend, 'say gobtw-janitor resume, or wait');
  });

  test('ends by itself, says so, and tells whose turn it is', async () => {
    const { clock, orders, changes, lines } = rig();
    orders.pause(web, 60_000);
    await clock.advance(59_999);
    assert.equal(orders.policyOf(web), 'observe');
    await clock.advance(1);
    assert.equal(orders.policyOf(web), 'sync');
    assert.deepEqual(changes, [web, web]);
    assert.deepEqual(orders.inForce().pauses, []);
    assert.match(lines.at(-1) ?? '', /^web goes on: its pause is over$/);
  });

  test('said again runs from then on', async () => {
    const { clock, orders } = rig();
    orders.pause(web, 60_000);
    await clock.advance(50_000);
    orders.pause(web, 60_000);
    await clock.advance(59_000);
    assert.equal(orders.policyOf(web), 'observe');
    assert.equal(orders.inForce().pauses.length, 1);
  });

  test('is ended by resume: its own, or all', () => {
    const { orders } = rig();
    orders.pause(web, 60_000);
    orders.pause(api, 60_000);
    assert.equal(orders.resume(web), true);
    assert.equal(orders.resume(web), false);
    assert.equal(orders.policyOf(api), 'observe');
    orders.pause(web, 60_000);
    assert.equal(orders.resume(null), true);
    assert.deepEqual(
      [web, api].map((key) => orders.policyOf(key)),
      ['sync', 'sync'],
    );
  });
});

test('a policy that is ordered holds until the end, and is told with its time', () => {
  const { orders, changes, lines } = rig('observe');
  assert.equal(orders.inForce().policySince, null);
  orders.setPolicy('sync');
  assert.equal(orders.policyOf(web), 'sync');
  assert.deepEqual(changes, [null]);
  assert.match(orders.inForce().policySince ?? '', /^\d{4}-/);
  orders.setPolicy('sync');
  assert.equal(changes.length, 1);
  assert.equal(lines.length, 1);
});
