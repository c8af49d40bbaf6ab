/**
 * The recordings of a real v2.1 agent, request by request, against the stand-in. Where they differ the stand-in is wrong.
 * Only tracebacks, file times and the text of command help are not compared.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startAgent } from '../../src/sim/agent/agent.js';
import { createCluster } from '../../src/sim/cluster/cluster.js';
import { askBytes, ask } from '../support/raw-client.js';
import {
  recordedCluster,
  recordedRequests,
  recording,
  socketDirectory,
} from '../support/recorded-cluster.js';

/** Compared apart: by shape, or because the text is the command line's own help. */
const BY_SHAPE = /^(unknown option ignored|object_status|unknown object action)$/;
/** Measured at 5 s by the idle timer of the agent; here at 50 ms. */
const SILENT = /closed$|garbage without NUL$/;

function comparable(value: unknown): unknown {
  if (Array.isArray(value))
    return value.every((each) => typeof each === 'string') ? [...value].sort() : value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => {
    if (key === 'traceback') return [key, typeof member];
    if (key === 'mtime') return [key, typeof member];
    return [key, comparable(member)];
  });
  return Object.fromEntries(entries) as unknown;
}

describe('recorded requests', () => {
  for (const name of [
    'config_reads.json',
    'node_and_cluster_config.json',
    'misc_requests_and_errors.json',
    'connection_semantics.json',
  ]) {
    for (const recorded of recordedRequests(name)) {
      if (BY_SHAPE.test(recorded.note)) continue;
      test(`${name}: ${recorded.note}`, async (t) => {
        const socketPath = join(socketDirectory(t), 's');
        const flaws = { idleMs: 50, setMs: 0 };
        const agent = await startAgent({ cluster: recordedCluster(), node: 'n1', socketPath, flaws });
        t.after(() => agent.kill());
        const halfClose = recorded.note.endsWith(', half-close');
        const answer = await askBytes(socketPath, recorded.request_bytes, { halfClose });
        if (SILENT.test(recorded.note) || recorded.response_raw === '') assert.equal(answer.bytes.length, 0);
        else assert.deepEqual(comparable(answer.json), comparable(recorded.response));
      });
    }
  }
});

