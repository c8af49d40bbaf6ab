import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime, sleep } from '../../../src/clock.js';
import { createFakeClock } from '../../support/fake-clock.js';

test('timers run in order of time, then of creation, with promise jobs drained between them', async () => {
  const clock = createFakeClock();
  const seen: string[] = [];
  const say = (name: string) => () => {
    seen.push(`${name}@${clock.now()}`);
    void Promise.resolve().then(() => seen.push(`after ${name}`));
  };
  clock.after(20, say('b'));
  clock.after(10, say('a'));
  clock.after(20, say('c'));
  const cancel = clock.after(15, say('never'));
  cancel();
  await clock.advance(25);
  assert.deepEqual(seen, ['a@10', 'after a', 'b@20', 'after b', 'c@20', 'after c']);
  assert.equal(clock.now(), 25);
  assert.equal(clock.pending, 0);
});

test('a timer set by a timer runs in the same advance when it is due', async () => {
  const clock = createFakeClock();
  let woke = -1;
  void sleep(clock, 5)
    .then(() => sleep(clock, 5))
    .then(() => {
      woke = clock.now();
    });
  await clock.advance(9);
  assert.equal(woke, -1);
  await clock.advance(1);
  assert.equal(woke, 10);
});

test('wall time moves with it and reads as ISO', async () => {
  const clock = createFakeClock();
  await clock.advance(1500);
  assert.equal(isoTime(clock.wall()), '2023-11-14T22:13:21.500Z');
});
