import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyOf } from '../../support/cluster-lists.js';
import { openApp } from '../../support/app-rig.js';
import { unreachable } from '../../support/memory-source.js';

const page = { listen: '127.0.0.1:0' };

describe('/readyz says each reason', () => {
  async function reasons(rig: Awaited<ReturnType<typeof openApp>>): Promise<readonly string[]> {
    const { status, text } = await rig.page('/readyz');
    const found = Object.keys((JSON.parse(text) as { reasons: Record<string, string> }).reasons).sort();
    assert.equal(status, found.length === 0 ? 200 : 503);
    return found;
  }

  test('no agent, no GoBetween: the list, the sweep and the plan are missing; /healthz is fine', async () => {
    const rig = await openApp({
      given: page,
      prepare({ source, balancer }) {
        source.failing.set('list', { code: 'agent-unreachable', retry: 'backoff', message: 'ECONNREFUSED' });
        balancer.down(true);
      },
    });
    assert.deepEqual(await reasons(rig), ['cluster', 'plan', 'sweep']);
    assert.equal((await rig.page('/healthz')).status, 200);
    rig.source.failing.clear();
    await rig.advance(20_000);
    assert.deepEqual(await reasons(rig), ['plan', 'sweep']);
    rig.balancer.down(false);
    await rig.advance(20_000);
    assert.deepEqual(await reasons(rig), []);
    rig.balancer.down(true);
    await rig.advance(60_000);
    assert.deepEqual(await reasons(rig), [], 'an outage of GoBetween makes nobody else ready');
    await rig.stop();
  });

  test('a mount that goes stale while the agent is away is told', async () => {
    const rig = await openApp();
    rig.source.failing.set('list', unreachable);
    await rig.advance(20_000);
    rig.agentProblem = {
      code: 'stale-mount',
      severity: 'problem',
      key: null,
      place: '/var/run/lsnr',
      message: 'deleted on the host',
      keeps: 'every server',
      mend: 'restart',
    };
    await rig.advance(20_000);
    assert.deepEqual(rig.problems(), ['stale-mount']);
    await rig.stop();
  });

  test('the stream, a stale mount, an unknown name', async () => {
    const rig = await openApp({ given: page });
    assert.deepEqual(await reasons(rig), []);
    rig.source.handlers?.onConnected(false);
    assert.deepEqual(await reasons(rig), ['stream']);
    rig.source.handlers?.onConnected(true);
    rig.agentProblem = {
      code: 'stale-mount',
      severity: 'problem',
      key: null,
      place: '/var/run/lsnr',
      message: 'was deleted on the host',
      keeps: 'every server',
      mend: 'restart',
    };
    assert.deepEqual(await reasons(rig), ['agent']);
    await rig.stop();
    const nobody = await openApp({
      given: page,
      hostname: 'nobody',
      prepare({ source }) {
        source.ownName = null;
      },
    });
    await nobody.advance(200_000);
    assert.ok((await reasons(nobody)).includes('identity'));
    await nobody.stop();
  });
});

