/** The cheap filter of event frames against the full reading: it may let too much pass, never too little. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mayMatter, readFrame } from '../../src/source/lsnr-patch.js';

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
    'updated',
  ],
  ...[
    'scope',
    'stats',
    'gen',
    'listener',
    'global_expect',
    'scaler_slave',
    'avail',
    'resources',
    'frozen',
    'a"b',
    '[["x',
  ],
);
const path = fc.array(fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.nat(3) }), {
  maxLength: 8,
});
const likely = fc
  .tuple(fc.constantFrom('n1', 'listener'), fc.constantFrom('config', 'status'), path)
  .map(([node, map, rest]) => ['monitor', 'nodes', node, 'services', map, 'svc1', ...rest]);
const value = fc.constantFrom<unknown>(
  ...['deleted', 'purged', 'abc', null, 1, true, {}, [['x']], { config: { svc1: { csum: 'a' } } }],
  ...[
    { monitor: { global_expect: 'deleted' } },
    { scaler_slave: true },
    { services: { config: { svc1: {} } } },
  ],
);
const change = fc
  .tuple(fc.oneof(path, likely), fc.option(value, { nil: undefined }))
  .map(([at, to]) => (to === undefined ? [at] : [at, to]));

test('a frame that the filter drops has no hint', () => {
  let dropped = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), (data, blanks) => {
      const json = JSON.stringify({ kind: 'patch', id: 1, ts: 1.5, data });
      const text = blanks ? json.replaceAll('],', '], ').replaceAll('",', '", ') : json;
      if (mayMatter(text)) return;
      dropped++;
      const full = readFrame(JSON.stringify({ x: 0, kind: 'patch', id: 1, data }));
      assert.deepEqual(full?.hints, [], text);
    }),
    { numRuns: 5000 },
  );
  assert.ok(dropped > 50, `only ${dropped} frames were dropped: the property says little`);
});
