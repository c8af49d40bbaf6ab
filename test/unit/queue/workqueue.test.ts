import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBackoff } from '../../../src/queue/backoff.js';
import { createRecently } from '../../../src/queue/recently.js';
import { createWorkqueue, type Workqueue, type WorkqueueMetrics } from '../../../src/queue/workqueue.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';

function setUp(metrics?: WorkqueueMetrics): { clock: FakeClock; queue: Workqueue<string> } {
  const clock = createFakeClock();
  const backoff = createBackoff({ random: { next: () => 1 }, baseMs: 100, capMs: 1000 });
  return { clock, queue: createWorkqueue({ clock, backoff, ...(metrics === undefined ? {} : { metrics }) }) };
}

describe('workqueue', () => {
  test('hands out a key once however often it was marked, first in first out', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.equal(queue.depth, 3);
    assert.deepEqual(await queue.take(2), ['a', 'b']);
    assert.deepEqual(await queue.take(2), ['c']);
  });

  test('a key marked while processed is handed out again after done, never before', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.take(1);
    queue.add('a');
    let second: readonly string[] | undefined;
    void queue.take(1).then((keys) => (second = keys));
    await clock.advance(0);
    assert.equal(second, undefined);
    queue.done('a');
    await clock.advance(0);
    assert.deepEqual(second, ['a']);
  });

  test('take waits for the first key', async () => {
    const { clock, queue } = setUp();
    let got: readonly string[] | undefined;
    void queue.take(10).then((keys) => (got = keys));
    await clock.advance(1000);
    assert.equal(got, undefined);
    queue.add('a');
    await clock.advance(0);
    assert.deepEqual(got, ['a']);
  });

  test('the window is fixed: a storm of marks does not push the deadline away', async () => {
    const { clock, queue } = setUp();
    let gotAt: number | undefined;
    void queue.take(1).then(() => (gotAt = clock.now()));
    for (let i = 0; i < 10; i++) {
      queue.addAfter('a', 20);
      await clock.advance(5);
    }
    assert.equal(gotAt, 20);
  });

  test('of several deadlines the earliest wins, and an immediate mark beats them all', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 500);
    queue.addAfter('a', 50);
    queue.addAfter('b', 500);
    queue.add('b');
    assert.equal(queue.depth, 1);
    assert.deepEqual(await queue.take(5), ['b']);
    queue.done('b');
    await clock.advance(50);
    assert.deepEqual(await queue.take(5), ['a']);
    queue.done('a');
    await clock.advance(1000);
    assert.equal(queue.depth, 0, 'the later deadlines are gone');
  });

  test('retry backs off, and forget starts anew', async () => {
    const { clock, queue } = setUp();
    const pauses: number[] = [];
    queue.add('a');
    for (let i = 0; i < 5; i++) {
      await queue.take(1);
      const failedAt = clock.now();
      queue.retry('a');
      queue.done('a');
      const taken = queue.take(1).then(() => pauses.push(clock.now() - failedAt));
      await clock.advance(2000);
      await taken;
      if (i === 3) queue.forget('a');
      queue.done('a');
      queue.add('a');
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 100]);
  });

  test('first-dirty time: the oldest change not forgotten, and a change during processing counts from itself', async () => {
    const { clock, queue } = setUp();
    await clock.advance(10);
    queue.addAfter('a', 20);
    await clock.advance(5);
    queue.addAfter('a', 20);
    assert.equal(queue.firstDirtyAt('a'), 10);
    await clock.advance(100);
    await queue.take(1);
    assert.equal(queue.firstDirtyAt('a'), 10);
    queue.retry('a');
    queue.done('a');
    await clock.advance(100);
    await queue.take(1);
    assert.equal(queue.firstDirtyAt('a'), 10, 'a failed attempt does not forgive the lag');
    const markedAt = clock.now();
    queue.add('a');
    queue.forget('a');
    assert.equal(queue.firstDirtyAt('a'), markedAt);
    queue.done('a');
    await queue.take(1);
    queue.forget('a');
    queue.done('a');
    assert.equal(queue.firstDirtyAt('a'), undefined);
  });

  test('shutdown answers takers with nothing, stops timers and ignores marks', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    const waiting = queue.take(1);
    queue.shutdown();
    assert.deepEqual(await waiting, []);
    queue.add('b');
    queue.addAfter('c', 1);
    queue.retry('d');
    assert.deepEqual(await queue.take(1), []);
    assert.equal(clock.pending, 0);
    assert.equal(queue.depth, 0);
  });

  test('tells its metrics', async () => {
    const seen: string[] = [];
    const { clock, queue } = setUp({
      added: () => seen.push('added'),
      depth: (keys) => seen.push(`depth ${keys}`),
      queued: (ms) => seen.push(`queued ${ms}`),
      worked: (ms) => seen.push(`worked ${ms}`),
      retried: () => seen.push('retried'),
    });
    queue.add('a');
    queue.add('a');
    await clock.advance(7);
    await queue.take(1);
    await clock.advance(3);
    queue.retry('a');
    queue.done('a');
    assert.deepEqual(seen, ['added', 'depth 1', 'queued 7', 'depth 0', 'retried', 'worked 3']);
  });
});

describe('restless keys', () => {
  test('wait behind the others, but for one place in four, and keep their order', async () => {
    const clock = createFakeClock();
    const backoff = createBackoff({ random: { next: () => 1 } });
    const queue = createWorkqueue<string>({ clock, backoff, restless: (key) => key.startsWith('r') });
    for (const key of ['r1', 'r2', 'r3', 'a', 'b', 'c', 'd', 'e']) queue.add(key);
    assert.equal(queue.depth, 8);
    const taken: string[] = [];
    while (queue.depth > 0) taken.push(...(await queue.take(3)));
    assert.deepEqual(taken, ['a', 'b', 'c', 'r1', 'd', 'e', 'r2', 'r3']);
  });

  test('one that becomes restless while it waits stands back', async () => {
    const clock = createFakeClock();
    const backoff = createBackoff({ random: { next: () => 1 } });
    const restless = new Set<string>();
    const queue = createWorkqueue<string>({ clock, backoff, restless: (key) => restless.has(key) });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    restless.add('a').add('b');
    queue.add('a');
    queue.addAfter('b', 20);
    assert.equal(queue.depth, 3);
    assert.deepEqual(await queue.take(3), ['c', 'a', 'b']);
    assert.equal(clock.pending, 0);
  });

  test('alone they are handed out like any', async () => {
    const clock = createFakeClock();
    const backoff = createBackoff({ random: { next: () => 1 } });
    const queue = createWorkqueue<string>({ clock, backoff, restless: () => true });
    const waiting = queue.take(2);
    queue.add('a');
    assert.deepEqual(await waiting, ['a']);
    queue.add('a');
    queue.done('a');
    assert.deepEqual(await queue.take(2), ['a']);
    queue.shutdown();
    assert.equal(queue.depth, 0);
  });
});

test('what was done lately is remembered for a while, and not for ever', async () => {
  const clock = createFakeClock();
  const recently = createRecently<string>(clock, 5000);
  recently.note('a');
  await clock.advance(4999);
  assert.equal(recently.has('a'), true);
  recently.note('b');
  await clock.advance(4999);
  assert.deepEqual([recently.has('a'), recently.has('b')], [true, true]);
  await clock.advance(2);
  assert.deepEqual([recently.has('a'), recently.has('b')], [false, false]);
  recently.note('c');
  await clock.advance(20_000);
  assert.equal(recently.has('c'), false);
});
