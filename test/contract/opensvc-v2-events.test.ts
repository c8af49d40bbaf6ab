/**
 * The recorded event flows of a real v2.1 agent against the stand-in: for each flow, which parts of an object the patches
 * touch, and the shape of the whole values that they carry.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type SimAgent, startAgent } from '../../src/sim/agent/agent.js';
import { createCluster, type SimCluster } from '../../src/sim/cluster/cluster.js';
import { ask, type Follower, follow, type StreamMessage } from '../support/raw-client.js';
import { recordedCluster, recordedFlow, recording, socketDirectory } from '../support/recorded-cluster.js';

type RecordedChange = readonly [readonly (string | number)[], unknown?];

const changesOf = (messages: readonly { kind: string; data: unknown }[]): readonly RecordedChange[] =>
  messages.flatMap((message) =>
    message.kind === 'patch' ? (message.data as readonly RecordedChange[]) : [],
  );

/** `config.csum`, `status`, `agg.avail`, `status deleted`, …: what the patches do to one object, without order. */
function touched(messages: readonly { kind: string; data: unknown }[], object: string): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const change of changesOf(messages)) {
    const [path] = change;
    if (path[0] !== 'monitor') continue;
    const aggregate = path[1] === 'services';
    const at = aggregate ? 2 : 5;
    if (path[at] !== object || (!aggregate && path[3] !== 'services')) continue;
    const part = aggregate ? 'agg' : String(path[4]);
    keys.add([part, ...path.slice(at + 1)].join('.') + (change.length === 1 ? ' deleted' : ''));
  }
  return keys;
}

