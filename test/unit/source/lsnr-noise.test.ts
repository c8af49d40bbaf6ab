import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pythonJson } from '../../../src/sim/agent/python-json.js';
import { changesBegin, noiseEnd, noiseId } from '../../../src/source/lsnr-noise.js';
import { readFrame } from '../../../src/source/lsnr-patch.js';
import { MAX_READ_BYTES } from '../../../src/source/lsnr-run.js';
import { recordedFrames } from '../../support/agent-frames.js';

const patch = (...data: readonly unknown[]): string =>
  `${pythonJson({ kind: 'patch', id: 7, ts: 1.5, data })}\0`;
const event = (data: unknown): string => `${pythonJson({ nodename: 'n1', ts: 1.5, kind: 'event', data })}\0`;
const isNoise = (text: string): boolean => noiseEnd(text, 0) === text.length;
const status = ['monitor', 'nodes', 'n1', 'services', 'status', 'ns1/svc/web'];
const config = ['monitor', 'nodes', 'n1', 'services', 'config', 'ns1/svc/web'];

describe('what says nothing', () => {
  for (const [path, value] of [
    [['listener', 'stats', 'sessions', 'rx'], 1],
    [['hb#1.rx', 'state'], 'running'],
    [['something', 'of', 'tomorrow', 5], { a: { b: [1, null, 'x'], c: { d: true } } }],
    [['monitor', 'transitions'], 1],
    [['monitor', 'nodes', 'n1', 'stats', 'load_15m'], -1.5e-3],
    [['monitor', 'nodes', 'n1', 'monitor', 'status_updated'], 1.5],
    [['monitor', 'nodes', 'n1', 'monitor', 'global_expect'], 'deleted'],
    [[...status, 'updated'], 1.5],
    [[...status, 'resources', 'ip#0', 'status'], 'up'],
    [[...status, 'monitor', 'status'], 'idle'],
    [[...status, 'monitor', 'global_expect'], 'started'],
    [[...status, 'monitor', 'global_expect'], null],
    [[...config, 'updated'], 1.5],
    [['monitor', 'services', 'ns1/svc/web', 'avail'], 'up'],
    [['services', 'status', 'svc1', 'updated'], 1.5],
  ] as const) {
    test(`${path.join('.')} = ${JSON.stringify(value)}, and that it is gone`, () => {
      assert.ok(isNoise(patch([path, value])));
      assert.ok(isNoise(patch([path])));
      assert.ok(isNoise(patch([path, value], [path], [path, value])));
    });
  }

  test('no change at all, and events but one', () => {
    assert.ok(isNoise(patch()));
    assert.ok(isNoise(event({})));
    assert.ok(
      isNoise(event({ id: 'instance_freeze', path: 'svc1', instance: { subsets: {}, up: { a: [] } } })),
    );
  });

  test('most of what a real agent was recorded to send', () => {
    const frames = recordedFrames();
    const silent = frames.filter((text) => readFrame(text)?.hints.length === 0);
    assert.ok(silent.length > 60, `${silent.length}`);
    for (const text of silent) assert.ok(isNoise(`${text}\0`), text);
  });
});

