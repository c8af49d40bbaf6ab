import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import { createDnsProbe } from '../../../src/source/dns-probe.js';

const probe = createDnsProbe({ clock: systemClock, random: { next: () => 0.5 } });

test('a server that cannot be reached at all is a verdict, not an exception', async () => {
  for (const protocol of ['udp', 'tcp'] as const) {
    // The system refuses to send to the broadcast address, as it refuses where there is no route.
    const question = { ip: '255.255.255.255', port: 53, protocol, zone: 'cluster1.' };
    const verdict = await probe(question);
    assert.equal(verdict.answers, false, protocol);
    assert.match(verdict.answers ? '' : verdict.why, /^E[A-Z]+$/, protocol);
  }
});
