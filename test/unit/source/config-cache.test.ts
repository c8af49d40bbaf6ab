import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createConfigCache } from '../../../src/source/config-cache.js';
import { serviceKey } from '../../../src/model/service.js';

const key = serviceKey({ namespace: 'root', kind: 'svc', name: 'web' });
const context = { clusterConfigCsum: 'c1', node: 'n1' };
const raw = { raw: '{"env":{}}', needsEvaluation: true, loop: null };

describe('config cache', () => {
  test('evaluated text belongs to its cluster config and to its node', () => {
    const cache = createConfigCache();
    cache.setEvaluated(key, 'x', context, 'text', 0);
    assert.equal(cache.evaluated(key, 'x', context), 'text');
    assert.equal(cache.evaluated(key, 'x', { ...context, node: 'n2' }), undefined);
    assert.equal(cache.evaluated(key, 'x', { ...context, clusterConfigCsum: 'c2' }), undefined);
  });

  test('a text read just before the checksum moved is forgotten: it may be the newer one', () => {
    const cache = createConfigCache();
    cache.setRaw(key, 'old', raw, 100_000);
    cache.setEvaluated(key, 'old', context, 'text', 100_000);
    cache.setRaw(key, 'settled', raw, 10_000);
    cache.movedOn(key, 'old', context, 101_000);
    cache.movedOn(key, 'settled', context, 101_000);
    assert.equal(cache.raw(key, 'old'), undefined);
    assert.equal(cache.evaluated(key, 'old', context), undefined);
    assert.equal(cache.raw(key, 'settled')?.raw, raw.raw);
  });

  test('is bounded by bytes: the least recently used goes', () => {
    const cache = createConfigCache(2000);
    for (const csum of ['a', 'b', 'c']) cache.setRaw(key, csum, { ...raw, raw: 'x'.repeat(300) }, 0);
    assert.equal(cache.raw(key, 'a'), undefined);
    assert.notEqual(cache.raw(key, 'c'), undefined);
  });

  test('dump and load round-trip through JSON, young entries left out, order kept', () => {
    const cache = createConfigCache();
    cache.setRaw(key, 'a', { ...raw, loop: 'env.a -> env.a' }, 0);
    cache.setEvaluated(key, 'a', context, 'text', 0);
    cache.setRaw(key, 'young', raw, 59_000);
    const dump: unknown = JSON.parse(JSON.stringify(cache.dump(60_000)));
    const other = createConfigCache();
    assert.equal(other.load(dump), true);
    assert.equal(other.raw(key, 'a')?.loop, 'env.a -> env.a');
    assert.equal(other.evaluated(key, 'a', context), 'text');
    assert.equal(other.raw(key, 'young'), undefined);
    assert.equal(other.dump(0).entries.length, 2, 'loaded entries are trusted, and dumped again');
  });

  test('a dump that is none changes nothing', () => {
    for (const dump of [
      null,
      1,
      {},
      { version: 2, entries: [] },
      { version: 1, entries: [['a', { raw: 1 }]] },
    ]) {
      const cache = createConfigCache();
      assert.equal(cache.load(dump), false, JSON.stringify(dump));
      assert.equal(cache.dump(0).entries.length, 0);
    }
  });
});
