import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Clock, systemClock } from '../../../src/clock.js';
import type { ServiceKey } from '../../../src/model/service.js';
import { createRings } from '../../../src/ports/probe.js';
import type { CompileInput } from '../../../src/worker/compile.js';
import { type Compute, createInlineCompute, threadTrouble } from '../../../src/worker/compute.js';
import { createPoolCompute, evenly, type PoolOptions } from '../../../src/worker/pool.js';
import { renderJob } from '../../../src/worker/render.js';
import { createThreads, type Threads } from '../../../src/worker/threads.js';
import { LETHAL_CLAIMS } from '../../support/poison.worker.js';
import { context, input } from '../../support/service-config.js';

/** Limits come sooner. */
const hasty = (times: number): Clock => ({
  ...systemClock,
  after: (ms, fn) => systemClock.after(ms / times, fn),
});
const opened: Compute[] = [];

function open(
  more: Partial<PoolOptions> = {},
  clock = hasty(20),
): { compute: Compute; threads: Threads; lost: string[] } {
  const lost: string[] = [];
  const file = new URL('../../support/poison.worker.js', import.meta.url);
  const threads = createThreads({ size: 2, clock, file });
  const compute = createPoolCompute({
    threads,
    clock,
    inlineBelow: { keys: 1, servers: 1, bytes: 1 },
    ...more,
  });
  compute.whenLost((work, why, key) => lost.push(`${work} ${why.lost}${key === null ? '' : ` ${key}`}`));
  opened.push(compute);
  return { compute, threads, lost };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((compute) => compute.close()));
});

const service = (name: string, note = ''): CompileInput => ({
  ...input({ igw_gobtw_bind: '80/tcp', note }),
  key: `root/svc/${name}` as ServiceKey,
});
const crowd = (count: number, note: (at: number) => string = () => ''): CompileInput[] =>
  Array.from({ length: count }, (_, at) => service(`s${at}`, note(at)));

describe('a config that takes its thread with it', () => {
  for (const [planted, lost, clock] of [
    ['PLANTED-EXIT', 'crashed', hasty(2)],
    ['PLANTED-HOARD', 'crashed', hasty(1)],
    ['PLANTED-HANG', 'hung', hasty(20)],
  ] as const) {
    test(`${planted}: its batch is repeated, it alone is spoiled, and the next batches are served`, async () => {
      const { compute, threads, lost: told } = open({}, clock);
      const batch = crowd(12, (at) => (at === 7 ? planted : ''));
      const compiled = await compute.compile(batch, context);
      assert.deepEqual(
        compiled.map(({ key, verdict }) => `${key} ${verdict}`),
        batch.map(({ key }, at) => `${key} ${at === 7 ? 'spoiled' : 'served'}`),
      );
      const [problem] = compiled[7]?.problems ?? [];
      assert.equal(problem?.code, 'internal-error');
      assert.equal(compiled[7]?.badWords, true, 'none of its servers may go');
      assert.deepEqual(told, [`compile ${lost}`, `compile ${lost} root/svc/s7`]);
      assert.ok(threads.stats().replaced >= 4, 'once with its batch, three times alone');
      const next = await compute.compile(crowd(12), context);
      assert.ok(next.every(({ verdict }) => verdict === 'served'));
    });
  }

  test('is never compiled on the calling thread, and is served again once it is mended', async () => {
    const { compute } = open({ inlineBelow: { keys: 4, servers: 1, bytes: 1 } });
    await compute.compile([service('bad', 'PLANTED-EXIT'), ...crowd(5)], context);
    // Alone it would be small enough to be compiled here.
    const [bad, good] = await compute.compile([service('bad', 'PLANTED-EXIT'), service('good')], context);
    assert.deepEqual([bad?.verdict, good?.verdict], ['spoiled', 'served']);
    const [mended] = await compute.compile([service('bad')], context);
    assert.equal(mended?.verdict, 'served');
  });
});

