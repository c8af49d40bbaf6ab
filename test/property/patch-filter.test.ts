/**
 * The quick reading of runs of frames against the plain one, JSON.parse and the hints of everything: they may not differ
 * in anything, whatever came of the bytes. `FRAMES=300000` looks at that many, `SEED` at the same ones again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pythonJson } from '../../src/sim/agent/python-json.js';
import { readFrame, type FrameContent } from '../../src/source/lsnr-patch.js';
import { readRun } from '../../src/source/lsnr-run.js';
import { below, mutate, pick, recordedFrames, seeded } from '../support/agent-frames.js';

const wanted = Number(process.env['FRAMES'] ?? 12_000);
const seed = Number(process.env['SEED'] ?? 1);

/** What a run says, frame by frame, and how many of the frames were not parsed. */
function quick(run: Buffer): { readonly said: (FrameContent | undefined)[]; readonly skipped: number } {
  const said: (FrameContent | undefined)[] = [];
  let skipped = 0;
  readRun(run, {
    noise(id) {
      skipped++;
      said.push({ id, hints: [], refused: false });
    },
    frame: (content) => said.push(content) > 0,
    large: () => assert.fail('no frame is that large'),
  });
  return { said, skipped };
}

function plain(run: Buffer): (FrameContent | undefined)[] {
  const frames: Buffer[] = [];
  for (let from = 0, end = run.indexOf(0); end !== -1; from = end + 1, end = run.indexOf(0, from)) {
    if (end > from) frames.push(run.subarray(from, end));
  }
  return frames.map((frame) => readFrame(frame.toString('utf8')));
}

test(`${wanted} mutated frames of a real agent: nothing is missed`, () => {
  const random = seeded(seed);
  const recorded = recordedFrames();
  const seen = { skipped: 0, hints: 0, broken: 0 };
  for (let done = 0; done < wanted; ) {
    const texts: string[] = [];
    for (let i = 1 + below(random, 8); i > 0; i--, done++) {
      const frame = pick(random, recorded);
      texts.push(random.next() < 0.8 ? mutate(frame, recorded, random) : frame);
    }
    const run = Buffer.from(`${texts.join('\0')}\0`, 'latin1');
    const { said, skipped } = quick(run);
    const expected = plain(run);
    seen.skipped += skipped;
    for (const content of expected) {
      if (content === undefined) seen.broken++;
      else if (content.hints.length > 0 || content.refused) seen.hints++;
    }
    assert.deepEqual(
      said,
      expected,
      `SEED=${seed}, frame ${done}: ${JSON.stringify(run.toString('latin1'))}`,
    );
  }
  // A fifth of the frames is as recorded, and most of these say nothing.
  assert.ok(seen.skipped > wanted / 8, `only ${seen.skipped} frames were not parsed: this says little`);
  assert.ok(seen.hints > wanted / 100 && seen.broken > wanted / 5, JSON.stringify(seen));
});

const word = fc.constantFrom(
  ...[
    'monitor',
    'nodes',
    'services',
    'config',
    'status',
    'n1',
    'm2',
    'ns1/svc/web',
    'svc1',
    'cluster',
    'csum',
  ],
  ...['updated', 'scope', 'stats', 'gen', 'listener', 'global_expect', 'scaler_slave', 'avail', 'resources'],
  ...['frozen', 'a"b', '[["x', 'é', ''],
);
const path = fc.array(fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.nat(3) }), {
  maxLength: 8,
});
const likely = fc
  .tuple(
    fc.constantFrom('n1', 'listener'),
    fc.constantFrom('config', 'status'),
    fc.oneof(
      path,
      fc.constantFrom(['monitor', 'global_expect'], ['monitor'], ['scaler_slave'], ['csum'], []),
    ),
  )
  .map(([node, map, rest]) => ['monitor', 'nodes', node, 'services', map, 'svc1', ...rest]);
const value = fc.constantFrom<unknown>(
  ...['deleted', 'purged', 'abc', null, 1, -0.5e-9, true, {}, [], [1, 'a'], [['x']], { a: { b: { c: {} } } }],
  ...[{ config: { svc1: { csum: 'a' } } }, { monitor: { global_expect: 'deleted' } }, { scaler_slave: true }],
  ...[{ services: { config: { svc1: {} } } }, 'é', 'a"b'],
);
const change = fc
  .tuple(fc.oneof(path, likely), fc.option(value, { nil: undefined }))
  .map(([at, to]) => (to === undefined ? [at] : [at, to]));
const patch = fc
  .tuple(fc.nat(), fc.array(change, { maxLength: 4 }))
  .map(([id, data]) => ({ kind: 'patch', id, ts: 1.5, data }));
const event = fc
  .tuple(
    fc.dictionary(fc.constantFrom('reason', 'path', 'monitor', 'id'), value, { noNullPrototype: true }),
    word,
  )
  .map(([data, id]) => ({ nodename: 'n1', ts: 1, kind: 'event', data: { ...data, id } }));
const deletion = fc.constantFrom(
  { nodename: 'n1', ts: 1, kind: 'event', data: { id: 'instance_delete', reason: 'target', path: 'svc1' } },
  { nodename: 'n1', ts: 1, kind: 'event', data: { reason: 'target', path: 'svc1', id: 'instance_delete' } },
);

test('frames of every shape say the same, with the blanks of the agent and with others', () => {
  let skipped = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(patch, patch, event, deletion), { maxLength: 6 }),
      fc.nat(3),
      (frames, spelling) => {
        const texts = frames.map((frame) => (spelling === 0 ? JSON.stringify(frame) : pythonJson(frame)));
        const run = Buffer.from(texts.map((text) => `${text}\0`).join(''));
        const read = quick(run);
        skipped += read.skipped;
        assert.deepEqual(read.said, plain(run));
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(skipped > 1000, `only ${skipped} frames were not parsed: this says little`);
});
