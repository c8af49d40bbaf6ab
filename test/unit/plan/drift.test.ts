import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Digest, Observed, ServerName } from '../../../src/model/server.js';
import { measureDrift } from '../../../src/plan/drift.js';
import { digestOf, nameOf, observedServer } from '../../support/servers.js';

const applied = (entries: Record<string, string>): ReadonlyMap<ServerName, Digest> =>
  new Map(Object.entries(entries).map(([name, digest]) => [nameOf(name), digestOf(digest)]));

function measure(
  entries: Record<string, string>,
  observed: readonly Observed[],
  inFlight: readonly string[] = [],
) {
  return measureDrift({ applied: applied(entries), observed, inFlight: (name) => inFlight.includes(name) });
}

const foreign: Observed = { ...observedServer('mine', 'x'), owned: false, key: null };

describe('drift', () => {
  test('none when GoBetween has what we wrote; foreign servers are counted only', () => {
    assert.deepEqual(measure({ _1_a: 'd' }, [observedServer('_1_a', 'd'), foreign]), {
      missing: [],
      mutated: [],
      extra: [],
      foreign: 1,
    });
  });
  test('missing, mutated and extra, sorted by name', () => {
    const observed = [observedServer('_3_c', 'x'), observedServer('_5_e', 'd'), observedServer('_4_d', 'd')];
    assert.deepEqual(measure({ _2_b: 'd', _1_a: 'd', _3_c: 'd' }, observed), {
      missing: ['_1_a', '_2_b'],
      mutated: ['_3_c'],
      extra: ['_4_d', '_5_e'],
      foreign: 0,
    });
  });
  test('MUST NOT count our own writes in flight', () => {
    const observed = [observedServer('_3_c', 'x'), observedServer('_4_d', 'd')];
    const drift = measure({ _1_a: 'd', _3_c: 'd' }, observed, ['_1_a', '_3_c', '_4_d']);
    assert.deepEqual(drift, { missing: [], mutated: [], extra: [], foreign: 0 });
  });
});
