import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parsePath, serviceKey, type ServiceKey } from '../../../src/model/service.js';
import { readFrame, type Hint } from '../../../src/source/lsnr-patch.js';

/** As the agent writes JSON: a blank after each comma and colon. */
function python(value: unknown): string {
  return JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/([[{]) /g, '$1')
    .replace(/ ([\]}])/g, '$1');
}

const patch = (id: number, ...data: readonly unknown[]): string =>
  python({ kind: 'patch', id, ts: 1.5, data });
const hints = (...changes: readonly unknown[]): readonly Hint[] => {
  const frame = readFrame(patch(1, ...changes));
  assert.ok(frame);
  return frame.hints;
};
const key = (path: string): ServiceKey => {
  const parsed = parsePath(path);
  assert.ok(parsed);
  return serviceKey(parsed);
};
const web = key('ns1/svc/web');
const base = ['monitor', 'nodes', 'n1', 'services'];

describe('patches of 2.1', () => {
  test('a checksum on a node', () => {
    assert.deepEqual(hints([[...base, 'config', 'ns1/svc/web', 'csum'], 'abc']), [
      { kind: 'config', key: web, csum: 'abc', node: 'n1' },
    ]);
  });

  test('a config appears: where to read, and list again', () => {
    assert.deepEqual(hints([[...base, 'config', 'svc1'], { updated: 1, csum: 'abc', scope: ['n1'] }]), [
      { kind: 'config', key: key('svc1'), csum: 'abc', node: 'n1' },
      { kind: 'membership' },
    ]);
  });

  test('a config, a status or an aggregate disappears: list again, nothing more', () => {
    for (const path of [
      [...base, 'config', 'svc1'],
      [...base, 'status', 'svc1'],
      ['monitor', 'services', 'svc1'],
    ]) {
      assert.deepEqual(hints([path]), [{ kind: 'membership' }], path.join('/'));
    }
  });

  test('a node joins or leaves, at any depth', () => {
    const services = { config: { svc1: { csum: 'abc' }, cluster: { csum: 'x' } }, status: {} };
    const read = { kind: 'config', key: key('svc1'), csum: 'abc', node: 'm2' };
    assert.deepEqual(hints([['monitor', 'nodes', 'm2', 'services'], services]), [
      read,
      { kind: 'membership' },
    ]);
    assert.deepEqual(hints([['monitor', 'nodes', 'm2'], { services }]), [read, { kind: 'membership' }]);
    assert.deepEqual(hints([['monitor', 'nodes', 'm2', 'services', 'config'], services.config]), [
      read,
      { kind: 'membership' },
    ]);
    for (const path of [
      ['monitor', 'nodes', 'm2'],
      ['monitor', 'nodes'],
      ['monitor'],
      [],
      ['cluster', 'nodes'],
    ]) {
      assert.deepEqual(hints([path]), [{ kind: 'membership' }], path.join('/'));
    }
  });

  test('the state of a node', () => {
    assert.deepEqual(hints([['monitor', 'nodes', 'n1', 'monitor', 'status'], 'idle']), [
      { kind: 'membership' },
    ]);
    assert.deepEqual(hints([['monitor', 'nodes', 'n1', 'monitor', 'status_updated'], 1.5]), []);
  });

  test('scope changes list again, also when the path holds an integer', () => {
    assert.deepEqual(hints([[...base, 'config', 'svc1', 'scope', 1], 'n2']), [{ kind: 'membership' }]);
    assert.deepEqual(hints([[...base, 'config', 'svc1', 'scope', 0]]), [{ kind: 'membership' }]);
  });

  test('global_expect deleted or purged announces, other values do not', () => {
    const path = [...base, 'status', 'svc1', 'monitor', 'global_expect'];
    for (const value of ['deleted', 'purged']) {
      assert.deepEqual(hints([path, value]), [{ kind: 'deleting', key: key('svc1') }]);
    }
    for (const value of ['frozen', null, 'stopped', 'provisioned'])
      assert.deepEqual(hints([path, value]), []);
    assert.deepEqual(hints([path]), []);
    assert.deepEqual(hints([path.slice(0, -1), { global_expect: 'purged' }]), [
      { kind: 'deleting', key: key('svc1') },
    ]);
    assert.deepEqual(hints([path.slice(0, -2), { monitor: { global_expect: 'deleted' } }]), [
      { kind: 'deleting', key: key('svc1') },
    ]);
  });

  test('scaler slaves', () => {
    assert.deepEqual(hints([['monitor', 'services', '0.web'], { scaler_slave: true }]), [
      { kind: 'membership' },
    ]);
    assert.deepEqual(hints([['monitor', 'services', '0.web', 'scaler_slave'], true]), [
      { kind: 'membership' },
    ]);
    assert.deepEqual(hints([[...base, 'status', '0.web', 'scaler_slave'], true]), [{ kind: 'membership' }]);
    assert.deepEqual(hints([[...base, 'status', '0.web'], { scaler_slave: true }]), [{ kind: 'membership' }]);
  });

  test('other kinds than svc are nobody’s business, but for the cluster’s config', () => {
    for (const path of ['ns1/vol/v1', 'ns1/cfg/c1', 'sec/s1']) {
      assert.deepEqual(hints([[...base, 'config', path, 'csum'], 'abc']), [], path);
      assert.deepEqual(hints([['monitor', 'services', path]]), [], path);
    }
    assert.deepEqual(hints([[...base, 'config', 'cluster', 'csum'], 'abc']), [{ kind: 'membership' }]);
    assert.deepEqual(hints([[...base, 'config', 'cluster', 'updated'], 1.5]), []);
  });

  test('several changes of one key in a frame come in order', () => {
    const path = [...base, 'config', 'svc1', 'csum'];
    assert.deepEqual(
      hints([path, 'a'], [path, null], [path, 'b']).map((hint) => 'csum' in hint && hint.csum),
      ['a', null, 'b'],
    );
  });
});

