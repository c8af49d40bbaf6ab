import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealth } from '../../../src/telemetry/health.js';
import { createFakeClock } from '../../support/fake-clock.js';

test('ready only when no check has a reason, and every reason shows', () => {
  let synced = false;
  const health = createHealth({
    clock: createFakeClock(),
    ready: { list: () => (synced ? null : 'the list is not complete'), stream: () => null },
  });
  assert.deepEqual(health.readiness(), { ok: false, reasons: { list: 'the list is not complete' } });
  synced = true;
  assert.deepEqual(health.readiness(), { ok: true, reasons: {} });
});

test('liveness MUST NOT depend on readiness', async () => {
  const clock = createFakeClock();
  const health = createHealth({ clock, ready: { gobetween: () => 'down' } });
  health.start();
  await clock.advance(60_000);
  assert.deepEqual(health.liveness(), { ok: true, reasons: {} });
  assert.equal(health.lagMs(), 0);
  health.stop();
  assert.equal(clock.pending, 0);
});

test('a main loop that was blocked too long is not alive until a heartbeat is on time', async () => {
  const clock = createFakeClock();
  let skewMs = 0;
  const health = createHealth({
    clock: { ...clock, now: () => clock.now() + skewMs },
    ready: {},
    maxLagMs: 5000,
  });
  health.start();
  await clock.advance(1500);
  skewMs = 6000;
  assert.match(health.liveness().reasons['main-loop'] ?? '', /blocked for 5500 ms/);
  await clock.advance(500);
  assert.match(health.liveness().reasons['main-loop'] ?? '', /blocked for 6000 ms/);
  await clock.advance(1000);
  assert.equal(health.liveness().ok, true);
  health.stop();
});

test('before the start and after the stop it is not alive', () => {
  const health = createHealth({ clock: createFakeClock(), ready: {}, live: { workers: () => null } });
  assert.equal(health.liveness().ok, false);
  health.start();
  health.start();
  assert.equal(health.liveness().ok, true);
  health.stop();
  assert.equal(health.liveness().ok, false);
});
