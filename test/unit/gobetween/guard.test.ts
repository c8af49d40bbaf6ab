import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuardedBalancer, type WritePolicy } from '../../../src/gobetween/guard.js';
import type { Answer, Balancer, Outcome } from '../../../src/gobetween/outcome.js';

function recorder(): Balancer & { calls: string[]; next: Outcome } {
  const calls: string[] = [];
  const record = <T>(call: string, value: T): Promise<Answer<T>> => {
    calls.push(call);
    return Promise.resolve({ outcome: balancer.next, value, detail: '' });
  };
  const balancer: Balancer & { calls: string[]; next: Outcome } = {
    calls,
    next: 'ok',
    status: () => record('status', { pid: 1, startTime: 'x' }),
    list: () => record('list', new Uint8Array()),
    get: (name) => record(`get ${name}`, 'null'),
    stats: (name) => record(`stats ${name}`, null),
    create: (name) => record(`POST ${name}`, null),
    remove: (name) => record(`DELETE ${name}`, null),
    close: () => Promise.resolve(),
  };
  return balancer;
}

test('observe sends no POST and no DELETE, and reads as usual', async () => {
  const inner = recorder();
  const guarded = createGuardedBalancer(inner, () => 'observe');
  assert.equal((await guarded.create('a', '{}')).outcome, 'forbidden');
  assert.equal((await guarded.remove('a')).outcome, 'forbidden');
  assert.equal((await guarded.remove('a', 'replace')).outcome, 'forbidden');
  await guarded.status();
  await guarded.list();
  await guarded.get('a');
  await guarded.stats('a');
  assert.deepEqual(inner.calls, ['status', 'list', 'get a', 'stats a']);
});

test('upsert-only sends a DELETE only as the first half of a replacement', async () => {
  const inner = recorder();
  const guarded = createGuardedBalancer(inner, () => 'upsert-only');
  assert.equal((await guarded.remove('a')).outcome, 'forbidden');
  assert.equal((await guarded.remove('a', 'replace')).outcome, 'ok');
  assert.equal((await guarded.create('a', '{}')).outcome, 'ok');
  assert.deepEqual(inner.calls, ['DELETE a', 'POST a']);
});

test('a flip to observe lets a half replacement end, once, and nothing else', async () => {
  const inner = recorder();
  let policy: WritePolicy = 'sync';
  const guarded = createGuardedBalancer(inner, () => policy);
  await guarded.remove('a', 'replace');
  await guarded.remove('gone', 'delete');
  policy = 'observe';
  assert.equal((await guarded.create('b', '{}')).outcome, 'forbidden');
  assert.equal((await guarded.create('gone', '{}')).outcome, 'forbidden');
  inner.next = 'port-busy';
  assert.equal((await guarded.create('a', '{}')).outcome, 'port-busy');
  inner.next = 'ok';
  assert.equal((await guarded.create('a', '{}')).outcome, 'ok');
  assert.equal((await guarded.create('a', '{}')).outcome, 'forbidden');
  assert.deepEqual(inner.calls, ['DELETE a', 'DELETE gone', 'POST a', 'POST a']);
});
