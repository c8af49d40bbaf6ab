import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ComputeStats, createInlineCompute } from '../../../src/worker/compute.js';
import { openApp } from '../../support/app-rig.js';

test('/healthz fails while the worker threads are no use, with the reason, and /metrics shows them', async () => {
  let stats: ComputeStats = {
    ...{ jobs: 2, replaced: 1, done: 7, waitedMs: 1500, utilisation: 0.25 },
    ...{ overdueMs: 0, lostInRow: 2 },
  };
  const rig = await openApp({
    given: { listen: '127.0.0.1:0' },
    compute: { ...createInlineCompute(), stats: () => stats },
    prepare: (r) => r.put('web', '80/tcp-:1080'),
  });
  assert.equal((await rig.page('/healthz')).status, 200);
  stats = { ...stats, replaced: 4, lostInRow: 5 };
  const { status, text } = await rig.page('/healthz');
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(text), {
    ok: false,
    reasons: { workers: 'the last 5 jobs for worker threads were lost' },
  });
  assert.equal((await rig.page('/readyz')).status, 200, 'what is served is served');
  const shown = await Promise.all(
    ['jobs', 'replaced_total', 'utilisation'].map((name) => rig.metric(`gobtw_janitor_worker_${name}`)),
  );
  assert.deepEqual(shown, [2, 4, 0.25]);
  stats = { ...stats, lostInRow: 0 };
  assert.equal((await rig.page('/healthz')).status, 200);
  await rig.stop();
});