/** The nested keys of a value; lists are told by their first element. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  const entries = Object.entries(value).map(([key, member]) => [key, shape(member)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
}

interface Stage {
  readonly cluster: SimCluster;
  readonly agent: SimAgent;
  readonly events: Follower;
  readonly ask: (request: unknown) => Promise<unknown>;
}

async function stage(
  t: { after(fn: () => unknown): void },
  cluster: SimCluster,
  node = 'n1',
): Promise<Stage> {
  const socketPath = join(socketDirectory(t), 's');
  const agent = await startAgent({ cluster, node, socketPath, flaws: { setMs: 0 } });
  t.after(() => agent.kill());
  const events = await follow(socketPath);
  // our own connection is the first thing that the stream shows
  await events.until((messages) => messages.length > 0);
  return { cluster, agent, events, ask: (request) => ask(socketPath, request) };
}

async function afterMonitorChange(
  events: Follower,
  object: string,
  key: string,
): Promise<readonly StreamMessage[]> {
  await events.until((messages) => touched(messages, object).has(key));
  return events.messages;
}

const action = (path: string, name: string, kw: readonly string[]): unknown => ({
  action: 'object_action',
  method: 'POST',
  node: 'ANY',
  options: { path, action: name, options: { kw } },
});

describe('recorded flows', () => {
  for (const [flow, request, seen] of [
    ['set_object_action', action('ns1/svc/web', 'set', ['env.igw_gobtw_bind=80/tcp']), 'config.csum'],
    ['unset_key', action('ns1/svc/web', 'unset', ['env.igw_gobtw_bind']), 'config.csum'],
    ['set_identical', action('ns1/svc/web', 'set', ['env.igw_gobtw_bind=81/tcp']), 'status.updated'],
  ] as const) {
    test(flow, async (t) => {
      const { events, ask } = await stage(t, recordedCluster());
      await ask(request);
      const messages = await afterMonitorChange(events, 'ns1/svc/web', seen);
      assert.deepEqual(
        touched(messages, 'ns1/svc/web'),
        touched(recordedFlow(`flow_${flow}.jsonl`), 'ns1/svc/web'),
      );
    });
  }

  test('create_handler: config, aggregate and status appear whole, in their recorded shape', async (t) => {
    const { events, ask } = await stage(t, recordedCluster(['ns1/svc/web']));
    const data = { 'ns1/svc/web': { DEFAULT: { nodes: 'n1' }, env: { igw_gobtw_bind: '80/tcp' } } };
    const answer = await ask({ action: 'create', options: { data } });
    const out = { status: 0, data: { out: 'create ns1/svc/web\n', err: '', ret: 0 } };
    assert.deepEqual(answer, { nodes: { n1: out }, status: 0 });
    const messages = await afterMonitorChange(events, 'ns1/svc/web', 'agg.provisioned');
    const recorded = recordedFlow('flow_create_handler.jsonl');
    const expected = new Set(touched(recorded, 'ns1/svc/web'));
    // the agent runs the status twice; the second run only moves its time
    expected.delete('status.updated');
    assert.deepEqual(touched(messages, 'ns1/svc/web'), expected);
    const whole = (from: readonly { kind: string; data: unknown }[]): unknown =>
      changesOf(from)
        .filter(([path]) => path.at(-1) === 'ns1/svc/web')
        .map(([path, value]) => [path, shape(value)]);
    assert.deepEqual(whole(messages), whole(recorded));
  });

  test('update_via_create', async (t) => {
    const { events, ask } = await stage(t, recordedCluster());
    const data = { 'ns1/svc/web': { DEFAULT: { nodes: 'n1' }, env: { igw_gobtw_bind: '82/tcp' } } };
    await ask({ action: 'create', options: { data } });
    const messages = await afterMonitorChange(events, 'ns1/svc/web', 'config.csum');
    const recorded = recordedFlow('flow_update_via_create.jsonl');
    assert.deepEqual(touched(messages, 'ns1/svc/web'), touched(recorded, 'ns1/svc/web'));
  });

  test('delete_conf_file: the three deletes and nothing else', async (t) => {
    const { cluster, events } = await stage(t, recordedCluster());
    cluster.delete('n2only', { announced: false });
    const messages = await afterMonitorChange(events, 'n2only', 'agg deleted');
    const recorded = recordedFlow('flow_delete_conf_file.jsonl');
    assert.deepEqual(touched(messages, 'n2only'), touched(recorded, 'n2only'));
  });

  test('delete_via_global_expect: announced in the monitor and by an event, then gone', async (t) => {
    const { events, ask } = await stage(t, recordedCluster());
    const answer = await ask({
      action: 'object_monitor',
      method: 'POST',
      options: { path: 'n2only', global_expect: 'deleted' },
    });
    const info = ['n2only defer target state set to deleted'];
    assert.deepEqual(answer, { data: { global_expect: 'deleted' }, status: 0, info });
    const messages = await afterMonitorChange(events, 'n2only', 'agg deleted');
    const recorded = recordedFlow('flow_delete_via_global_expect.jsonl');
    const seen = touched(messages, 'n2only');
    for (const key of touched(recorded, 'n2only')) assert.ok(seen.has(key), key);
    for (const part of ['config', 'status', 'agg']) assert.ok(seen.has(`${part} deleted`), part);
    const event = (from: readonly { kind: string; data: unknown }[]): unknown => {
      const { data } = from.find(({ kind }) => kind === 'event') ?? {};
      const fields = shape(data) as Record<string, unknown>;
      // how the instance looked then
      Reflect.deleteProperty(fields, 'instance');
      return fields;
    };
    assert.deepEqual(event(messages), event(recorded));
  });

  for (const [flow, target] of [
    ['start_ip_service', 'started'],
    ['stop_ip_service', 'stopped'],
  ] as const) {
    test(`${flow}: no key that the real agent does not show`, async (t) => {
      const { cluster, events, ask } = await stage(t, recordedCluster());
      cluster.setUp('ns1/svc/ipsvc', target === 'stopped');
      cluster.setFrozen('ns1/svc/ipsvc', target === 'started');
      await events.until(
        (messages) => touched(messages, 'ns1/svc/ipsvc').has('agg.avail') || target === 'stopped',
      );
      const before = events.messages.length;
      const options = { path: 'ns1/svc/ipsvc', global_expect: target };
      await ask({ action: 'object_monitor', method: 'POST', options });
      await events.until((messages) => touched(messages.slice(before), 'ns1/svc/ipsvc').has('agg.avail'));
      const recorded = touched(recordedFlow(`flow_${flow}.jsonl`), 'ns1/svc/ipsvc');
      const seen = touched(events.messages.slice(before), 'ns1/svc/ipsvc');
      for (const key of seen) assert.ok(recorded.has(key), key);
    });
  }

  test('scaler_thaw_creates_slaves: slaves carry the flag in status and aggregate', async (t) => {
    const { cluster, events } = await stage(t, recordedCluster());
    cluster.scale('rscaled', 0);
    await afterMonitorChange(events, '0.rscaled', 'agg deleted');
    const before = events.messages.length;
    cluster.scale('rscaled', 2);
    await events.until((messages) => touched(messages.slice(before), '1.rscaled').has('agg'));
    const recorded = recordedFlow('flow_scaler_thaw_creates_slaves.jsonl');
    const whole = (from: readonly { kind: string; data: unknown }[], part: string): unknown => {
      const found = changesOf(from).find(([path]) => path.at(-1) === '0.rscaled' && path.includes(part));
      return shape(found?.[1]);
    };
    const seen = events.messages.slice(before);
    assert.deepEqual(whole(seen, 'status'), whole(recorded, 'status'));
    assert.deepEqual(whole(seen, 'config'), whole(recorded, 'config'));
  });
});

describe('recorded as text', () => {
  /** The change lists in the lines of a recording between two marks. */
  const lines = (name: string, from: RegExp, to: RegExp): readonly string[] => {
    const all = JSON.parse(recording(name)) as readonly string[];
    const start = all.findIndex((line) => from.test(line));
    const end = all.findIndex((line, index) => index > start && to.test(line));
    return all.slice(start + 1, end === -1 ? undefined : end);
  };
  const pathIn = (line: string): readonly string[] =>
    (/\[\["monitor".*?\]/.exec(line)?.[0] ?? '').match(/"[^"]*"/g)?.map((part) => part.slice(1, -1)) ?? [];

  test('a bad line in a live config gives the deletes of a real deletion, its repair those of a creation', async (t) => {
    const cluster = createCluster({ name: 'clu1', nodes: ['n1'], dns: [] });
    cluster.create('svc9', '[DEFAULT]\nnodes = n1\n\n[env]\na = 1\n', { frozen: true });
    const { events, ask } = await stage(t, cluster);
    const name = 'flow_config_broken_then_repaired.json';
    cluster.breakConfig('svc9');
    const broken = lines(name, /^after a syntax error/, /^config read/).map(pathIn);
    await afterMonitorChange(events, 'svc9', 'agg deleted');
    const deleted = changesOf(events.messages).filter(
      (change) => change.length === 1 && change[0][0] === 'monitor',
    );
    assert.deepEqual(
      new Set(deleted.map(([path]) => path.join(' '))),
      new Set(broken.map((path) => path.join(' '))),
    );
    const options = { path: 'svc9', format: 'json' };
    const read = (await ask({ action: 'get_service_config', options })) as {
      status: unknown;
      error: unknown;
    };
    assert.deepEqual([read.status, read.error], ['1', "'svc9'"]);
    const before = events.messages.length;
    cluster.repairConfig('svc9');
    await events.until((messages) => touched(messages.slice(before), 'svc9').has('agg.provisioned'));
    const repaired = lines(name, /^after the repair/, /^never$/).map(pathIn);
    const seen = changesOf(events.messages.slice(before)).filter(([path]) => path[0] === 'monitor');
    assert.deepEqual(
      new Set(seen.map(([path]) => path.join(' '))),
      new Set(repaired.map((path) => path.join(' '))),
    );
  });

  test('a lost node takes its subtree and the aggregates that only it had; it comes back in recorded form', async (t) => {
    const cluster = createCluster({ name: 'clu2', nodes: ['m1', 'm2'], dns: [] });
    cluster.create('ns1/svc/onlym2', '[DEFAULT]\nnodes = m2\n', { frozen: true });
    cluster.create('ns1/svc/both', '[DEFAULT]\nnodes = m1 m2\n', { frozen: true });
    const { events } = await stage(t, cluster, 'm1');
    cluster.loseNode('m2');
    const lost = lines('two_nodes.json', /^SIGKILL m2/, /^after m2 lost/).filter((line) =>
      line.includes('[['),
    );
    await events.until((messages) => touched(messages, 'ns1/svc/onlym2').has('agg deleted'));
    const deleted = changesOf(events.messages).filter(
      (change) => change.length === 1 && change[0][0] === 'monitor',
    );
    const text = (path: readonly unknown[]): string => path.join(' ');
    assert.deepEqual(
      new Set(deleted.map(([path]) => text(path))),
      new Set(lost.map((line) => text(pathIn(line)))),
    );
    const kinds = events.messages
      .filter(({ kind }) => kind === 'event')
      .map(({ data }) => (data as { id: string }).id);
    assert.deepEqual(kinds, ['hb_stale', 'forget_peer']);

    const before = events.messages.length;
    cluster.rejoinNode('m2');
    await events.until((messages) => touched(messages.slice(before), 'ns1/svc/onlym2').has('agg'));
    const back = lines('two_nodes_relay.json', /^nodes after m2 back/, /^\{"action/).map(pathIn);
    const field = (path: readonly (string | number)[]): string =>
      path[1] === 'nodes' ? String(path.slice(2, path[3] === 'monitor' ? 5 : 4).join(' ')) : text(path);
    const seen = changesOf(events.messages.slice(before)).filter(
      ([path]) => path[0] === 'monitor' && path[2] !== 'm1',
    );
    assert.deepEqual(new Set(seen.map(([path]) => field(path))), new Set(back.map(field)));
  });
});

describe('daemon_status', () => {
  test('has the recorded keys at every level', async (t) => {
    const { ask } = await stage(t, recordedCluster());
    const recorded = JSON.parse(recording('misc_requests_and_errors.json')) as readonly {
      note: string;
      response: unknown;
    }[];
    const expected = recorded.find(({ note }) => note === 'unknown option ignored')?.response as Tree;
    const seen = (await ask({ action: 'daemon_status', options: { bogus: 1 } })) as Tree;
    assert.deepEqual(shape(withoutMoods(seen)), shape(withoutMoods(expected)));
  });

  test('shows a scaler and its slaves as recorded', async (t) => {
    const { ask } = await stage(t, recordedCluster());
    const recorded = JSON.parse(recording('daemon_status_scaler.json')) as Record<string, Tree>;
    const seen = (await ask({ action: 'daemon_status' })) as { monitor: Record<string, Tree> };
    for (const path of ['rscaled', '0.rscaled', '1.rscaled']) {
      assert.deepEqual(seen.monitor['services']?.[path], recorded['monitor.services']?.[path]);
    }
  });
});

type Tree = { [key: string]: Tree };

/** Leaves out what depends on what was done before: orchestration traces, schedules, sessions, and sample resources. */
function withoutMoods(status: Tree): Tree {
  const copy = structuredClone(status);
  const services = copy['monitor']?.['nodes']?.['n1']?.['services'] ?? {};
  for (const instance of Object.values(services['status'] ?? {})) {
    if (instance['monitor'] !== undefined) instance['monitor'] = {};
  }
  // a rsync resource that the agent adds for a service whose nodes are elsewhere
  Reflect.deleteProperty(services['status']?.['n2only'] ?? {}, 'resources');
  Reflect.deleteProperty(services['config']?.['n2only'] ?? {}, 'scope');
  Reflect.deleteProperty(services['status']?.['ns1/svc/scaled'] ?? {}, 'orchestrate');
  Reflect.deleteProperty(copy['scheduler'] ?? {}, 'delayed');
  const sessions = copy['listener']?.['stats']?.['sessions'] ?? {};
  Reflect.deleteProperty(sessions, 'alive');
  return copy;
}
