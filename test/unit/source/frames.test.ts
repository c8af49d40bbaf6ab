import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFrameSplitter, eachFrame, type FrameSplitter } from '../../../src/source/frames.js';

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
});
