/**
 * A whole event stream, from bytes to what the handlers are told, against a reader that parses every frame on its own:
 * whatever came of the frames and wherever the bytes are cut, both tell the same, or end for the same reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '../../src/random.js';
import { createFrameSplitter } from '../../src/source/frames.js';
import { readFrame } from '../../src/source/lsnr-patch.js';
import { createStreamReader } from '../../src/source/lsnr-stream.js';
import { below, mutate, pick, recordedFrames, seeded } from '../support/agent-frames.js';

const seed = Number(process.env['SEED'] ?? 1);
const recorded = recordedFrames();

/** A dozen frames whose counters mostly are contiguous, of which some were hit. */
function streamBytes(random: Random): Buffer {
  let id = 1 + below(random, 1000);
  const texts: string[] = [];
  for (let i = 0; i < 12; i++) {
    if (random.next() < 0.03) id = Math.max(0, id + below(random, 7) - 3);
    const text = pick(random, recorded).replace(/"id": \d+/, () => `"id": ${id++}`);
    texts.push(random.next() < 0.1 ? mutate(text, recorded, random) : text);
  }
  const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(''), 'latin1');
  return random.next() < 0.2 ? bytes.subarray(0, below(random, bytes.length)) : bytes;
}

interface Heard {
  readonly told: readonly string[];
  readonly defect: string | null;
  readonly cut: boolean;
}

/** By the letter of reference/opensvc-v2-protocol.md §4, one frame after the other. */
function plain(bytes: Buffer): Heard {
  const told: string[] = [];
  let expected: number | null = null;
  let from = 0;
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, from)) {
    const text = bytes.toString('utf8', from, end);
    from = end + 1;
    if (text === '') continue;
    const content = readFrame(text);
    if (content === undefined) return { told, defect: 'not-json', cut: false };
    const { id, hints, refused } = content;
    if (refused) return { told, defect: 'refused', cut: false };
    told.push(hints.length > 0 ? 'relevant' : 'irrelevant');
    if (id !== null) {
      if (expected !== null && id !== expected) told.push(id < expected ? 'restarted' : 'id-gap');
      expected = id + 1;
    }
    for (const hint of hints) if (hint.kind !== 'membership') told.push(JSON.stringify(hint));
    if (hints.some(({ kind }) => kind === 'membership')) told.push('membership');
  }
  return { told, defect: null, cut: from < bytes.length };
}

function quick(bytes: Buffer, nextCut: () => number): Heard {
  const told: string[] = [];
  const reader = createStreamReader({
    onConfig: (key, csum, node) => told.push(JSON.stringify({ kind: 'config', key, csum, node })),
    onDeleting: (key) => told.push(JSON.stringify({ kind: 'deleting', key })),
    onMembership: () => told.push('membership'),
    onGap: (reason) => told.push(reason),
    onEvent: (outcome, frames) => told.push(...Array<string>(frames).fill(outcome)),
  });
  let defect: string | null = null;
  const splitter = createFrameSplitter((run) => {
    if (defect === null) ({ defect } = reader.read(run));
  });
  for (let at = 0; at < bytes.length && defect === null; ) {
    const to = at + Math.max(1, nextCut());
    assert.equal(splitter.push(bytes.subarray(at, to)), 'ok');
    at = to;
  }
  return { told, defect, cut: defect === null && splitter.pendingBytes > 0 };
}

test('fuzzed streams: the same is told, wherever the bytes are cut', () => {
  const random = seeded(seed);
  const seen = { gaps: 0, defects: 0, hints: 0 };
  for (let round = 0; round < 400; round++) {
    const bytes = streamBytes(random);
    const expected = plain(bytes);
    seen.defects += expected.defect === null ? 0 : 1;
    seen.gaps += expected.told.includes('id-gap') || expected.told.includes('restarted') ? 1 : 0;
    seen.hints += expected.told.includes('relevant') ? 1 : 0;
    for (const [name, nextCut] of [
      ['at once', () => bytes.length],
      ['64 KiB', () => 64 * 1024],
      ['one byte', () => 1],
      ['anywhere', () => below(random, 2000)],
    ] as const) {
      assert.deepEqual(quick(bytes, nextCut), expected, `SEED=${seed}, round ${round}, cut ${name}`);
    }
  }
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 20, `${what}: only ${times} times`);
});

test('one stream cut in two at every byte', () => {
  const bytes = Buffer.from(recorded.slice(0, 8).join('\0') + '\0');
  const expected = plain(bytes);
  for (let at = 1; at < bytes.length; at++) {
    let first = true;
    const nextCut = (): number => (first ? ((first = false), at) : bytes.length);
    assert.deepEqual(quick(bytes, nextCut), expected, `cut at ${at}`);
  }
});
