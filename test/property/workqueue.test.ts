/** The work queue against a model: every mark is followed by a hand-out, no key is with two takers, order is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBackoff } from '../../src/queue/backoff.js';
import { createWorkqueue } from '../../src/queue/workqueue.js';
import { createFakeClock } from '../support/fake-clock.js';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }, { noNullPrototype: true }),
  fc.record(
    { do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 50 }) },
    { noNullPrototype: true },
  ),
  fc.record(
    { do: fc.constant('take' as const), max: fc.integer({ min: 1, max: 3 }) },
    { noNullPrototype: true },
  ),
  fc.record({ do: fc.constant('done' as const), key, ok: fc.boolean() }, { noNullPrototype: true }),
  fc.record(
    { do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 60 }) },
    { noNullPrototype: true },
  ),
);

test('the queue behaves as its model, step by step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = createFakeClock();
      const queue = createWorkqueue<string>({
        clock,
        backoff: createBackoff({ random: { next: () => 1 }, baseMs: 10, capMs: 40 }),
      });
      // The model: ready keys in order, keys being processed, keys marked meanwhile, deadlines.
      const ready: string[] = [];
      const processing = new Set<string>();
      const again = new Set<string>();
      const deadlines = new Map<string, number>();
      const failures = new Map<string, number>();
      const mark = (name: string): void => {
        deadlines.delete(name);
        if (processing.has(name)) again.add(name);
        else if (!ready.includes(name)) ready.push(name);
      };
      const later = (name: string, at: number): void => {
        if (ready.includes(name) || again.has(name)) return;
        deadlines.set(name, Math.min(at, deadlines.get(name) ?? Infinity));
      };

      for (const action of steps) {
        if (action.do === 'add') {
          queue.add(action.key);
          mark(action.key);
        } else if (action.do === 'addAfter') {
          queue.addAfter(action.key, action.ms);
          if (action.ms === 0) mark(action.key);
          else later(action.key, clock.now() + action.ms);
        } else if (action.do === 'take' && ready.length > 0) {
          const keys = await queue.take(action.max);
          assert.deepEqual([...keys], ready.splice(0, action.max));
          for (const name of keys) {
            assert.ok(!processing.has(name), 'a key is with one taker at a time');
            processing.add(name);
          }
        } else if (action.do === 'done' && processing.has(action.key)) {
          if (action.ok) {
            queue.forget(action.key);
            failures.delete(action.key);
          } else {
            const count = failures.get(action.key) ?? 0;
            failures.set(action.key, count + 1);
            queue.retry(action.key);
            later(action.key, clock.now() + Math.min(40, 10 * 2 ** count));
          }
          queue.done(action.key);
          processing.delete(action.key);
          if (again.delete(action.key)) ready.push(action.key);
        } else if (action.do === 'advance') {
          const until = clock.now() + action.ms;
          await clock.advance(action.ms);
          const due = [...deadlines].filter(([, at]) => at <= until);
          const dueAt = new Set(due.map(([, at]) => at));
          if (dueAt.size < due.length) return; // two at one instant: their order is the timers', not the model's
          for (const [name] of due.sort(([, a], [, b]) => a - b)) mark(name);
        }
        assert.equal(queue.depth, ready.length);
        for (const name of [...ready, ...processing, ...again, ...deadlines.keys()]) {
          if (!processing.has(name) || again.has(name)) assert.notEqual(queue.firstDirtyAt(name), undefined);
        }
      }
      queue.shutdown();
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 300 },
  );
});