describe('metrics are recorded where things happen', () => {
  test('every family that a lively hour touches', async () => {
    const rig = await openApp({
      given: page,
      prepare({ put }) {
        put('web', '80/tcp');
        put('api', '80/tcp-:8081');
        put('rival', '80/tcp-:8081');
        put('low', '80/tcp-:1214');
      },
    });
    rig.balancer.fail('POST', 'denied', { name: '_80._tcp.late.root.svc', times: 1 });
    rig.put('late', '80/tcp-:8090');
    rig.put('late', '80/tcp-:8090');
    rig.source.handlers?.onEvent('irrelevant', 1);
    rig.source.handlers?.onGap('id-gap');
    await rig.advance(40_000);
    rig.source.handlers?.onDeleting(keyOf('late'));
    rig.source.remove('late');
    await rig.advance(5_000);
    rig.balancer.servers.delete('_80._tcp.api.root.svc');
    await rig.advance(31_000);
    rig.balancer.restart();
    await rig.advance(5_000);
    const { text } = await rig.page('/metrics');
    const value = (series: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')
          .at(-1),
      );
    const some = [
      'gobtw_janitor_agent_requests_total{action="whoami",outcome="ok"}',
      'gobtw_janitor_agent_requests_total{action="daemon_status",outcome="ok"}',
      'gobtw_janitor_agent_requests_total{action="object_config",outcome="ok"}',
      'gobtw_janitor_agent_requests_total{action="object_action",outcome="ok"}',
      'gobtw_janitor_events_total{kind="config",outcome="queued"}',
      'gobtw_janitor_events_total{kind="config",outcome="coalesced"}',
      'gobtw_janitor_events_total{kind="membership",outcome="coalesced"}',
      'gobtw_janitor_events_total{kind="deleting",outcome="queued"}',
      'gobtw_janitor_events_total{kind="other",outcome="irrelevant"}',
      'gobtw_janitor_event_gaps_total{reason="id-gap"}',
      'gobtw_janitor_round_keys_count',
      ...['compile', 'arbitrate', 'render', 'plan'].map(
        (phase) => `gobtw_janitor_round_duration_seconds_count{phase="${phase}"}`,
      ),
      'gobtw_janitor_lag_seconds_count',
      'gobtw_janitor_write_backs_total{result="written"}',
      'gobtw_janitor_changes_total{kind="create",reason="new",result="applied"}',
      'gobtw_janitor_changes_total{kind="create",reason="new",result="failed"}',
      'gobtw_janitor_changes_total{kind="create",reason="restart",result="applied"}',
      'gobtw_janitor_changes_total{kind="create",reason="drift",result="applied"}',
      'gobtw_janitor_changes_total{kind="delete",reason="announced",result="applied"}',
      'gobtw_janitor_gobetween_restarts_total',
      'gobtw_janitor_gobetween_up',
      'gobtw_janitor_event_stream_connected',
      'gobtw_janitor_api_requests_total{op="list",outcome="ok"}',
      'gobtw_janitor_api_requests_total{op="status",outcome="ok"}',
      'gobtw_janitor_api_requests_total{op="stats",outcome="ok"}',
      'gobtw_janitor_problems{code="port-reserved"}',
      'gobtw_janitor_problems_raised_total{code="port-conflict"}',
      'workqueue_adds_total{name="reads"}',
      'workqueue_adds_total{name="reconcile"}',
    ];
    assert.deepEqual(
      some.filter((series) => !(value(series) > 0)),
      [],
    );
    assert.equal(value('gobtw_janitor_conflicts'), 1, 'a reserved port is no conflict');
    assert.equal(value('gobtw_janitor_servers{state="held"}'), 2);
    assert.equal(value('gobtw_janitor_synced'), 1, 'two held words are problems, not debts');
    await rig.stop();
  });

  test('no scrape, however lively, has a series that the first one had not', async () => {
    const rig = await openApp({ given: page });
    const series = async (): Promise<readonly string[]> =>
      (await rig.page('/metrics')).text
        .split('\n')
        .filter((line) => /^(gobtw_janitor|workqueue)_(?!trouble_info)/.test(line))
        .map((line) => line.slice(0, line.lastIndexOf(' ')));
    const before = await series();
    for (const outcome of ['denied', 'no-files', 'file-error', 'invalid', 'closed', 'timeout'] as const) {
      rig.balancer.fail('POST', outcome, { times: 2 });
      rig.balancer.fail('DELETE', outcome === 'timeout' ? 'timeout' : 'closed', { times: 1 });
      rig.put(outcome, `80/tcp-:${2000 + outcome.length * 7}`);
      await rig.advance(20_000);
      rig.put(outcome, `80/tcp-:${3000 + outcome.length * 7}`);
      await rig.advance(40_000);
      rig.put(outcome, '');
      await rig.advance(20_000);
    }
    assert.deepEqual(await series(), before);
    await rig.stop();
  });

  test('work in progress is seen while it lasts', async () => {
    const rig = await openApp({ given: page });
    rig.source.latencyMs.config = 10_000;
    rig.put('web', '80/tcp-:8080');
    await rig.advance(4_000);
    const age = (await rig.metric('workqueue_unfinished_work_seconds{name="reads"}')) ?? 0;
    assert.ok(age > 3 && age < 4.1, String(age));
    await rig.advance(20_000);
    assert.equal(await rig.metric('workqueue_longest_running_processor_seconds{name="reads"}'), 0);
    await rig.stop();
  });

  test('not in sync while GoBetween is away, although nothing is pending', async () => {
    const rig = await openApp({ given: page, prepare: ({ put }) => put('web', '80/tcp-:8080') });
    assert.equal(await rig.metric('gobtw_janitor_synced'), 1);
    rig.balancer.down(true);
    await rig.advance(10_000);
    assert.equal(await rig.metric('gobtw_janitor_synced'), 0);
    await rig.stop();
  });

  test('what the policy forbids is counted, and nothing is sent', async () => {
    const rig = await openApp({
      given: { ...page, policy: 'observe' },
      prepare: ({ put }) => put('web', '80/tcp'),
    });
    await rig.advance(120_000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.written, []);
    assert.equal(
      await rig.metric('gobtw_janitor_changes_total{kind="create",reason="new",result="suppressed"}'),
      1,
    );
    await rig.stop();
  });
});

test('--resync sets how often the cluster is listed, once its stream is up', async () => {
  const rig = await openApp({ given: { resync: '10s' } });
  const lists = (): number => rig.source.requests.filter((request) => request === 'list').length;
  const before = lists();
  await rig.advance(100_000);
  assert.ok(Math.abs(lists() - before - 10) <= 1, String(lists() - before));
  await rig.stop();
});
