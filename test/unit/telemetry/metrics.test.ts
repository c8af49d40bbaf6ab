import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/gobetween/outcome.js';
import type { Problem } from '../../../src/model/problem.js';
import type { ServiceKey } from '../../../src/model/service.js';
import { wantsOpenMetrics } from '../../../src/telemetry/exposition.js';
import {
  type ApiOutcome,
  bounded,
  gapReasons,
  kindsOfReason,
  problemCodes,
} from '../../../src/telemetry/labels.js';
import { createMetrics, type Metrics, metricsTable } from '../../../src/telemetry/metrics.js';

const text = async (metrics: Metrics): Promise<string> => (await metrics.expose(undefined)).body;

async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await text(metrics)).split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('every combination of labels is there from the first scrape, at zero', async () => {
  const metrics = createMetrics('1.2.3', false);
  const body = await text(metrics);
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of samples) {
    const expected = line.startsWith('gobtw_janitor_build_info') ? ' 1' : ' 0';
    assert.ok(line.endsWith(expected), line);
  }
  const names = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
  assert.equal(new Set(names).size, names.length);
  for (const code of problemCodes) assert.ok(names.includes(`gobtw_janitor_problems{code="${code}"}`), code);
  for (const [reason, kinds] of Object.entries(kindsOfReason)) {
    for (const kind of kinds) {
      assert.ok(
        names.includes(`gobtw_janitor_changes_total{kind="${kind}",reason="${reason}",result="applied"}`),
      );
    }
  }
  assert.ok(names.includes('workqueue_depth{name="reconcile"}'));
  assert.ok(names.includes('gobtw_janitor_api_requests_total{op="create",outcome="port-busy"}'));
});

test('recording never makes a series that was not there', async () => {
  const metrics = createMetrics('1', false);
  const series = async () => (await text(metrics)).split('\n').filter((line) => !line.startsWith('#')).length;
  const before = await series();
  record(metrics);
  metrics.eventGap('some new reason');
  metrics.agentRequest('whoami', 'weirder', 1);
  assert.equal(await series(), before);
});

function record(metrics: Metrics): void {
  const queue = metrics.queue('reads');
  queue.added();
  queue.depth(3);
  queue.queued(10);
  queue.worked(20);
  queue.retried();
  queue.unfinished(4000, 3000);
  metrics.event('config', 'queued');
  metrics.streamConnected(true);
  metrics.agentUp(true);
  metrics.lag(30, 'r17');
  metrics.oldestUnserved(2500);
  metrics.roundKeys(5);
  metrics.roundPhase('plan', 2);
  metrics.change('replace', 'drift', 'applied');
  metrics.superseded(2);
  metrics.drift({ missing: 1, mutated: 2, extra: 3 });
  metrics.driftMended('mutated');
  metrics.ports('udp', { free: 1, used: 2, reserved: 3, quarantined: 4 });
  metrics.conflicts(6);
  metrics.servers('foreign', 7);
  metrics.serversInAll(12, 11);
  metrics.connectionsDropped('edited', 13);
  metrics.configRead('cache');
  metrics.configCache(14, 15);
  metrics.workers({ jobs: 1, replaced: 2, done: 3, waitedMs: 4000, utilisation: 0.5 });
  metrics.apiRequest('remove', 'ok', 8);
  metrics.gobetweenUp(true);
  metrics.gobetweenRestart();
  metrics.writeBack('written');
  metrics.synced(true, 1_700_000_000_500);
  metrics.problems('bad-word', 9);
  metrics.problemRaised('bad-word');
}

