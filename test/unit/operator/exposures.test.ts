/** What is shown beside the state of a row: since when, and what is warned of. In the whole program, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

test('a row says since when it is as it is: of its server, of its problem, of its wish', async () => {
  const rig = await openApp({
    prepare(rig) {
      rig.put('web', '80/tcp-0.0.0.0:5000');
    },
  });
  const row = (service: string) => rig.app.exposure().find((each) => each.service === service);
  const at = (ms: number): string => new Date(rig.clock.wall() - ms).toISOString();
  const near = (since: string | null | undefined, ms: number): void =>
    assert.ok(Math.abs(Date.parse(since ?? '') - Date.parse(at(ms))) <= 2500, `${since} is not ${at(ms)}`);
  near(row('web')?.since, 0);
  await rig.advance(60_000);
  near(row('web')?.since, 60_000);
  rig.put('rival', '80/tcp-0.0.0.0:5000');
  await rig.advance(5_000);
  assert.equal(row('rival')?.state, 'held');
  assert.equal(row('rival')?.code, 'port-conflict');
  await rig.advance(30_000);
  near(row('rival')?.since, 35_000);
  near(row('web')?.since, 95_000);
  rig.balancer.down(true);
  rig.put('late', '80/tcp-0.0.0.0:5001');
  await rig.advance(40_000);
  assert.equal(row('late')?.state, 'pending');
  near(row('late')?.since, 40_000);
  rig.balancer.down(false);
  await rig.advance(20_000);
  await rig.restart();
  assert.equal(row('web')?.state, 'serving');
  assert.equal(row('web')?.since, null, 'it was there before this process began');
  await rig.stop();
});

test('warnings of a word are its own, those of the service are all its words’', async () => {
  const rig = await openApp({
    prepare(rig) {
      rig.put('web', '80/tcp-0.0.0.0:5000 443/tcp-0.0.0.0:5001', { max_conections: '5' });
    },
  });
  const rows = rig.app.exposure();
  assert.deepEqual(
    rows.map(({ word, state, warnings }) => [word, state, [...warnings].sort()]),
    [
      ['443/tcp-0.0.0.0:5001', 'serving', ['not-exposed', 'unknown-keyword']],
      ['80/tcp-0.0.0.0:5000', 'serving', ['not-exposed', 'unknown-keyword']],
    ],
  );
  await rig.stop();
});
