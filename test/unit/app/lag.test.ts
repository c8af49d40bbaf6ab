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

test('the lag of a change ends with the last of its servers, and its age shows until then', async () => {
  const rig = await openApp({ given: { listen: '127.0.0.1:0' }, prepare: (r) => r.put('web', '') });
  const count = (await rig.metric('gobtw_janitor_lag_seconds_count')) ?? 0;
  assert.equal(await rig.metric('gobtw_janitor_oldest_unserved_seconds'), 0);
  rig.balancer.fail('POST', 'no-files', { times: 1 });
  rig.put('web', '80/tcp-:1080 443/tcp-:1443');
  await rig.advance(150);
  assert.equal(Object.keys(rig.served()).length, 1, 'one of two');
  assert.equal(await rig.metric('gobtw_janitor_lag_seconds_count'), count);
  const age = (await rig.metric('gobtw_janitor_oldest_unserved_seconds')) ?? 0;
  assert.ok(age > 0.1 && age <= 0.15, `${age} s`);
  await rig.advance(60_000);
  assert.equal(Object.keys(rig.served()).length, 2);
  assert.equal(await rig.metric('gobtw_janitor_lag_seconds_count'), count + 1);
  assert.equal(await rig.metric('gobtw_janitor_oldest_unserved_seconds'), 0);
  await rig.stop();
});

test('what cannot be served is a problem, and no change that ages', async () => {
  const rig = await openApp({
    given: { listen: '127.0.0.1:0' },
    prepare: (r) => {
      r.put('a', '80/tcp-:1080');
      for (const each of ['held', 'bad', 'refused', 'broken']) r.put(each, '');
    },
  });
  rig.source.failing.set('root/svc/broken' as never, { code: 'x', retry: 'backoff', message: 'no' } as never);
  rig.balancer.fail('POST', 'invalid', { times: 1, name: '_80._tcp.refused.root.svc' });
  rig.put('held', '80/tcp-:1080');
  rig.put('bad', '8/');
  rig.put('refused', '80/tcp-:2080');
  rig.put('broken', '80/tcp-:3080');
  await rig.advance(20_000);
  assert.deepEqual(rig.problems(), [
    'bad-word bad',
    'config-unreadable broken',
    'port-conflict held',
    'refused refused',
  ]);
  assert.equal(await rig.metric('gobtw_janitor_oldest_unserved_seconds'), 0);
  await rig.stop();
});

test('a lag carries its round, and so does the line of the change', async () => {
  const rig = await openApp({
    given: { listen: '127.0.0.1:0', 'log-level': 'info' },
    prepare: (r) => r.put('web', ''),
  });
  rig.put('web', '80/tcp-:1080');
  await rig.advance(5000);
  const line = rig.log.findLast(({ msg }) => msg === 'server created') as { round?: number } | undefined;
  const answer = await fetch(`${rig.app.address()}/metrics`, {
    headers: { accept: 'application/openmetrics-text' },
  });
  const [, round] = /gobtw_janitor_lag_seconds_bucket.*# \{round="(\d+)"\}/.exec(await answer.text()) ?? [];
  assert.ok(round !== undefined);
  assert.equal(String(line?.round), round);
  await rig.stop();
});

test('what policy holds back is not late', async () => {
  const rig = await openApp({
    given: { listen: '127.0.0.1:0', policy: 'upsert-only' },
    prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443'),
  });
  rig.put('web', '80/tcp-:1080');
  await rig.advance(5000);
  assert.equal(Object.keys(rig.served()).length, 2, 'nothing is deleted');
  assert.equal(await rig.metric('gobtw_janitor_oldest_unserved_seconds'), 0);
  rig.balancer.fail('POST', 'no-files', { times: 2 });
  rig.put('web', '81/tcp-:1081');
  await rig.advance(300);
  assert.ok(((await rig.metric('gobtw_janitor_oldest_unserved_seconds')) ?? 0) > 0.2, 'a creation is due');
  await rig.advance(30_000);
  assert.equal(await rig.metric('gobtw_janitor_oldest_unserved_seconds'), 0);
  await rig.stop();

  const watching = await openApp({
    given: { listen: '127.0.0.1:0', policy: 'observe' },
    prepare: (r) => r.put('web', '80/tcp-:1080'),
  });
  await watching.advance(5000);
  assert.equal(await watching.metric('gobtw_janitor_oldest_unserved_seconds'), 0);
  await watching.stop();
});