test('what is recorded is what is shown, in base units', async () => {
  const metrics = createMetrics('1', false);
  record(metrics);
  const expected: Record<string, number> = {
    'workqueue_adds_total{name="reads"}': 1,
    'workqueue_depth{name="reads"}': 3,
    'workqueue_queue_duration_seconds_sum{name="reads"}': 0.01,
    'workqueue_work_duration_seconds_sum{name="reads"}': 0.02,
    'workqueue_retries_total{name="reads"}': 1,
    'workqueue_unfinished_work_seconds{name="reads"}': 4,
    'workqueue_longest_running_processor_seconds{name="reads"}': 3,
    'workqueue_adds_total{name="reconcile"}': 0,
    'gobtw_janitor_events_total{kind="config",outcome="queued"}': 1,
    gobtw_janitor_event_stream_connected: 1,
    gobtw_janitor_lag_seconds_sum: 0.03,
    gobtw_janitor_round_keys_sum: 5,
    'gobtw_janitor_round_duration_seconds_sum{phase="plan"}': 0.002,
    'gobtw_janitor_changes_total{kind="replace",reason="drift",result="applied"}': 1,
    gobtw_janitor_superseded_total: 2,
    'gobtw_janitor_drift_servers{kind="extra"}': 3,
    'gobtw_janitor_drift_found_total{kind="mutated"}': 2,
    'gobtw_janitor_drift_mended_total{kind="mutated"}': 1,
    gobtw_janitor_agent_up: 1,
    gobtw_janitor_oldest_unserved_seconds: 2.5,
    gobtw_janitor_servers_desired: 12,
    gobtw_janitor_servers_observed: 11,
    'gobtw_janitor_dropped_connections_total{reason="edited"}': 13,
    'gobtw_janitor_config_reads_total{origin="cache"}': 1,
    gobtw_janitor_config_cache_entries: 14,
    gobtw_janitor_config_cache_bytes: 15,
    gobtw_janitor_worker_replaced_total: 2,
    gobtw_janitor_worker_jobs_done_total: 3,
    gobtw_janitor_worker_wait_seconds_total: 4,
    'gobtw_janitor_ports{proto="udp",state="quarantined"}': 4,
    gobtw_janitor_conflicts: 6,
    'gobtw_janitor_servers{state="foreign"}': 7,
    'gobtw_janitor_api_request_seconds_sum{op="remove"}': 0.008,
    gobtw_janitor_gobetween_up: 1,
    gobtw_janitor_gobetween_restarts_total: 1,
    'gobtw_janitor_write_backs_total{result="written"}': 1,
    gobtw_janitor_synced: 1,
    gobtw_janitor_last_sync_timestamp_seconds: 1_700_000_000.5,
    'gobtw_janitor_problems{code="bad-word"}': 9,
    'gobtw_janitor_problems_raised_total{code="bad-word"}': 1,
  };
  for (const [series, value] of Object.entries(expected))
    assert.equal(await valueOf(metrics, series), value, series);
  metrics.synced(false, 1_800_000_000_000);
  assert.equal(await valueOf(metrics, 'gobtw_janitor_synced'), 0);
  assert.equal(await valueOf(metrics, 'gobtw_janitor_last_sync_timestamp_seconds'), 1_700_000_000.5);
});

test('OpenMetrics for those who ask, text for the others, mixed and concurrent', async () => {
  const metrics = createMetrics('1', true);
  record(metrics);
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
  const answers = await Promise.all(
    [accept, undefined, accept, 'text/plain', '*/*'].map((header) => metrics.expose(header)),
  );
  for (const [index, { contentType, body }] of answers.entries()) {
    const open = index === 0 || index === 2;
    assert.equal(contentType.startsWith('application/openmetrics-text; version=1.0.0'), open);
    assert.equal(body.endsWith('# EOF\n'), open);
    assert.equal(body.includes('# {round="r17"}'), open);
    assert.equal(body.includes('# TYPE gobtw_janitor_changes counter'), open);
    assert.equal(body.includes('# TYPE gobtw_janitor_changes_total counter'), !open);
    assert.match(body, /^gobtw_janitor_changes_total\{kind="replace",reason="drift",result="applied"\} 1$/m);
    assert.match(body, /^nodejs_eventloop_lag_seconds /m);
  }
});

test('in text every sample belongs to the family announced above it', async () => {
  let family = '';
  let type = '';
  for (const line of (await text(createMetrics('1', true))).split('\n')) {
    const [, mark, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      if (mark === 'TYPE') {
        assert.equal(name, family);
        type = rest ?? '';
      }
      family = name;
    } else if (line !== '') {
      const sample = /^[a-z_0-9]+/.exec(line)?.[0] ?? '';
      const bare =
        type === 'histogram' || type === 'summary' ? sample.replace(/_(bucket|sum|count)$/, '') : sample;
      assert.equal(bare, family);
      assert.equal(type === 'counter', sample.endsWith('_total') && type !== 'gauge', line);
    }
  }
});

