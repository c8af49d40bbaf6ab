/** The scriptable cluster: what each verb makes the dataset show, and that its journal tells all of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createCluster, type SimCluster } from '../../../../src/sim/cluster/cluster.js';
import { applyChange, type Change } from '../../../../src/sim/cluster/dataset.js';

const WEB = '[ip#0]\ntype = cni\nexpose = 8080/tcp\n\n[env]\nigw_gobtw_bind = 8080/tcp\n';

function make(nodes: readonly string[] = ['n1', 'n2']): SimCluster {
  return createCluster({ name: 'clu1', nodes, dns: ['127.0.0.1'] });
}

const at = (cluster: SimCluster, ...path: string[]): unknown => cluster.dataset.get(['monitor', ...path]);
const csum = (cluster: SimCluster, path: string, node = 'n1'): unknown =>
  at(cluster, 'nodes', node, 'services', 'config', path, 'csum');

describe('objects', () => {
  test('live where DEFAULT.nodes says, where the caller says, or everywhere', () => {
    const cluster = make();
    cluster.create('a', '[DEFAULT]\nnodes = n2\n');
    cluster.create('root/svc/b', WEB, { nodes: ['n1'] });
    cluster.create('ns1/svc/c', WEB);
    assert.deepEqual(cluster.instanceNodes('a'), ['n2']);
    assert.deepEqual(cluster.instanceNodes('b'), ['n1']);
    assert.deepEqual(cluster.instanceNodes('ns1/svc/c'), ['n1', 'n2']);
    cluster.edit('a', '[DEFAULT]\nnodes = n1\n');
    assert.deepEqual(cluster.instanceNodes('a'), ['n1']);
  });

  test('the checksum follows the text: unset after set restores it', () => {
    const cluster = make();
    cluster.create('web', WEB);
    const before = csum(cluster, 'web');
    cluster.set('web', 'env.x', '1');
    assert.notEqual(csum(cluster, 'web'), before);
    cluster.unset('web', 'env.x');
    assert.equal(csum(cluster, 'web'), before);
  });

  test('a node can be edited alone and then differs from the others', () => {
    const cluster = make();
    cluster.create('web', WEB);
    cluster.edit('web', `${WEB}x = 1\n`, { nodes: ['n2'] });
    assert.notEqual(csum(cluster, 'web', 'n1'), csum(cluster, 'web', 'n2'));
  });

  test('a broken config leaves the cluster, repaired it is back with the same checksum', () => {
    const cluster = make();
    cluster.create('web', WEB);
    const before = csum(cluster, 'web');
    cluster.breakConfig('web');
    assert.equal(at(cluster, 'services', 'web'), undefined);
    assert.deepEqual(cluster.readConfig('web', 'n1', { evaluate: false }), { kind: 'unknown' });
    cluster.repairConfig('web');
    assert.equal(csum(cluster, 'web'), before);
  });

  test('evaluating a loop is recorded, reading it raw is not', () => {
    const cluster = make();
    cluster.create('loop', '[env]\na = {env.b}\nb = {env.a}\n');
    cluster.readConfig('loop', 'n1', { evaluate: false });
    assert.deepEqual(cluster.spinning, []);
    cluster.readConfig('loop', 'n1', { evaluate: true });
    assert.deepEqual(cluster.spinning, ['loop']);
  });

  test('a scaler makes and removes slaves, which copy its env and carry the flag', () => {
    const cluster = make(['n1']);
    cluster.create('web', WEB);
    cluster.scale('web', 2);
    const read = cluster.readConfig('1.web', 'n1', { evaluate: true });
    assert.ok(read.kind === 'data');
    assert.equal(read.data['DEFAULT']?.['scaler_slave'], true);
    assert.equal(read.data['env']?.['igw_gobtw_bind'], '8080/tcp');
    assert.equal(at(cluster, 'services', '1.web', 'scaler_slave'), true);
    cluster.scale('web', 1);
    assert.deepEqual(cluster.paths(), ['cluster', 'web', '0.web']);
    cluster.delete('web', { announced: true });
    assert.deepEqual(cluster.paths(), ['cluster']);
  });

  test('the slave flag can come after the service', () => {
    const cluster = make(['n1']);
    cluster.create('web', `[DEFAULT]\nscale = 1\n\n${WEB}`, { lateSlaveFlag: true });
    assert.equal(at(cluster, 'services', '0.web', 'scaler_slave'), undefined);
    cluster.showSlaveFlags('web');
    assert.equal(at(cluster, 'services', '0.web', 'scaler_slave'), true);
  });

  test('only an announced deletion shows global_expect', () => {
    for (const announced of [true, false, 'purged'] as const) {
      const cluster = make(['n1']);
      cluster.create('web', WEB);
      const values: unknown[] = [];
      cluster.dataset.subscribe(([path, value]) => {
        if (path.at(-1) === 'global_expect') values.push(value);
      });
      cluster.delete('web', { announced });
      assert.deepEqual(values, announced === false ? [] : [announced === true ? 'deleted' : 'purged']);
      assert.equal(at(cluster, 'nodes', 'n1', 'services', 'config', 'web'), undefined);
    }
  });

  test('instances without a literal address get one each; setAddress wins', () => {
    const cluster = make(['n1']);
    cluster.create('a', WEB);
    cluster.create('b', WEB);
    const address = (path: string): unknown =>
      at(cluster, 'nodes', 'n1', 'services', 'status', path, 'resources', 'ip#0', 'info', 'ipaddr');
    assert.notEqual(address('a'), address('b'));
    cluster.setAddress('a', 'n1', '127.9.9.9');
    assert.equal(address('a'), '127.9.9.9');
  });
});

describe('nodes', () => {
  test('a failover service moves to the next node and back', () => {
    const cluster = make();
    cluster.create('web', WEB);
    const avail = (node: string): unknown => at(cluster, 'nodes', node, 'services', 'status', 'web', 'avail');
    assert.deepEqual([avail('n1'), avail('n2')], ['up', 'down']);
    cluster.loseNode('n1');
    assert.deepEqual([avail('n1'), avail('n2')], [undefined, 'up']);
    cluster.rejoinNode('n1');
    assert.deepEqual([avail('n1'), avail('n2')], ['up', 'down']);
  });

  test('a lost node is no longer in the status but still a member; setMembers removes it', () => {
    const cluster = make();
    cluster.create('web', '[DEFAULT]\nnodes = n2\n');
    cluster.loseNode('n2');
    assert.equal(at(cluster, 'nodes', 'n2'), undefined);
    assert.equal(at(cluster, 'services', 'web'), undefined);
    assert.deepEqual(cluster.dataset.get(['cluster', 'nodes']), ['n1', 'n2']);
    cluster.rejoinNode('n2');
    assert.notEqual(at(cluster, 'services', 'web'), undefined);
    cluster.setMembers(['n1']);
    assert.deepEqual(cluster.dataset.get(['cluster', 'nodes']), ['n1']);
    assert.equal(at(cluster, 'nodes', 'n2'), undefined);
  });

  test('a new DNS list changes the checksum of the cluster object', () => {
    const cluster = make();
    const before = csum(cluster, 'cluster');
    cluster.setDns(['127.0.0.2']);
    assert.notEqual(csum(cluster, 'cluster'), before);
    assert.deepEqual(cluster.dns, ['127.0.0.2']);
  });
});

test('replaying the journal over an old copy gives the present tree, whatever was done', () => {
  type Step = (cluster: SimCluster) => void;
  const name = fc.constantFrom('a', 'b', 'ns1/svc/c');
  const onObject = (step: (cluster: SimCluster, path: string) => void): fc.Arbitrary<Step> =>
    name.map((path) => (cluster) => {
      if (cluster.configText(path) !== undefined) step(cluster, path);
    });
  const step = fc.oneof(
    name.map<Step>((path) => (cluster) => cluster.create(path, WEB)),
    onObject((cluster, path) => cluster.set(path, 'env.x', String(cluster.paths().length))),
    onObject((cluster, path) => cluster.edit(path, '[DEFAULT]\nnodes = n2\n')),
    onObject((cluster, path) => cluster.scale(path, 2)),
    onObject((cluster, path) => cluster.scale(path, 0)),
    onObject((cluster, path) => cluster.breakConfig(path)),
    onObject((cluster, path) => cluster.repairConfig(path)),
    onObject((cluster, path) => cluster.delete(path, { announced: true })),
    onObject((cluster, path) => cluster.setUp(path, false)),
    fc.constant<Step>((cluster) => cluster.loseNode('n2')),
    fc.constant<Step>((cluster) => cluster.rejoinNode('n2')),
    fc.constant<Step>((cluster) => cluster.setDns(['127.0.0.2', '127.0.0.3'])),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const cluster = make();
      const copy = structuredClone(cluster.dataset.tree);
      cluster.dataset.subscribe((change: Change) => applyChange(copy as never, change));
      for (const each of steps) each(cluster);
      assert.deepEqual(copy, cluster.dataset.tree);
    }),
    { numRuns: 60 },
  );
});