describe('what may say something', () => {
  for (const [path, value] of [
    [[...config, 'csum'], 'abc'],
    [[...config, 'scope', 0], 'n1'],
    [config, { csum: 'abc' }],
    [[...status, 'monitor', 'global_expect'], 'deleted'],
    [[...status, 'monitor', 'global_expect'], 'purged'],
    [[...status, 'monitor', 'global_expect', 'x'], 'purged'],
    [[...status, 'monitor'], {}],
    [[...status, 'scaler_slave'], true],
    [status, {}],
    [['monitor', 'nodes', 'n1', 'monitor', 'status'], 'idle'],
    [['monitor', 'nodes', 'n1', 'monitor'], {}],
    [['monitor', 'nodes', 'n1', 'services', 'config'], {}],
    [['monitor', 'nodes', 'n1', 'services'], {}],
    [['monitor', 'nodes', 'm2'], {}],
    [['monitor', 'nodes'], {}],
    [['monitor'], {}],
    [[], {}],
    [['monitor', 'services', 'ns1/svc/web', 'scaler_slave'], true],
    [['monitor', 'services', 'ns1/svc/web'], {}],
    [['monitor', 'services'], {}],
    [['cluster', 'nodes'], []],
    [['services', 'config', 'svc1', 'csum'], 'abc'],
    [['mönitor'], 1],
  ] as const) {
    test(`${path.join('.')} = ${JSON.stringify(value)}: the reading stops in front of it`, () => {
      const noise = [['listener', 'x'], 1];
      for (const text of [
        patch([path, value]),
        patch(noise, [path, value]),
        patch(noise, [path, value], noise),
      ]) {
        const stop = noiseEnd(text, 0);
        assert.equal(text.slice(stop, stop + 2), '[[', text);
        assert.ok(text.indexOf(pythonJson(path)) === stop + 1, text);
        assert.equal(changesBegin(text, 0), text.indexOf('[') + 1);
      }
    });
  }

  test('a deletion that is announced, however it is spelled', () => {
    assert.ok(!isNoise(event({ id: 'instance_delete', reason: 'target', path: 'svc1' })));
    assert.ok(!isNoise(event({ reason: 'target', path: 'svc1', id: 'instance_delete' })));
    assert.ok(!isNoise(event({ id: 'x', path: 'svc1' }).replace('"id"', '"i\\u0064"')));
  });

  test('another spelling, another order, more than is known: nothing is known of it', () => {
    const text = patch([['listener'], 1]);
    for (const other of [
      text.replaceAll(' ', ''),
      text.replace('"id": 7, "ts": 1.5', '"ts": 1.5, "id": 7'),
      text.replace('"id": 7', '"id": 07'),
      text.replace('"ts"', '"nodename": "n1", "ts"'),
      text.replace(']]}', ']], "error": "no"}'),
      text.replace(']]}', ']], }'),
      text.replace(']]}', ', 1]]}'),
      text.replace('1]', '01]'),
      text.replace('1]', 'NaN]'),
      text.replace('1]', '"\n"]'),
      text.replace('1]', '{"a": 1, }]'),
      text.replace('1]', '[1, ]]'),
      text.replace('\0', ' \0'),
      text.slice(0, -1),
    ]) {
      assert.notEqual(other, text);
      assert.ok(!isNoise(other), other);
    }
  });
});

test('the counter is the one that JSON would give, however long it is', () => {
  for (const id of ['0', '1', '9007199254740993', '9'.repeat(400)]) {
    const text = patch().replace('"id": 7', `"id": ${id}`);
    assert.ok(isNoise(text));
    assert.equal(noiseId(text, 0), readFrame(text.slice(0, -1))?.id);
  }
  assert.equal(noiseId(event({}), 0), null);
});

test('the largest frame that is looked at takes linear time and no more stack than there is, whatever it fails on', () => {
  const head = '{"kind": "patch", "id": 7, "ts": 1.5, "data": [';
  const filled = (part: string, end: string): string =>
    head + part.repeat((MAX_READ_BYTES - 100) / part.length) + end;
  const texts = [
    filled('[["a"], 1], ', 'x]}\0'),
    filled('[["a"], 1], ', '[["a"], 1]]}\0'),
    `${head}[["a"${', "b"'.repeat(MAX_READ_BYTES / 5 - 100)}, x`,
    `${head}[["a"], {${'"b": 1, '.repeat(MAX_READ_BYTES / 8 - 100)}}]`,
    `${head}[["a"], [${'1, '.repeat(MAX_READ_BYTES / 3 - 100)}]`,
    `${head}[["a"], "${'x'.repeat(MAX_READ_BYTES - 100)}\n`,
    `${head}[["a"], ${'1'.repeat(MAX_READ_BYTES - 100)}x`,
    `${head}${'['.repeat(MAX_READ_BYTES - 100)}`,
    `{"nodename": "n1", "ts": 1.5, "kind": "event", "data": {${'"b": {"a": 1}, '.repeat(MAX_READ_BYTES / 15 - 10)}x`,
  ];
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1').toString('latin1');
    const startedAt = performance.now();
    noiseEnd(bytes, 0);
    const ms = performance.now() - startedAt;
    assert.ok(ms < 1000, `${ms} ms for ${text.slice(0, 80)}`);
  }
});
