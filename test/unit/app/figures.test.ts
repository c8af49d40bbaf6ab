import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AppRig, openApp } from '../../support/app-rig.js';

const page = { listen: '127.0.0.1:0' };
const states = ['in-sync', 'pending', 'held', 'invalid', 'foreign', 'stale-default'] as const;

async function serversBy(rig: AppRig): Promise<Record<string, number | undefined>> {
  const figures: Record<string, number | undefined> = {};
  for (const state of states) figures[state] = await rig.metric(`gobtw_janitor_servers{state="${state}"}`);
  return figures;
}

test('servers by state: every server and every word without one is in one', async () => {
  const rig = await openApp({
    given: page,
    prepare: (r) => {
      r.balancer.servers.set('mine', JSON.stringify({ bind: ':9', protocol: 'tcp' }));
      r.put('good', '80/tcp-:1080 443/tcp-:1443');
      r.put('held', '80/tcp-:1080');
      r.put('half', '80/tcp-:2080 8/');
      r.put('spoiled', '80/tcp-:3080 81/tcp-:3081', { balance: 'nonsense' });
      r.put('aged', '53/udp-:1053');
    },
  });
  assert.deepEqual(await serversBy(rig), {
    ...{ 'in-sync': 4, pending: 0, held: 1, invalid: 3, foreign: 1, 'stale-default': 0 },
  });
  const aged = '_53._udp.aged.root.svc';
  const body = JSON.parse(rig.balancer.servers.get(aged) ?? '') as object;
  rig.balancer.servers.set(aged, JSON.stringify({ ...body, client_idle_timeout: '0', max_connections: 0 }));
  await rig.restart();
  assert.deepEqual(await serversBy(rig), {
    ...{ 'in-sync': 3, pending: 0, held: 1, invalid: 3, foreign: 1, 'stale-default': 1 },
  });
  assert.equal(await rig.metric('gobtw_janitor_servers_desired'), 4);
  assert.equal(await rig.metric('gobtw_janitor_servers_observed'), 4);
  rig.balancer.fail('POST', 'no-files', { times: 3 });
  rig.put('late', '80/tcp-:4080');
  await rig.advance(200);
  assert.equal((await serversBy(rig))['pending'], 1);
  await rig.stop();
});

test('drift is counted by kind when it is found, and when it is mended', async () => {
  const rig = await openApp({
    given: page,
    prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443 22/tcp-:1022'),
  });
  const drift = (step: string, kind: string): Promise<number | undefined> =>
    rig.metric(`gobtw_janitor_drift_${step}_total{kind="${kind}"}`);
  const [first = '', second = ''] = [...rig.balancer.servers.keys()];
  const body = JSON.parse(rig.balancer.servers.get(second) ?? '') as object;
  rig.balancer.servers.delete(first);
  rig.balancer.servers.set(second, JSON.stringify({ ...body, max_connections: 7 }));
  rig.balancer.servers.set('_81._tcp.web.root.svc', JSON.stringify({ ...body, bind: '0.0.0.0:1081' }));
  await rig.advance(60_000);
  for (const kind of ['missing', 'mutated', 'extra']) {
    assert.equal(await drift('found', kind), 1, kind);
    assert.equal(await drift('mended', kind), 1, kind);
  }
  await rig.stop();
});

test('client connections that a change dropped are counted under its reason', async () => {
  const rig = await openApp({
    given: { ...page, 'quiet-wait': '5s' },
    prepare: (r) => r.put('web', '80/tcp-:1080'),
  });
  const dropped = (reason: string): Promise<number | undefined> =>
    rig.metric(`gobtw_janitor_dropped_connections_total{reason="${reason}"}`);
  rig.put('web', '80/tcp-:1080', { balance: 'iphash' });
  await rig.advance(5000);
  assert.equal(await dropped('edited'), 1);
  rig.put('web', '');
  await rig.advance(20_000);
  assert.equal(await dropped('word-removed'), 1);
  assert.equal(await dropped('edited'), 1, 'once');
  await rig.stop();
});

test('config reads by where they came from, the cache by its size, and the agent as it answers', async () => {
  const rig = await openApp({
    given: page,
    prepare: (r) => {
      r.put('web', '80/tcp-:1080');
      r.put('api', '81/tcp-:1081');
    },
  });
  const reads = (origin: string): Promise<number | undefined> =>
    rig.metric(`gobtw_janitor_config_reads_total{origin="${origin}"}`);
  const agent = await reads('agent');
  assert.ok((agent ?? 0) >= 2);
  assert.equal(rig.source.requests.filter((line) => /^(raw|evaluate) /.test(line)).length, agent);
  assert.equal(await rig.metric('gobtw_janitor_config_cache_entries'), 2);
  assert.ok(((await rig.metric('gobtw_janitor_config_cache_bytes')) ?? 0) > 100);
  assert.equal(await rig.metric('gobtw_janitor_agent_up'), 1);
  await rig.stop();
});

test('who is in trouble is named', async () => {
  const rig = await openApp({
    given: page,
    prepare: (r) => {
      r.put('a', '80/tcp-:1080');
      r.put('b', '80/tcp-:1080');
    },
  });
  assert.equal(await rig.metric('gobtw_janitor_trouble_info{service="b",code="port-conflict"}'), 1);
  rig.put('b', '80/tcp-:2080');
  await rig.advance(3000);
  assert.equal(await rig.metric('gobtw_janitor_trouble_info{service="b",code="port-conflict"}'), undefined);
  await rig.stop();
});
