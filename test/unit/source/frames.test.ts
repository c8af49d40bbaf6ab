import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  createFrameSplitter,
  eachFrame,
  MAX_FRAME_BYTES,
  type FrameSplitter,
} from '../../../src/source/frames.js';

/** A splitter whose runs are taken apart. */
const framesOf = (onFrame: (frame: Buffer) => void, maxBytes?: number): FrameSplitter =>
  createFrameSplitter(
    (run) =>
      eachFrame(run, (frame) => {
        onFrame(frame);
        return true;
      }),
    maxBytes,
  );

describe('frame splitter', () => {
  test('frames are the same wherever the bytes are cut', () => {
    const frames = fc.array(fc.stringMatching(/^[a-zé€{}" ]{1,30}$/), { maxLength: 8 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat(200)), (texts, cuts) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(''));
        const at = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
        const seen: string[] = [];
        const splitter = framesOf((frame) => seen.push(frame.toString()));
        let from = 0;
        for (const to of [...at, bytes.length]) {
          assert.equal(splitter.push(bytes.subarray(from, to)), 'ok');
          from = to;
        }
        assert.deepEqual(seen, texts);
        assert.equal(splitter.pendingBytes, 0);
      }),
    );
  });

  test('a frame cut by the end of the stream shows in pendingBytes and is never delivered', () => {
    const seen: string[] = [];
    const splitter = framesOf((frame) => seen.push(frame.toString()));
    splitter.push(Buffer.from('{"a":1}\0{"b"'));
    assert.deepEqual(seen, ['{"a":1}']);
    assert.equal(splitter.pendingBytes, 4);
  });

  test('a frame of exactly the cap passes, one byte more ends the splitter for good', () => {
    const seen: number[] = [];
    const splitter = framesOf((frame) => seen.push(frame.length), 8);
    assert.equal(splitter.push(Buffer.from('12345678\0')), 'ok');
    assert.equal(splitter.push(Buffer.from('1234')), 'ok');
    assert.equal(splitter.push(Buffer.from('56789')), 'over-cap');
    assert.equal(splitter.push(Buffer.from('1\0')), 'over-cap');
    assert.deepEqual(seen, [8]);
    assert.equal(splitter.pendingBytes, 0);
  });

  test('empty frames are skipped', () => {
    const seen: string[] = [];
    framesOf((frame) => seen.push(frame.toString())).push(Buffer.from('\0\0a\0\0'));
    assert.deepEqual(seen, ['a']);
  });

  test('the frames that a chunk completes come as one run, each with its NUL', () => {
    const runs: string[] = [];
    const splitter = createFrameSplitter((run) => runs.push(run.toString()));
    splitter.push(Buffer.from('a\0b\0c'));
    splitter.push(Buffer.from('d\0e\0f\0'));
    splitter.push(Buffer.from('g'));
    assert.deepEqual(runs, ['a\0b\0', 'cd\0', 'e\0f\0']);
    assert.equal(splitter.pendingBytes, 1);
  });

  test('the cap counts each frame of a chunk, also of one that is larger than the cap', () => {
    const seen: string[] = [];
    const splitter = framesOf((frame) => seen.push(frame.toString()), 4);
    assert.equal(splitter.push(Buffer.from('1234\x005678\x0090\x001')), 'ok');
    assert.deepEqual(seen, ['1234', '5678', '90']);
    assert.equal(splitter.push(Buffer.from('234\x001\x0012345')), 'over-cap');
    assert.deepEqual(seen, ['1234', '5678', '90', '1234', '1']);
  });

  test('64 MiB in chunks as of a socket pass, one byte more does not, and nothing is copied without end', () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    for (const [extra, outcome] of [
      ['\0', 'ok'],
      ['x\0', 'over-cap'],
    ] as const) {
      let length = 0;
      const splitter = framesOf((frame) => {
        length = frame.length;
      });
      for (let i = 0; i < 1024; i++) splitter.push(chunk);
      assert.equal(splitter.pendingBytes, MAX_FRAME_BYTES);
      assert.equal(splitter.push(Buffer.from(extra)), outcome);
      assert.equal(length, outcome === 'ok' ? MAX_FRAME_BYTES : 0);
      assert.equal(splitter.pendingBytes, 0);
    }
  });

  test('a frame that comes byte by byte takes the memory of its bytes, and the time too', () => {
    const splitter = framesOf(() => undefined);
    const byte = Buffer.from('x');
    const before = process.memoryUsage();
    for (let i = 0; i < 2_000_000; i++) splitter.push(byte);
    const after = process.memoryUsage();
    assert.equal(splitter.pendingBytes, 2_000_000);
    assert.ok(after.arrayBuffers - before.arrayBuffers < 8 * 2 ** 20);
  });
});
