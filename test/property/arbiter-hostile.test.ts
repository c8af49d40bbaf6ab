import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createArbiter } from '../../src/ports/arbiter.js';
import { createFakeClock } from '../support/fake-clock.js';
import {
  assertSound,
  createTold,
  eventArb,
  KEYS,
  PORTS,
  RESERVED,
  SERVERS,
  tell,
} from '../support/hostile-arbiter.js';

test('whatever it is told, it stays exclusive, leaves foreign ports alone, and never moves an explicit claim', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(eventArb, { minLength: 1, maxLength: 40 }), async (events) => {
      const clock = createFakeClock();
      const arbiter = createArbiter({
        clock,
        range: { from: PORTS.min, to: PORTS.max },
        reserved: new Set([RESERVED]),
      });
      const told = createTold();
      for (const event of events) {
        await tell(event, arbiter, clock, told);
        assertSound(arbiter, told);
      }
      for (const key of KEYS) arbiter.removeKey(key);
      for (const name of SERVERS) arbiter.release(name);
      await clock.advance(8 * 3_600_000);
      const { affected } = arbiter.decide([]);
      for (const key of affected) assert.ok(KEYS.includes(key));
      const { tcp, udp } = arbiter.usage();
      assert.equal(tcp.used + udp.used + tcp.quarantined + udp.quarantined, 0, 'nothing is left behind');
      assert.equal(arbiter.exhausted(), 0);
    }),
    { numRuns: 300 },
  );
});
