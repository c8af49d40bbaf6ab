import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ServiceKey } from '../../src/model/service.js';
import { createBackoff } from '../../src/queue/backoff.js';
import { createWorkqueue } from '../../src/queue/workqueue.js';
import { createReconciler } from '../../src/reconciler.js';
import { keyOf } from '../support/claims.js';
import { createFakeClock } from '../support/fake-clock.js';

const a = keyOf('a');
const b = keyOf('b');

/** A reconciler over rounds that only note what they do; claiming for all takes until `claimed` or `refuse` is called. */
function open() {
  const clock = createFakeClock();
  const queue = createWorkqueue<ServiceKey>({ clock, backoff: createBackoff({ random: { next: () => 0 } }) });
  const did: string[] = [];
  const note = (what: string, keys: readonly ServiceKey[]): void =>
    void did.push(`${what} ${keys.map((key) => key.slice(9)).join(' ')}`.trim());
  const known = [a, b];
  let ready = false;
  let claimed: () => void = () => assert.fail('nothing is claimed');
  let refuse: (error: Error) => void = claimed;
  const reconciler = createReconciler({
    queue,
    clock,
    keys: () => known,
    ready: () => ready,
    round: {
      compile: async (keys) => note('compile', keys),
      claimAll(keys) {
        note('claim', keys);
        return new Promise((resolve, reject) => {
          claimed = resolve;
          refuse = reject;
        });
      },
      async settle(keys) {
        note('settle', keys);
        return { changes: [], moot: [], affected: new Set() };
      },
      contextChanged: () => undefined,
      states: () => new Map(),
      staleDefaults: () => 0,
    },
    submit: () => undefined,
    cancel: () => undefined,
    onFirstPlan: () => did.push('first plan'),
    onRound: () => undefined,
    onSettled: () => undefined,
    onFailed: (_key, error) => did.push(`failed: ${(error as Error).message}`),
    onMended: () => undefined,
  });
  return {
    reconciler,
    did,
    known,
    clock,
    waiting: () => queue.depth,
    stop: () => queue.shutdown(),
    poke: () => {
      ready = true;
      reconciler.poke();
    },
    claimed: () => claimed(),
    refuse: (error: Error) => refuse(error),
  };
}

/** Runs; both services are compiled. */
async function warm({ reconciler, did, clock }: ReturnType<typeof open>): Promise<void> {
  void reconciler.run();
  reconciler.dirty(a);
  reconciler.dirty(b);
  await clock.advance(10);
  assert.deepEqual(did.splice(0), ['compile a', 'compile b']);
  await clock.advance(10);
}

test('before the first plan rounds wait a little, so that what comes meanwhile is compiled in one', async () => {
  const { reconciler, did, known, clock, stop } = open();
  known.push(...Array.from({ length: 1500 }, (_, at) => keyOf(`s${at}`)));
  const running = reconciler.run();
  for (const key of known) reconciler.dirty(key);
  const sizes = (): number[] => did.splice(0).map((line) => line.split(' ').length - 1);
  await setImmediate();
  assert.deepEqual(sizes(), [1]);
  await clock.advance(10);
  assert.deepEqual(sizes(), [1024]);
  await clock.advance(10);
  assert.deepEqual(sizes(), [477]);
  stop();
  await clock.advance(10);
  await running;
});

describe('the first claim of all ports', () => {
  test('is waited for by every round, also of services that come up meanwhile', async () => {
    const opened = open();
    const { did, poke, reconciler, known, claimed, stop, clock } = opened;
    await warm(opened);
    poke();
    poke();
    known.push(keyOf('c'));
    reconciler.dirty(keyOf('c'));
    reconciler.dirty(a);
    await setImmediate();
    assert.deepEqual(did.splice(0), ['claim a b']);
    assert.equal(reconciler.idle(), false);
    assert.equal(reconciler.planned(), false);
    claimed();
    await setImmediate();
    assert.deepEqual(did.splice(0), ['compile a', 'settle a'], 'others have a turn between two rounds');
    await clock.advance(1);
    assert.deepEqual(did, ['compile b c a', 'settle b c a', 'first plan']);
    assert.ok(reconciler.planned() && reconciler.idle());
    stop();
  });

  test('that fails is said once, and each service claims in its own round', async () => {
    const opened = open();
    const { did, poke, refuse, reconciler, stop, clock } = opened;
    await warm(opened);
    poke();
    refuse(new Error('a bug'));
    await clock.advance(1);
    assert.deepEqual(did.slice(0, 2), ['claim a b', 'failed: a bug']);
    assert.ok(did.includes('first plan') && reconciler.planned());
    stop();
  });

  test('is over when the program stops meanwhile: the round at hand is finished', async () => {
    const opened = open();
    const { did, poke, claimed, stop, reconciler, clock } = opened;
    const running = reconciler.run();
    reconciler.dirty(a);
    await setImmediate();
    poke();
    await setImmediate();
    await clock.advance(10);
    stop();
    claimed();
    await running;
    assert.deepEqual(did, ['compile a', 'claim a b', 'compile a b', 'settle a b', 'first plan']);
  });
});

test('very many are marked in slices, and it is not idle before the last of them', async () => {
  const { reconciler, did, known, stop, clock, waiting } = open();
  known.push(...Array.from({ length: 2500 }, (_, at) => keyOf(`s${at}`)));
  const running = reconciler.run();
  reconciler.dirtyAll('restart');
  assert.equal(reconciler.idle(), false);
  await setImmediate();
  assert.equal(waiting(), 999);
  assert.equal(reconciler.idle(), false);
  await clock.advance(1);
  assert.equal(waiting(), 2501);
  await clock.advance(30);
  assert.equal(new Set(did.join(' ').match(/s\d+/g)).size, 2500);
  assert.equal(reconciler.idle(), true);
  stop();
  await clock.advance(10);
  await running;
});
