import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFlapHold } from '../../../src/gobetween/flap.js';
import { type Lane, createLanes } from '../../../src/gobetween/lanes.js';
import { createLimiter } from '../../../src/gobetween/limiter.js';
import { type PacedWave, createPacing } from '../../../src/gobetween/pacing.js';
import { isOutage, retryDelayMs } from '../../../src/gobetween/retry.js';
import type { ServerName } from '../../../src/model/server.js';
import { createFakeClock } from '../../support/fake-clock.js';

const name = (text: string): ServerName => text as ServerName;

describe('limiter', () => {
  test('a burst, then the rate; no more is saved than the burst', async () => {
    const clock = createFakeClock();
    const limiter = createLimiter(clock, 10, 3);
    const takeAll = (): number => {
      let taken = 0;
      for (; limiter.waitMs() === 0; taken++) limiter.take();
      return taken;
    };
    assert.equal(takeAll(), 3);
    assert.equal(limiter.waitMs(), 100);
    assert.equal(limiter.waitMs(2), 200);
    await clock.advance(100);
    assert.equal(takeAll(), 1);
    await clock.advance(60_000);
    assert.equal(takeAll(), 3);
  });

  test('0 is no limit', () => {
    const limiter = createLimiter(createFakeClock(), 0, 0);
    for (let i = 0; i < 1000; i++) limiter.take();
    assert.equal(limiter.waitMs(), 0);
  });
});

describe('flap hold', () => {
  test('doubles from 0.2 to 5 s, is forgotten after 10 s, and keeps no server longer', async () => {
    const clock = createFakeClock();
    const flap = createFlapHold(clock);
    const a = name('a');
    assert.equal(flap.readyAtMs(a), 0);
    const gaps: number[] = [];
    for (let i = 0; i < 7; i++) {
      flap.record(a);
      const gapMs = flap.readyAtMs(a) - clock.now();
      gaps.push(gapMs);
      await clock.advance(gapMs);
    }
    assert.deepEqual(gaps, [200, 400, 800, 1600, 3200, 5000, 5000]);
    assert.equal(flap.calm(a), false);
    await clock.advance(5_000);
    assert.equal(flap.calm(a), true);
    assert.equal(flap.readyAtMs(a), 0);
    assert.equal(flap.size(), 0);
  });
});

describe('lanes', () => {
  const always = (): boolean => true;

  function drain(
    lanes: ReturnType<typeof createLanes>,
    nowMs: number,
    afford = always as (lane: Lane) => boolean,
  ) {
    const order: string[] = [];
    for (let found = lanes.pick(nowMs, afford); found !== null; found = lanes.pick(nowMs, afford)) {
      order.push(found.name);
      lanes.remove(found.name);
    }
    return order;
  }

  test('class by class, first in first out inside', () => {
    const lanes = createLanes(always);
    lanes.add(name('d'), 'delete', 0);
    lanes.add(name('r1'), 'replace', 1);
    lanes.add(name('r2'), 'replace', 2);
    lanes.add(name('c'), 'create', 3);
    lanes.add(name('u'), 'urgent', 4);
    assert.deepEqual(drain(lanes, 10), ['u', 'c', 'r1', 'r2', 'd']);
    assert.equal(lanes.size(), 0);
  });

  test('5 s of waiting are worth a class: nothing starves', () => {
    const lanes = createLanes(always);
    lanes.add(name('old'), 'delete', 0);
    lanes.add(name('new'), 'create', 10_001);
    assert.deepEqual(drain(lanes, 10_001), ['old', 'new']);
  });

  test('a lane that cannot be afforded holds back no other', () => {
    const lanes = createLanes(always);
    lanes.add(name('r'), 'replace', 0);
    lanes.add(name('c'), 'create', 1);
    assert.deepEqual(
      drain(lanes, 2, (lane) => lane !== 'replace'),
      ['c'],
    );
    assert.deepEqual(lanes.waiting(), ['replace']);
  });

  test('restless servers go after calm ones for the budget, but not after creates of a lower turn', () => {
    const restless = new Set([name('restless')]);
    const lanes = createLanes((each) => !restless.has(each));
    lanes.add(name('restless'), 'urgent', 0);
    lanes.add(name('calm'), 'delete', 1);
    assert.deepEqual(drain(lanes, 2), ['calm', 'restless']);
  });

  test('a server that becomes restless while it waits lets calm ones that came later go first', () => {
    const restless = new Set<string>();
    const lanes = createLanes((each) => !restless.has(each));
    for (const [at, each] of ['a', 'b', 'c', 'd'].entries()) lanes.add(name(each), 'replace', at);
    restless.add('a').add('c');
    assert.deepEqual(drain(lanes, 10), ['b', 'd', 'a', 'c']);
    for (const [at, each] of ['a', 'b'].entries()) lanes.add(name(each), 'create', at);
    assert.deepEqual(drain(lanes, 10), ['a', 'b'], 'a creation does not stand back');
  });

  test('a name is in one lane', () => {
    const lanes = createLanes(always);
    lanes.add(name('a'), 'delete', 0);
    lanes.add(name('a'), 'urgent', 0);
    lanes.add(name('a'), 'urgent', 0);
    assert.equal(lanes.size(), 1);
    assert.deepEqual(lanes.waiting(), ['urgent']);
    lanes.clear();
    assert.equal(lanes.size(), 0);
  });
});

describe('pacing', () => {
  test('needs more than 20 and more than 5 %, and ends 10 s after the last', async () => {
    const clock = createFakeClock();
    const told: PacedWave[] = [];
    const pacing = createPacing(
      clock,
      () => 1000,
      (wave) => told.push(wave),
    );
    for (let i = 0; i < 50; i++) pacing.note(name(`n${i}`), 'drift');
    assert.equal(pacing.isPaced('drift'), false);
    pacing.note(name('n50'), 'drift');
    assert.equal(pacing.isPaced('drift'), true);
    assert.equal(pacing.isPaced('dns'), false);
    for (let i = 51; i < 100; i++) pacing.note(name(`n${i}`), 'drift');
    assert.deepEqual(told, [{ cause: 'drift', count: 51 }]);
    for (let i = 0; i < 100; i++) pacing.done(name(`n${i}`));
    assert.equal(pacing.isPaced('drift'), true);
    await clock.advance(10_001);
    assert.equal(pacing.isPaced('drift'), false);
    pacing.note(name('n0'), 'drift');
    assert.equal(pacing.isPaced('drift'), false, 'a new wave counts from one');
  });
});

describe('retries', () => {
  const middle = { next: () => 0.5 };

  test('grow to their cap, with a fifth of jitter either way', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => retryDelayMs('no-address', attempt, middle)),
      [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
    );
    assert.equal(retryDelayMs('port-busy', 9, middle), 2000);
    assert.equal(retryDelayMs('timeout', 1, { next: () => 0 }), 400);
    assert.equal(retryDelayMs('timeout', 1, { next: () => 1 }), 600);
    for (const outcome of ['invalid', 'forbidden', 'ok', 'too-large'] as const)
      assert.equal(retryDelayMs(outcome, 1, middle), null);
  });

  test('an outage is what concerns GoBetween as a whole', () => {
    assert.ok(isOutage('timeout') && isOutage('unreachable') && isOutage('unauthorized'));
    assert.ok(!isOutage('port-busy') && !isOutage('closed') && !isOutage('ok'));
  });
});
