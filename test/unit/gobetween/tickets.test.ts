import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '../../../src/clock.js';
import { createTickets } from '../../../src/gobetween/tickets.js';
import { desire } from '../../support/fake-balancer.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { createRig } from '../../support/gobetween-rig.js';

const nothing = (): void => undefined;

describe('tickets', () => {
  test('as many run as the setting allows, as many again wait, and the higher priority goes first', async () => {
    const clock = createFakeClock();
    const tickets = createTickets(clock, 2);
    const ran: number[] = [];
    for (const [i, priority] of [0, 0, 0, 3].entries()) {
      assert.equal(tickets.isFull(), false);
      tickets.give(
        priority,
        async () => {
          ran.push(i);
          await sleep(clock, 10);
        },
        nothing,
      );
    }
    assert.equal(tickets.isFull(), true);
    await clock.advance(0);
    assert.deepEqual(ran, [0, 1]);
    await clock.advance(10);
    assert.deepEqual(ran, [0, 1, 3, 2]);
    await clock.advance(10);
    assert.equal(tickets.count(), 0);
  });

  test('a ticket that rests gives up its place meanwhile', async () => {
    const clock = createFakeClock();
    const tickets = createTickets(clock, 1);
    const seen: string[] = [];
    tickets.give(
      0,
      async () => {
        await tickets.rest(300);
        seen.push(`rested at ${clock.now()}`);
      },
      nothing,
    );
    for (const name of ['a', 'b']) {
      assert.equal(tickets.isFull(), false);
      tickets.give(
        0,
        async () => {
          await sleep(clock, 10);
          seen.push(`${name} at ${clock.now()}`);
        },
        nothing,
      );
      await clock.advance(0);
    }
    await clock.advance(1000);
    assert.deepEqual(seen, ['a at 10', 'b at 20', 'rested at 300']);
  });

  test('what was given while paused waits for the start, and is over only after it ran', async () => {
    const clock = createFakeClock();
    const tickets = createTickets(clock, 2);
    const told: string[] = [];
    tickets.pause();
    tickets.give(
      0,
      async () => void told.push(`run, ${tickets.count()} left`),
      () => told.push(`over, ${tickets.count()} left`),
    );
    await clock.advance(10);
    assert.deepEqual(told, []);
    tickets.start();
    await clock.advance(0);
    assert.deepEqual(told, ['run, 1 left', 'over, 0 left']);
  });
});

/** An applier with so many creations to do, against a GoBetween in which `lanes` of them go on at a time, 5 ms each. */
async function push(lanes: number, count: number) {
  const running = { now: 0, most: 0, late: 0 };
  const turns: (() => void)[] = [];
  let free = lanes;
  const rig = createRig({
    latencyMs: 5,
    guard: (balancer) => ({
      ...balancer,
      async create(name, body) {
        running.now += 1;
        running.most = Math.max(running.most, running.now);
        if (balancer.servers.size > count - 100) running.late = Math.max(running.late, running.now);
        if (free === 0) await new Promise<void>((resolve) => turns.push(resolve));
        else free -= 1;
        const answer = await balancer.create(name, body);
        const next = turns.shift();
        if (next === undefined) free += 1;
        else next();
        running.now -= 1;
        return answer;
      },
    }),
  });
  rig.wish(...Array.from({ length: count }, (_, i) => desire(`s${i}`, `:${1000 + i}`)));
  const idle = rig.applier.idle();
  let ms = 0;
  for (; rig.balancer.servers.size < count && ms < 60_000; ms += 10) await rig.clock.advance(10);
  await rig.clock.advance(10);
  await idle;
  return { ms, most: running.most, late: running.late, limit: rig.applier.concurrency() };
}

describe('the applier', () => {
  test('one lock in GoBetween: in time fewer requests wait for it, and nothing takes longer', async () => {
    const { ms, most, late, limit } = await push(1, 2500);
    assert.equal(most, 8);
    assert.ok(late <= 4 && limit <= 4, `${late} ${limit}`);
    assert.ok(ms < 1.01 * 12_500, `${ms}`);
  });

  test('all in parallel: the setting is used', async () => {
    const { ms, late } = await push(64, 2000);
    assert.equal(late, 8);
    assert.ok(ms < 1.03 * 1250, `${ms}`);
  });
});