describe('patches of 2.0', () => {
  test('paths below one node, without its name', () => {
    const frame = readFrame(
      python({
        nodename: 'n1',
        kind: 'patch',
        ts: 1,
        data: [[['services', 'config', 'svc1', 'csum'], 'abc']],
      }),
    );
    assert.deepEqual(frame, {
      id: null,
      refused: false,
      hints: [{ kind: 'config', key: key('svc1'), csum: 'abc' }],
    });
    assert.deepEqual(hints([['services', 'status', 'svc1', 'monitor', 'global_expect'], 'deleted']), [
      { kind: 'deleting', key: key('svc1') },
    ]);
    assert.deepEqual(hints([['services', 'config', 'svc1']]), [{ kind: 'membership' }]);
  });
});

describe('events and garbage', () => {
  test('instance_delete with reason target announces', () => {
    const event = (reason: string): string =>
      python({ nodename: 'n1', ts: 1, kind: 'event', data: { id: 'instance_delete', reason, path: 'svc1' } });
    assert.deepEqual(readFrame(event('target'))?.hints, [{ kind: 'deleting', key: key('svc1') }]);
    assert.deepEqual(readFrame(event('other'))?.hints, []);
  });

  test('an answer with an error means that the stream was refused', () => {
    assert.equal(readFrame('{"status": 500, "error": "no"}')?.refused, true);
  });

  test('what is no JSON is undefined; JSON of a wrong shape has no hints', () => {
    assert.equal(readFrame('{"kind": "pat'), undefined);
    for (const text of [
      'null',
      '1',
      '[]',
      '{}',
      '{"kind":"patch"}',
      '{"kind":"patch","data":[1,[],[1],[[null]],{}]}',
    ]) {
      assert.deepEqual(readFrame(text)?.hints, [], text);
    }
  });
});

describe('the recordings', () => {
  const folder = new URL('../../../../test/fixtures/opensvc-v2/', import.meta.url);
  const frames = (name: string): string[] =>
    readFileSync(new URL(name, folder), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"msg"'))
      .map((line) => python((JSON.parse(line) as { msg: unknown }).msg));
  const kinds = (name: string): string[] =>
    frames(name).flatMap((text) => readFrame(text)?.hints.map(({ kind }) => kind) ?? []);

  test('starting, stopping, freezing and thawing say nothing to us', () => {
    for (const name of [
      'flow_freeze.jsonl',
      'flow_thaw.jsonl',
      'flow_start_ip_service.jsonl',
      'flow_stop_ip_service.jsonl',
      'flow_set_identical.jsonl',
    ]) {
      assert.deepEqual(kinds(name), [], name);
    }
  });

  test('an edit shows its checksum, a creation and a deletion call for a list', () => {
    assert.ok(kinds('flow_set_object_action.jsonl').includes('config'));
    assert.ok(kinds('flow_unset_key.jsonl').includes('config'));
    assert.ok(kinds('flow_create_handler.jsonl').includes('membership'));
    assert.ok(kinds('flow_delete_conf_file.jsonl').includes('membership'));
    assert.ok(kinds('flow_delete_via_global_expect.jsonl').includes('deleting'));
    assert.ok(!kinds('flow_delete_via_action.jsonl').includes('deleting'));
  });
});

test('a path that nests without end is no path, and no exception', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const frame = readFrame(`{"kind": "patch", "id": 7, "ts": 1, "data": [[[${deep}, "x"], 1]]}`);
  assert.deepEqual(frame, { id: 7, hints: [], refused: false });
});

test('a node that brings more services than a call takes arguments is no exception', () => {
  const config = Object.fromEntries(Array.from({ length: 150_000 }, (_, i) => [`s${i}`, { csum: 'c' }]));
  const change = [['monitor', 'nodes', 'n2', 'services', 'config'], config];
  const frame = readFrame(JSON.stringify({ kind: 'patch', id: 7, ts: 1, data: [change] }));
  assert.equal(frame?.hints.length, 150_001);
});
