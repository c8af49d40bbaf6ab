import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

test('the lag of an edit is not counted from the start that found everything in place', async () => {
  const rig = await openApp({
    given: { listen: '127.0.0.1:0' },
    prepare: (r) => r.put('web', '80/tcp-:1080'),
  });
  await rig.restart();
  await rig.advance(600_000);
  const before = (await rig.metric('gobtw_janitor_lag_seconds_sum')) ?? 0;
  rig.put('web', '80/tcp-:2080');
  await rig.advance(5000);
  assert.deepEqual(Object.values(rig.served()), ['0.0.0.0:2080']);
  const after = (await rig.metric('gobtw_janitor_lag_seconds_sum')) ?? 0;
  assert.ok(after - before < 10, `${after - before} s`);
  await rig.stop();
});
