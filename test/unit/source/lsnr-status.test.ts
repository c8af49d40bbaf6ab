import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ok, type Result } from '../../../src/errors.js';
import { listOf, markedService, scanStatus, type StatusService } from '../../../src/source/lsnr-status.js';
import type { ClusterList } from '../../../src/source/source.js';
import { keyOf } from '../../support/cluster-lists.js';

function scan(status: unknown, own: string | null): StatusService[] {
  const found: StatusService[] = [];
  assert.ok(scanStatus(Buffer.from(JSON.stringify(status)), own, (service) => found.push(service)).ok);
  return found;
}

function readStatus(status: unknown, own: string | null): Result<ClusterList> {
  const found: StatusService[] = [];
  const bytes = Buffer.from(JSON.stringify(status));
  const head = scanStatus(bytes, own, (service) => found.push(service));
  return head.ok ? ok(listOf(head.value, found.map(markedService))) : head;
}

const code = (result: { ok: boolean; failure?: { code: string } }): string =>
  result.ok ? 'ok' : (result.failure?.code ?? '');

describe('daemon_status', () => {
  const status = {
    cluster: { name: 'clu1', nodes: ['n1', 'n2', 'n3'] },
    monitor: {
      services: {
        svc1: { avail: 'up' },
        '0.web': { scaler_slave: true },
        'ns1/vol/v1': {},
        cluster: {},
        ghost: {},
      },
      nodes: {
        n1: {
          monitor: { status: 'idle' },
          services: {
            config: {
              cluster: { csum: 'cc1' },
              svc1: { csum: 'a', scope: ['n1', 'n2'] },
              'ns1/cfg/c': { csum: 'x' },
            },
            status: { svc1: { monitor: { global_expect: 'purged' } }, '1.web': { scaler_slave: true } },
          },
        },
        n2: {
          monitor: {},
          services: { config: { cluster: { csum: 'cc2' }, svc1: { csum: 'b' }, '0.web': { csum: 'c' } } },
        },
      },
    },
  };

  test('services, checksums by node, scope, slaves, deletions; other kinds left out', () => {
    const answer = readStatus(status, 'n2');
    assert.ok(answer.ok);
    const { services, nodes, members, clusterName, clusterConfigCsum } = answer.value;
    assert.deepEqual([...services.keys()].sort(), ['0.web', '1.web', 'ghost', 'svc1'].map(keyOf).sort());
    const svc1 = services.get(keyOf('svc1'));
    assert.deepEqual(
      [...(svc1?.csums ?? [])],
      [
        ['n1', 'a'],
        ['n2', 'b'],
      ],
    );
    assert.deepEqual([svc1?.scope, svc1?.slave, svc1?.deleting], [['n1', 'n2'], false, true]);
    assert.equal(services.get(keyOf('0.web'))?.slave, true, 'the aggregate shows it');
    assert.equal(services.get(keyOf('1.web'))?.slave, true, 'the instance shows it');
    assert.equal(services.get(keyOf('ghost'))?.csums.size, 0);
    assert.deepEqual(
      [...nodes.values()],
      [
        { name: 'n1', status: 'idle' },
        { name: 'n2', status: '' },
      ],
    );
    assert.deepEqual([members, clusterName, clusterConfigCsum], [['n1', 'n2', 'n3'], 'clu1', 'cc2']);
  });

  test('the smallest node speaks for the cluster when ours has no config', () => {
    for (const own of [null, 'n3']) {
      const answer = readStatus(status, own);
      assert.equal(answer.ok && answer.value.clusterConfigCsum, 'cc1');
    }
  });

  test('no status at all is a failure, half a status is what it is', () => {
    for (const body of [null, 1, [], {}, { cluster: {} }, { monitor: {} }])
      assert.equal(code(readStatus(body, null)), 'agent-not-status');
    const bare = readStatus(
      { cluster: { nodes: 'n1 n2' }, monitor: { nodes: { n1: 3 }, services: [] } },
      null,
    );
    assert.ok(bare.ok);
    assert.deepEqual(
      [bare.value.members, bare.value.services.size, bare.value.clusterConfigCsum],
      [['n1', 'n2'], 0, null],
    );
  });

  test('the recorded scaler', () => {
    const url = new URL('../../../../test/fixtures/opensvc-v2/daemon_status_scaler.json', import.meta.url);
    const recording = JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>;
    const answer = readStatus(
      {
        cluster: { name: 'clu1', nodes: ['n1'] },
        monitor: {
          services: recording['monitor.services'],
          nodes: {
            n1: {
              monitor: { status: 'idle' },
              services: {
                status: recording['monitor.nodes.n1.services.status'],
                config: recording['monitor.nodes.n1.services.config'],
              },
            },
          },
        },
      },
      'n1',
    );
    assert.ok(answer.ok);
    const slaves = [...answer.value.services.values()].filter(({ slave }) => slave).map(({ key }) => key);
    assert.deepEqual(slaves.sort(), ['0.rscaled', '1.rscaled'].map(keyOf));
    assert.equal(answer.value.services.get(keyOf('rscaled'))?.slave, false);
  });

  test('what is no status, and what the agent complains of', () => {
    const codeOf = (text: string): string =>
      code(scanStatus(Buffer.from(text), null, () => assert.fail(text)));
    for (const text of [
      '',
      '{',
      '{"a":1',
      '{"cluster":{},}',
      'x',
      '{"monitor":{"nodes":{"a"}}}',
      '{} {}',
      '{"a":tru e}',
    ])
      assert.equal(codeOf(text), 'agent-not-json', text);
    assert.equal(codeOf('{"error":"busy","status":1}'), 'agent-error');
    assert.equal(codeOf('{"cluster":{},"monitor":{},"error":"busy"}'), 'agent-error');
    assert.equal(codeOf('{"error":7}'), 'agent-not-status');
  });

  test('a status cut anywhere is no JSON, and never an exception', () => {
    const bytes = Buffer.from(JSON.stringify(status));
    for (let end = 0; end < bytes.length; end++)
      assert.equal(code(scanStatus(bytes.subarray(0, end), null, () => undefined)), 'agent-not-json');
  });

  test('a mark changes with whatever counts of a service, and with nothing else', () => {
    const marks = (change: (copy: typeof status) => void): string => {
      const copy = structuredClone(status);
      change(copy);
      return scan(copy, 'n1')
        .map(({ key, mark }) => `${key} ${mark}`)
        .sort()
        .join(',');
    };
    const before = marks(() => undefined);
    const same: ((copy: typeof status) => unknown)[] = [
      (copy) => (copy.monitor.services.svc1.avail = 'down'),
      (copy) => (copy.cluster.name = 'other'),
    ];
    for (const change of same) assert.equal(marks(change), before, String(change));
    const other: ((copy: typeof status) => unknown)[] = [
      (copy) => (copy.monitor.nodes.n2.services.config.svc1.csum = 'z'),
      (copy) => (copy.monitor.services['0.web'].scaler_slave = false),
      (copy) => (copy.monitor.nodes.n1.services.status.svc1.monitor.global_expect = 'x'),
    ];
    for (const change of other) assert.notEqual(marks(change), before, String(change));
  });

  test('any JSON: a list or a failure', () => {
    const part = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom({}, 'x', null));
    const instance = fc.dictionary(
      fc.constantFrom('web', 'ns1/svc/a', 'ns1/vol/v', 'cluster', 'x/y/z/w'),
      part,
    );
    const node = fc.record({ monitor: part, services: fc.record({ config: instance, status: instance }) });
    const any = fc.record({
      cluster: part,
      monitor: fc.record({ nodes: fc.dictionary(fc.string(), fc.oneof(node, part)), services: instance }),
    });
    fc.assert(
      fc.property(any, (value) => {
        const read = readStatus(value, 'n1');
        assert.ok(read.ok || read.failure.code === 'agent-not-status');
      }),
    );
  });
});
