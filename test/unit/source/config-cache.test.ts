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

  test('what is saved is what a load takes: young entries left out, the order of use kept', () => {
    const cache = createConfigCache();
    cache.setRaw(key, 'a', { ...raw, loop: 'env.a -> env.a' }, 0);
    cache.setEvaluated(key, 'a', context, 'text', 0);
    cache.setRaw(key, 'young', raw, 59_000);
    const saved = [...cache.saved(60_000)];
    assert.deepEqual(
      saved.map((config) => config.raw),
      ['text', raw.raw],
      'the one used last first',
    );
    const other = createConfigCache();
    other.load(saved);
    assert.equal(other.raw(key, 'young'), undefined);
    assert.deepEqual([...other.saved(0)], saved, 'loaded entries are trusted, and saved again');
    assert.equal(other.raw(key, 'a')?.loop, 'env.a -> env.a');
    assert.equal(other.evaluated(key, 'a', context), 'text');
  });

  test('what goes while it is being saved is left out; nothing else is', () => {
    const cache = createConfigCache();
    for (const csum of ['a', 'b', 'c']) cache.setRaw(key, csum, { ...raw, raw: csum }, 0);
    const texts: string[] = [];
    for (const config of cache.saved(60_000)) {
      if (texts.length === 0) {
        cache.forget(key, 'b', context);
        cache.setRaw(key, 'd', raw, 60_000);
        cache.raw(key, 'a');
      }
      texts.push(config.raw);
    }
    assert.deepEqual(texts, ['c', 'a']);
  });
});