test('labels are bounded, and none is a service but in the one metric that names 100 at most', () => {
  assert.equal(bounded(gapReasons, 'disconnected'), 'disconnected');
  assert.equal(bounded(gapReasons, '{"a":1}'), 'other');
  const labels = new Set(
    createMetrics('1', false)
      .describe()
      .filter(({ name }) => name !== 'gobtw_janitor_trouble_info')
      .flatMap((metric) => metric.labels),
  );
  for (const label of ['service', 'key', 'server', 'port', 'path', 'name_space'])
    assert.ok(!labels.has(label), label);
});

test('every outcome of the client is a label', () => {
  const labelled: (outcome: Outcome) => ApiOutcome = (outcome) => outcome;
  assert.equal(labelled('port-busy'), 'port-busy');
});

test("an agent's failure is counted by its code", async () => {
  const metrics = createMetrics('1', false);
  metrics.agentRequest('object_config', 'agent-timeout', 1);
  assert.equal(
    await valueOf(metrics, 'gobtw_janitor_agent_requests_total{action="object_config",outcome="timeout"}'),
    1,
  );
});

test('the table for README has one row for each metric', () => {
  const metrics = createMetrics('1', false).describe();
  assert.equal(metricsTable().split('\n').length, metrics.length + 2);
  for (const { name, type } of metrics) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.match(name, /^(gobtw_janitor|workqueue)_[a-z_]+$/);
  }
});

test('Accept headers', () => {
  assert.equal(wantsOpenMetrics(undefined), false);
  assert.equal(wantsOpenMetrics('*/*'), false);
  assert.equal(wantsOpenMetrics('Application/OpenMetrics-Text'), true);
});

test('figures that grow since the start are counted once, whenever they are told', async () => {
  const metrics = createMetrics('1', false);
  const figures = { jobs: 0, replaced: 1, done: 5, waitedMs: 2000, utilisation: 0 };
  metrics.workers(figures);
  metrics.workers(figures);
  metrics.workers({ ...figures, done: 6, waitedMs: 2500 });
  assert.equal(await valueOf(metrics, 'gobtw_janitor_worker_jobs_done_total'), 6);
  assert.equal(await valueOf(metrics, 'gobtw_janitor_worker_wait_seconds_total'), 2.5);
  assert.equal(await valueOf(metrics, 'gobtw_janitor_worker_replaced_total'), 1);
});

test('services in trouble are named, 100 at most, each code once, and not any more when they are well', async () => {
  const metrics = createMetrics('1', false);
  const named = async (): Promise<string[]> =>
    (await text(metrics)).split('\n').filter((line) => line.startsWith('gobtw_janitor_trouble_info{'));
  const problem = (name: string, severity: 'problem' | 'warning' = 'problem'): Problem => ({
    ...{ code: 'port-conflict', severity, place: 'igw_gobtw_bind 80/tcp', message: '', keeps: '', mend: '' },
    key: `shop/svc/${name}` as ServiceKey,
  });
  const cluster = { ...problem('x'), key: null };
  metrics.trouble([problem('web'), problem('web'), problem('api', 'warning'), cluster]);
  assert.deepEqual(await named(), [
    'gobtw_janitor_trouble_info{service="shop/svc/web",code="port-conflict"} 1',
  ]);
  assert.equal(await valueOf(metrics, 'gobtw_janitor_trouble_truncated'), 0);
  metrics.trouble(Array.from({ length: 250 }, (_, i) => problem(`s${i}`)));
  assert.equal((await named()).length, 100);
  assert.equal(await valueOf(metrics, 'gobtw_janitor_trouble_truncated'), 150);
  metrics.trouble([problem('odd"\\\n}name')]);
  assert.deepEqual(await named(), [
    'gobtw_janitor_trouble_info{service="shop/svc/odd\\"\\\\\\n}name",code="port-conflict"} 1',
  ]);
  metrics.trouble([]);
  assert.deepEqual(await named(), []);
});

test('a scrape is below 60 KiB with a hundred services in trouble', async () => {
  const metrics = createMetrics('10.20.30', true);
  record(metrics);
  const problems = Array.from({ length: 200 }, (_, i) => ({
    ...{ severity: 'problem', place: '', message: '', keeps: '', mend: '' },
    ...{ code: 'write-back-reverted', key: `some-namespace/svc/a-service-with-a-long-name-${i}` },
  })) as unknown as readonly Problem[];
  metrics.trouble(problems);
  const { body } = await metrics.expose(undefined);
  assert.ok(Buffer.byteLength(body) < 60 * 1024, `${Buffer.byteLength(body)} bytes`);
});
