import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '../../../src/clock.js';
import { createListPoller, paceMs, signPaceMs } from '../../../src/source/list-poller.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';

function poll(
  costMs: number,
  how: { fails?: boolean; urgent?: boolean } = {},
): { clock: FakeClock; starts: number[]; poller: ReturnType<typeof createListPoller> } {
  const clock = createFakeClock();
  const starts: number[] = [];
  let running = false;
  const poller = createListPoller({
    clock,
    windowMs: 20,
    urgent: () => how.urgent ?? false,
    async list() {
      assert.equal(running, false, 'one list at a time');
      running = true;
      starts.push(clock.now());
      await sleep(clock, costMs);
      running = false;
      return how.fails !== true;
    },
  });
  poller.start();
  return { clock, starts, poller };
}

describe('list poller', () => {
  test('the pace follows the cost, between 1 s and 15 s; 2 s on a small cluster', () => {
    assert.deepEqual(
      [7, 16, 100, 300, 5000].map((cost) => paceMs(cost, false)),
      [2000, 2000, 5000, 15_000, 15_000],
    );
    assert.deepEqual(
      [7, 100, 300, 5000].map((cost) => paceMs(cost, true)),
      [1000, 1000, 3000, 15_000],
    );
    assert.deepEqual([0, 10, 300, 5000].map(signPaceMs), [0, 50, 1500, 5000]);
  });

  test('polls', async () => {
    const { clock, starts } = poll(10);
    await clock.advance(7000);
    assert.deepEqual(starts, [0, 2010, 4020, 6030]);
  });

  test('a sign lists after the window, a burst of signs once, signs during a list once more', async () => {
    const { clock, starts, poller } = poll(10);
    await clock.advance(1000);
    for (let i = 0; i < 50; i++) poller.soon();
    await clock.advance(25);
    poller.soon();
    poller.soon();
    await clock.advance(500);
    assert.deepEqual(starts, [0, 1020, 1080]);
  });

  test('signs without end cost a fifth of the time at most', async () => {
    const { clock, starts, poller } = poll(200);
    for (let i = 0; i < 600; i++) {
      poller.soon();
      await clock.advance(100);
    }
    assert.ok(starts.length >= 40 && starts.length <= 51, `${starts.length} lists of 200 ms in a minute`);
  });

  test('at brings a list forward, also when asked during one', async () => {
    const { clock, starts, poller } = poll(10);
    poller.at(500);
    await clock.advance(5);
    poller.at(700);
    await clock.advance(1000);
    assert.deepEqual(starts, [0, 700]);
  });

  test('failures: pauses grow to 15 s', async () => {
    const { clock, starts } = poll(0, { fails: true });
    await clock.advance(60_000);
    assert.deepEqual(starts, [0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 60_000]);
  });
});
