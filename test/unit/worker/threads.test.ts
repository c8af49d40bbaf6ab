import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../src/clock.js';
import { createThreads } from '../../../src/worker/threads.js';
import { createFakeClock } from '../../support/fake-clock.js';

const file = new URL('../../support/poison.worker.js', import.meta.url);
const hang = { list: Buffer.from('PLANTED-HANG'), known: '' };
const empty = { list: Buffer.from('{}'), known: '' };

test('a job is overdue when it waits beyond its limit and no thread took any meanwhile', async () => {
  const clock = createFakeClock();
  const threads = createThreads({ size: 1, clock, file });
  const hung = threads.run('observe', hang, 10_000);
  const waits = threads.run('observe', empty, 100);
  await clock.advance(100);
  assert.deepEqual([threads.stats().jobs, threads.stats().overdueMs], [2, 0]);
  await clock.advance(50);
  assert.equal(threads.stats().overdueMs, 50);
  await clock.advance(9_850);
  assert.equal(((await hung) as { lost: string }).lost, 'hung');
  assert.equal(threads.stats().overdueMs, 0, 'it has a thread now');
  assert.ok('value' in (await waits));
  assert.deepEqual([threads.stats().jobs, threads.stats().replaced], [0, 1]);
  await threads.close();
});

test('jobs that come faster than they are done are not overdue', async () => {
  let skewMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
  const threads = createThreads({ size: 1, clock, file });
  const seen: number[] = [];
  const jobs = Array.from({ length: 20 }, async () => {
    await threads.run('observe', empty, 10_000);
    skewMs += 4_000; // each takes 4 s, and so the last one waits for 76
    await setTimeout(0);
    seen.push(threads.stats().overdueMs);
  });
  await Promise.all(jobs);
  assert.deepEqual(new Set(seen), new Set([0]));
  await threads.close();
});
