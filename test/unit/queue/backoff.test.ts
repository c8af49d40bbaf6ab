import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff } from '../../../src/queue/backoff.js';

test('pauses double from the base to the cap, per key', () => {
  const backoff = createBackoff({ random: { next: () => 1 }, baseMs: 100, capMs: 1000 });
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => backoff.next('a')),
    [100, 200, 400, 800, 1000, 1000],
  );
  assert.equal(backoff.next('b'), 100);
  assert.equal(backoff.failures('a'), 6);
  backoff.forget('a');
  assert.equal(backoff.failures('a'), 0);
  assert.equal(backoff.next('a'), 100);
});

test('jitter takes at most half of the pause, and ten thousand failures stay at the cap', () => {
  const backoff = createBackoff({ random: { next: () => 0 }, baseMs: 100, capMs: 1000 });
  assert.equal(backoff.next('a'), 50);
  for (let i = 0; i < 10_000; i++) backoff.next('a');
  assert.equal(backoff.next('a'), 500);
});
