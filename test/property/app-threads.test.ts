import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type AppRig, type AppRigOptions, openApp } from '../support/app-rig.js';
import { onThreads, openThreads } from '../support/lossy-threads.js';
import { perform, services, step } from '../support/storms.js';

const threads = openThreads();
after(() => threads.close());

type Steps = readonly { readonly act: Parameters<typeof perform>[1]; readonly ms: number }[];

/** What is served after each step, and when it is calm again; allocated ports too. */
async function play(steps: Steps, options: AppRigOptions): Promise<unknown> {
  const rig = await openApp({
    ...options,
    given: { 'port-range': '5000-5020' },
    prepare(r) {
      r.put('calm', '80/tcp-:9080 53/udp-:9053 443/tcp-:9443');
      for (const each of services) r.put(each, '');
    },
  });
  const look = (r: AppRig): unknown => ({ served: r.served(), problems: r.problems(), calls: r.calls() });
  const seen: unknown[] = [look(rig)];
  for (const { act, ms } of steps) {
    await perform(rig, act);
    await rig.advance(ms);
    seen.push(look(rig));
  }
  rig.balancer.heal();
  await rig.advance(60_000);
  seen.push(look(rig));
  await rig.stop();
  assert.equal(rig.clock.pending, 0);
  return seen;
}

test('on worker threads the whole program does what it does without, call by call', async () => {
  let jobs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const rig = onThreads(threads);
      const there = await play(steps, rig);
      assert.deepEqual(there, await play(steps, {}));
      jobs += rig.jobs.length;
    }),
    { numRuns: Number(process.env['STORMS'] ?? 12) },
  );
  assert.ok(jobs > 100, `${jobs} jobs were done by threads`);
});