describe('recorded evaluation corners (odd_configs.json)', () => {
  const files: Readonly<Record<string, string>> = {
    oddb:
      '[DEFAULT]\nnodes = n1\nid = ea2cbbb8-33ad-47ee-a37d-bd151e15e0a2\n\n[env]\nc = {nosuch.kw}\n' +
      'igw_gobtw_bind = 80/tcp-0.0.0.0:{env.nope}\n' +
      'f = {clustername} {dns} {svcname} {namespace} {nodename} {fqdn} {short_nodename}\n',
    oddd:
      '[DEFAULT]\nnodes = n1\nid = db8b5e8e-77e3-43d2-bc2e-75fb2a71e779\n\n[env]\nUPPER_Igw = x\nn = 12\nt = true\n' +
      'l = a b  c\nj = {"k": 1}\nmulti = l1\n\tl2\nempty =\n',
    odde:
      '[DEFAULT]\nnodes = n1\nbogus_default = 1\nid = 123d3793-69f6-48ee-97cb-f1d4d9a350de\n\n[env]\n' +
      'igw_gobtw_bind = 80/tcp\n',
  };
  for (const line of JSON.parse(recording('odd_configs.json')) as readonly string[]) {
    const [, path, evaluate, expected] = /^(odd[bde]) evaluate=(True|False) (\{.*)$/.exec(line) ?? [];
    if (path === undefined || expected === undefined) continue;
    test(`${path} evaluate=${evaluate}`, async (t) => {
      const socketPath = join(socketDirectory(t), 's');
      const cluster = createCluster({ name: 'clu1', nodes: ['n1'], dns: ['127.0.0.1'] });
      cluster.create(path, files[path] ?? '');
      const agent = await startAgent({ cluster, node: 'n1', socketPath });
      t.after(() => agent.kill());
      const options = { path, format: 'json', evaluate: evaluate === 'True' };
      const answer = await ask(socketPath, { action: 'get_service_config', options });
      assert.deepEqual(answer, JSON.parse(expected));
    });
  }
});

describe('two nodes', () => {
  const onlym2 =
    '[DEFAULT]\nnodes = m2\nid = 49e8c76c-fa0f-445c-9d1c-8af692f2ef75\n\n[env]\nigw_gobtw_bind = 80/tcp-0.0.0.0:1024\n' +
    'igw_gobtw_target_lb = {nodename}\nw = who\nw@m1 = I am m1\nw@m2 = I am m2\n';
  const both =
    '[DEFAULT]\nnodes = m1 m2\nid = 4a6aa0bd-e4ed-495e-80d7-46c3fb64a788\n\n[env]\n' +
    'igw_gobtw_bind = 81/tcp-0.0.0.0:1025\nigw_gobtw_target_lb = {nodename}\nw = who\nw@m1 = I am m1\nw@m2 = I am m2\n';

  async function twoNodes(t: { after(fn: () => unknown): void }) {
    const socketPath = join(socketDirectory(t), 's');
    const cluster = createCluster({ name: 'clu2', nodes: ['m1', 'm2'], dns: [] });
    cluster.create('ns1/svc/onlym2', onlym2);
    cluster.create('ns1/svc/both', both);
    const agent = await startAgent({ cluster, node: 'm1', socketPath, flaws: { setMs: 0 } });
    t.after(() => agent.kill());
    return { cluster, socketPath };
  }

  for (const line of JSON.parse(recording('two_nodes_relay.json')) as readonly string[]) {
    const [, request, expected] = /^(\{"action.*?\}\}?) => (\{.*\}) \d+ms$/.exec(line) ?? [];
    if (request === undefined || expected === undefined) continue;
    test(`relay: ${request}`, async (t) => {
      const { socketPath } = await twoNodes(t);
      const answer = await ask(socketPath, JSON.parse(request));
      assert.deepEqual(answer, JSON.parse(expected.replaceAll("'", '"')));
    });
  }

  test('what only works for local objects says so as recorded (two_nodes.json)', async (t) => {
    const { cluster, socketPath } = await twoNodes(t);
    const read = { action: 'get_service_config', options: { path: 'ns1/svc/onlym2', format: 'json' } };
    const local = (await ask(socketPath, read)) as { status: unknown; error: unknown };
    assert.deepEqual([local.status, local.error], ['1', "'ns1/svc/onlym2'"]);
    assert.deepEqual(await ask(socketPath, { ...read, node: 'ANY' }), {
      nodes: { m2: { status: 501, error: 'handler GET get_service_config is not supported' } },
      status: 501,
    });
    const set = { path: 'ns1/svc/onlym2', action: 'set', options: { kw: ['env.a=1'] } };
    assert.deepEqual(await ask(socketPath, { action: 'object_action', method: 'POST', options: set }), {
      status: 404,
      error: 'ns1/svc/onlym2 not found',
    });
    const options = { selector: '**' };
    const listed = (await ask(socketPath, { action: 'object_selector', options })) as readonly string[];
    assert.deepEqual([...listed].sort(), ['cluster', 'ns1/svc/both', 'ns1/svc/onlym2']);
    const having = { selector: 'env.igw_gobtw_bind:' };
    assert.deepEqual(await ask(socketPath, { action: 'object_selector', options: having }), ['ns1/svc/both']);
    cluster.loseNode('m2');
    const unknown = { error: 'unknown service', status: 1 };
    assert.deepEqual(await ask(socketPath, { ...read, node: 'ANY' }), unknown);
    assert.deepEqual(await ask(socketPath, { action: 'object_selector', options }), [
      'cluster',
      'ns1/svc/both',
    ]);
  });

  test('the cluster object is unknown to node ANY', async (t) => {
    const { socketPath } = await twoNodes(t);
    const request = {
      action: 'object_config',
      method: 'GET',
      node: 'ANY',
      options: { path: 'cluster', format: 'json' },
    };
    assert.deepEqual(await ask(socketPath, request), { error: 'unknown service', status: 1 });
  });
});
