import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Compute } from '../../../src/worker/compute.js';
import { createInlineCompute } from '../../../src/worker/compute.js';
import { openApp } from '../../support/app-rig.js';

/** A compute in which services named here make the step throw. */
function buggy(step: 'compile' | 'render') {
  const compute = createInlineCompute();
  const poison = new Set<string>();
  const check = (text: string): void => {
    for (const name of poison) if (text.includes(name)) throw new TypeError(`no ${name}`);
  };
  const wrapped: Compute = {
    ...compute,
    async compile(inputs, context) {
      if (step === 'compile') for (const { key } of inputs) check(key);
      return compute.compile(inputs, context);
    },
    async render(jobs) {
      if (step === 'render') for (const { pattern } of jobs) check(pattern);
      return compute.render(jobs);
    },
  };
  return { compute: wrapped, poison };
}

describe('an exception inside a round', () => {
  for (const step of ['compile', 'render'] as const) {
    test(`of one service in ${step} costs no other service, and is tried again until it works`, async () => {
      const { compute, poison } = buggy(step);
      poison.add('bad');
      const rig = await openApp({
        compute,
        given: { listen: '127.0.0.1:0' },
        prepare({ put }) {
          put('web', '80/tcp-:8080');
          put('bad', '80/tcp-:8081');
          put('api', '80/tcp-:8082');
        },
      });
      assert.deepEqual(Object.values(rig.served()), ['0.0.0.0:8082', '0.0.0.0:8080']);
      rig.put('late', '80/tcp-:8083');
      await rig.advance(1000);
      assert.ok(Object.values(rig.served()).includes('0.0.0.0:8083'), 'the loop goes on');
      assert.deepEqual(rig.problems(), ['internal-error bad']);
      const told = () => rig.log.filter(({ msg }) => msg.startsWith('a bug'));
      assert.equal(told().length, 1);
      assert.equal(told()[0]?.level, 'error');
      assert.match(String(told()[0]?.['stack']), /TypeError: no bad\n.* at /);
      await rig.advance(120_000);
      assert.equal(told().length, 1, 'said once, not at each try');
      assert.ok(((await rig.metric('workqueue_retries_total{name="reconcile"}')) ?? 0) > 3);
      assert.equal((await rig.page('/readyz')).status, 200);
      poison.clear();
      await rig.advance(31_000);
      assert.ok(Object.values(rig.served()).includes('0.0.0.0:8081'));
      assert.deepEqual(rig.problems(), []);
      await rig.stop();
    });
  }

  test('a service that worked before keeps its server, and its deletion is done once the bug is gone', async () => {
    const { compute, poison } = buggy('compile');
    const rig = await openApp({ compute, prepare: ({ put }) => put('web', '80/tcp-:8080') });
    rig.calls();
    poison.add('web');
    rig.put('web', '80/tcp-:9090');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    poison.clear();
    await rig.advance(31_000);
    assert.deepEqual(Object.values(rig.served()), ['0.0.0.0:9090']);
    await rig.stop();
  });
});