describe('other jobs that lose their thread', () => {
  const crash = '{"PLANTED-EXIT":{"bind":"0.0.0.0:1"}}';

  test('rendering is done here', async () => {
    const { compute, lost } = open({}, hasty(1));
    const [compiled] = await compute.compile([service('web')], context);
    const word = compiled?.words[0];
    assert.ok(compiled?.template && word);
    const place = { listenPort: 80, lookupServer: 'PLANTED-EXIT', expected: null };
    const jobs = [renderJob(compiled.template, word, place)];
    assert.deepEqual(await compute.render(jobs), await createInlineCompute().render(jobs));
    assert.deepEqual(lost, ['render crashed']);
  });

  test('a list is tried twice, and then is none', async () => {
    const { compute, lost } = open({}, hasty(1));
    assert.equal(await compute.observe(Buffer.from(crash), []), null);
    assert.deepEqual(lost, ['observe crashed', 'observe crashed']);
    assert.equal((await compute.observe(Buffer.from('{"a":{"bind":"0.0.0.0:1"}}'), []))?.length, 1);
  });

  test('ports are claimed twice, and then not here', async () => {
    const { compute, lost } = open({}, hasty(1));
    const place = (claims: number): Promise<Int32Array> | undefined =>
      compute.wide?.place({
        rings: createRings({ from: 2000, to: 2020 }),
        hashes: new Uint32Array(claims),
        udp: new Uint8Array(claims),
        taken: [],
      });
    await assert.rejects(place(LETHAL_CLAIMS) ?? Promise.resolve(), /13 claims got lost/);
    assert.deepEqual(lost, Array<string>(4).fill('claim crashed'));
    assert.deepEqual([...((await place(3)) ?? [])], [2000, 2001, 2002]);
  });
});

describe('threads that are no use any more', () => {
  let answer: () => unknown = () => ({ lost: 'crashed', detail: 'exit code 1' });
  const stats = { jobs: 0, replaced: 0, done: 0, waitedMs: 0, utilisation: 0, overdueMs: 0 };
  const compute = createPoolCompute({
    clock: systemClock,
    threads: {
      size: 1,
      run: async () => answer() as never,
      stats: () => stats,
      close: async () => undefined,
    },
    inlineBelow: { keys: 1, servers: 1, bytes: 1 },
  });
  const trouble = (): string | null => threadTrouble(compute.stats());

  test('are told by three lost jobs in a row, and not by a config that takes its thread with it', async () => {
    await compute.compile([service('poison')], context);
    await compute.observe(Buffer.from('{}'), []);
    assert.equal(compute.stats().lostInRow, 2);
    assert.equal(trouble(), null);
    await compute.observe(Buffer.from('{}'), []);
    assert.equal(trouble(), 'the last 4 jobs for worker threads were lost');
    answer = () => ({ value: null });
    await compute.observe(Buffer.from('{}'), []);
    assert.equal(trouble(), null);
  });

  test('jobs that end with the program are not lost', async () => {
    answer = () => ({ lost: 'closed', detail: 'the janitor is stopping' });
    await compute.observe(Buffer.from('{}'), []);
    await compute.observe(Buffer.from('{}'), []);
    assert.equal(trouble(), null);
  });

  test('are told by a job that no thread takes; without threads there is no trouble', () => {
    assert.match(
      threadTrouble({ ...stats, overdueMs: 0.5, lostInRow: 0 }) ?? '',
      /^no worker thread takes a job, 1 ms beyond/,
    );
    assert.equal(threadTrouble(createInlineCompute().stats()), null);
  });
});

test('after the end every job is answered: small ones here, none by a thread', async () => {
  const { compute, threads } = open({ inlineBelow: { keys: 4, servers: 4, bytes: 4000 } });
  await compute.compile(crowd(10), context);
  const late = compute.compile(crowd(10), context);
  await compute.close();
  assert.equal((await late).length, 10);
  assert.equal((await compute.compile(crowd(2), context)).length, 2);
  assert.deepEqual(threads.stats().jobs, 0);
});

test('threads start with the first job that is worth one', async () => {
  const { compute, threads } = open({ inlineBelow: { keys: 32, servers: 32, bytes: 4000 } });
  await compute.compile(crowd(31), context);
  assert.equal(threads.stats().utilisation, 0);
  await compute.compile(crowd(32), context);
  assert.ok(threads.stats().utilisation > 0);
});

test('parts are even, and none is empty', () => {
  const lengths = (items: number, parts: number): number[] =>
    evenly(
      Array.from({ length: items }, () => 0),
      parts,
    ).map(({ length }) => length);
  assert.deepEqual(lengths(10, 3), [3, 3, 4]);
  assert.deepEqual(lengths(2, 5), [1, 1]);
  assert.deepEqual(lengths(0, 2), [0]);
});
