import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFirstSync } from '../../src/first-sync.js';
import { createFakeClock } from '../support/fake-clock.js';

test('says how far it is at growing intervals, with the time that is left, and ends for good', async () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  let read = 0;
  let pending = 0;
  let finish = (): void => undefined;
  const sync = createFirstSync({
    clock,
    services: () => ({ read, listed: 20_000 }),
    pending: () => pending,
    idle: () => new Promise((resolve) => (finish = resolve)),
    log: { info: (_fields, message) => void lines.push(message) },
  });
  sync.start();
  for (let second = 1; second <= 100; second++) {
    await clock.advance(1000);
    read = second * 100;
  }
  assert.deepEqual(lines, [
    'first sync: 400 of 20000 services read, about 245 s left',
    'first sync: 1400 of 20000 services read, about 200 s left',
    'first sync: 3400 of 20000 services read, about 171 s left',
    'first sync: 7400 of 20000 services read, about 128 s left',
  ]);
  read = 20_000;
  pending = 20_000;
  sync.planned(20_000);
  await clock.advance(10_000);
  pending = 15_000;
  assert.deepEqual(sync.progress(), {
    services: { read: 20_000, listed: 20_000 },
    servers: { done: 5000, due: 20_000 },
    secondsLeft: 30,
  });
  finish();
  await clock.advance(1000);
  assert.equal(sync.progress(), null);
  const said = lines.length;
  await clock.advance(3_600_000);
  assert.equal(lines.length, said);
  sync.stop();
});

test('a start that is quick says nothing', async () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  const sync = createFirstSync({
    clock,
    services: () => ({ read: 10, listed: 10 }),
    pending: () => 0,
    idle: async () => undefined,
    log: { info: (_fields, message) => void lines.push(message) },
  });
  sync.start();
  sync.planned(10);
  await clock.advance(60_000);
  assert.deepEqual(lines, []);
});
