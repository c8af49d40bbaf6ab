import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pythonJson } from '../../../src/sim/agent/python-json.js';
import { MAX_READ_BYTES } from '../../../src/source/lsnr-run.js';
import { createStreamReader, type StreamReader } from '../../../src/source/lsnr-stream.js';

function listen(): { readonly reader: StreamReader; readonly told: string[] } {
  const told: string[] = [];
  const reader = createStreamReader({
    onConfig: (key, csum, node) => told.push(`config ${key} ${csum} ${node}`),
    onMembership: () => told.push('membership'),
    onDeleting: (key) => told.push(`deleting ${key}`),
    onGap: (reason) => told.push(`gap ${reason}`),
    onEvent: (outcome, frames) => told.push(`${frames} ${outcome}`),
  });
  return { reader, told };
}

const base = ['monitor', 'nodes', 'n1', 'services'];
const patch = (id: number, ...data: readonly unknown[]): string =>
  `${pythonJson({ kind: 'patch', id, ts: 1.5, data })}\0`;
const noise = (id: number): string => patch(id, [['listener', 'stats'], 1]);
const csum = (id: number): string => patch(id, [[...base, 'config', 'web', 'csum'], 'abc']);
const event = `${pythonJson({ nodename: 'n1', ts: 1, kind: 'event', data: { id: 'instance_stop' } })}\0`;
const sound = { defect: null, heard: true };

describe('what the handlers are told', () => {
  test('frames without hints as a count, in front of what came after them', () => {
    const { reader, told } = listen();
    const run = noise(1) + event + noise(2) + csum(3) + noise(4) + event;
    assert.deepEqual(reader.read(Buffer.from(run)), sound);
    assert.deepEqual(told, ['3 irrelevant', '1 relevant', 'config root/svc/web abc n1', '2 irrelevant']);
  });

  test('a membership once for a frame, behind its other hints', () => {
    const { reader, told } = listen();
    const gone = [...base, 'config', 'web'];
    const expect = [[...base, 'status', 'api', 'monitor', 'global_expect'], 'purged'];
    reader.read(Buffer.from(patch(1, [gone], [gone], expect)));
    assert.deepEqual(told, ['1 relevant', 'deleting root/svc/api', 'membership']);
  });

  test('empty frames are nothing', () => {
    const { reader, told } = listen();
    assert.deepEqual(reader.read(Buffer.from('\0\0')), { defect: null, heard: false });
    assert.deepEqual(reader.read(Buffer.from(`\0${noise(1)}\0`)), sound);
    assert.deepEqual(told, ['1 irrelevant']);
  });

  test('a service whose name is no ASCII, next to bytes that are no text', () => {
    const { reader, told } = listen();
    const named = csum(2).replace('"web"', '"w\u00e9b"');
    const broken = Buffer.from(noise(1).replace('stats', 'st\u00ffts'), 'latin1');
    assert.deepEqual(reader.read(Buffer.concat([broken, Buffer.from(named)])), sound);
    assert.deepEqual(told, ['1 irrelevant', '1 relevant', 'config root/svc/w\u00e9b abc n1']);
  });
});

describe('counters', () => {
  const gapsOf = (...runs: readonly string[]): readonly string[] => {
    const { reader, told } = listen();
    for (const run of runs) {
      reader.begin();
      reader.read(Buffer.from(run));
    }
    return told;
  };

  test('one that is skipped is a gap, whether the frames say something or not', () => {
    assert.deepEqual(gapsOf(noise(5) + noise(6) + noise(9) + noise(10)), [
      '3 irrelevant',
      'gap id-gap',
      '1 irrelevant',
    ]);
    assert.deepEqual(gapsOf(noise(5) + csum(7)).slice(0, 3), ['1 irrelevant', '1 relevant', 'gap id-gap']);
    assert.deepEqual(gapsOf(csum(5) + noise(7)).slice(2), ['1 irrelevant', 'gap id-gap']);
  });

  test('one that goes back is another daemon, on this connection or the next', () => {
    assert.deepEqual(gapsOf(noise(5) + noise(5)), ['2 irrelevant', 'gap restarted']);
    assert.deepEqual(gapsOf(noise(5), noise(5)), ['1 irrelevant', '1 irrelevant', 'gap restarted']);
    assert.deepEqual(gapsOf(noise(5), noise(3) + noise(4)).slice(1), [
      '1 irrelevant',
      'gap restarted',
      '1 irrelevant',
    ]);
  });

  test('a new connection may begin anywhere above', () => {
    assert.deepEqual(gapsOf(noise(5), noise(900) + noise(901)), ['1 irrelevant', '2 irrelevant']);
  });

  test('events and patches of 2.0 have none', () => {
    const old = `${pythonJson({ nodename: 'n1', kind: 'patch', ts: 1, data: [] })}\0`;
    assert.deepEqual(gapsOf(noise(5) + event + old + noise(6)), ['4 irrelevant']);
  });
});

describe('defects', () => {
  for (const [what, bytes, defect] of [
    ['a frame that is no JSON', 'nonsense\0', 'not-json'],
    ['a frame that lost its end', noise(2).replace(']]}', ']]'), 'not-json'],
    ['two frames that lost the NUL between them', noise(2).slice(0, -1) + noise(3), 'not-json'],
    ['a refusal', '{"status": 500, "error": "no"}\0', 'refused'],
  ] as const) {
    test(`${what}: the rest is not told`, () => {
      const { reader, told } = listen();
      assert.deepEqual(reader.read(Buffer.from(noise(1) + bytes + csum(3))), { defect, heard: true });
      assert.deepEqual(told, ['1 irrelevant']);
      assert.deepEqual(reader.read(Buffer.from(bytes)), { defect, heard: false });
    });
  }
});

describe('frames of size', () => {
  /** A frame of that many bytes, without its NUL. */
  const big = (id: number, bytes: number): string => {
    const empty = patch(id, [['listener', 'x'], '']);
    return empty.replace('""', `"${'x'.repeat(bytes + 1 - empty.length)}"`);
  };

  test('the largest that is read, and one that is a byte larger: a gap, for a list says the same', () => {
    const { reader, told } = listen();
    assert.deepEqual(reader.read(Buffer.from(noise(1) + big(2, MAX_READ_BYTES) + csum(3))), sound);
    assert.deepEqual(told.splice(0), ['2 irrelevant', '1 relevant', 'config root/svc/web abc n1']);
    reader.read(Buffer.from(big(4, MAX_READ_BYTES + 1) + noise(5)));
    assert.deepEqual(told, ['1 relevant', 'gap over-cap', '1 irrelevant', 'gap id-gap']);
  });

  test('what lies in a run beside a large frame is read', () => {
    const { reader, told } = listen();
    const run = noise(1) + patch(2, [['listener'], 'x'.repeat(MAX_READ_BYTES)]) + csum(3);
    assert.deepEqual(reader.read(Buffer.from(run)), sound);
    assert.deepEqual(told, [
      '1 irrelevant',
      '1 relevant',
      'gap over-cap',
      '1 relevant',
      'gap id-gap',
      'config root/svc/web abc n1',
    ]);
  });
});
