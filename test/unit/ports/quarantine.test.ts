import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQuarantine } from '../../../src/ports/quarantine.js';
import { createFakeClock } from '../../support/fake-clock.js';

test('60 s, then twice as long each time, up to an hour', async () => {
  const clock = createFakeClock();
  const quarantine = createQuarantine(clock);
  const lengths: number[] = [];
  for (let round = 0; round < 8; round++) {
    quarantine.add(80);
    const from = clock.now();
    while (quarantine.has(80)) await clock.advance(10_000);
    lengths.push((clock.now() - from) / 1000);
  }
  assert.deepEqual(lengths, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
});

test('adding again while it lasts changes nothing', async () => {
  const clock = createFakeClock();
  const quarantine = createQuarantine(clock);
  quarantine.add(80);
  await clock.advance(30_000);
  quarantine.add(80);
  await clock.advance(30_000);
  assert.equal(quarantine.has(80), false);
});

test('a port that has behaved for as long as it was away starts from 60 s again', async () => {
  const clock = createFakeClock();
  const quarantine = createQuarantine(clock);
  quarantine.add(80);
  await clock.advance(120_000);
  quarantine.expire();
  quarantine.add(80);
  await clock.advance(60_000);
  assert.equal(quarantine.has(80), false);
});

test('expire says once that a port became usable', async () => {
  const clock = createFakeClock();
  const quarantine = createQuarantine(clock);
  quarantine.add(80);
  quarantine.add(81);
  assert.equal(quarantine.expire(), false);
  assert.deepEqual(quarantine.slots(), [80, 81]);
  await clock.advance(60_000);
  assert.equal(quarantine.expire(), true);
  assert.equal(quarantine.expire(), false);
  assert.deepEqual(quarantine.slots(), []);
});

test('lifted: one of ours listens there', () => {
  const quarantine = createQuarantine(createFakeClock());
  quarantine.add(80);
  quarantine.lift(80);
  assert.equal(quarantine.has(80), false);
});
