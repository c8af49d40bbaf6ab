import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceKey } from '../../../src/model/service.js';
import type { Change } from '../../../src/plan/change.js';
import { applyPolicy } from '../../../src/plan/policy.js';
import { desiredServer, digestOf, observedServer, web } from '../../support/servers.js';

const NAME = '_80._tcp.web.root.svc';
const desired = desiredServer(NAME, 'd');
const before = observedServer(NAME, 'o');
const create: Change = { kind: 'create', key: web, desired, reason: 'new' };
const replace: Change = { kind: 'replace', key: web, desired, before, reason: 'edited' };
const remove: Change = { kind: 'delete', key: web, name: before.name, before, reason: 'slave' };
const adopt: Change = { kind: 'adopt', key: web, desired, digest: digestOf('d'), reason: 'adopted' };
const all = [create, replace, remove, adopt];

describe('policies', () => {
  test('sync lets everything pass, in order', () => {
    assert.deepEqual(
      applyPolicy(() => 'sync', all),
      { allowed: all, suppressed: [] },
    );
  });
  test('upsert-only never deletes', () => {
    const { allowed, suppressed } = applyPolicy(() => 'upsert-only', all);
    assert.deepEqual(allowed, [create, replace, adopt]);
    assert.deepEqual(suppressed, [{ change: remove, why: 'policy upsert-only: nothing is deleted' }]);
  });
  test('observe changes nothing; adoptions cost no call', () => {
    const { allowed, suppressed } = applyPolicy(() => 'observe', all);
    assert.deepEqual(allowed, [adopt]);
    assert.deepEqual(
      suppressed.map(({ change }) => change),
      [create, replace, remove],
    );
    for (const { why } of suppressed) assert.equal(why, 'policy observe: nothing is changed');
  });
  test('each service may have its own: that of one that is paused holds back its own changes only', () => {
    const paused = 'root/svc/paused' as ServiceKey;
    const other: Change = { ...create, key: paused };
    const { allowed, suppressed } = applyPolicy(
      (key) => (key === paused ? 'observe' : 'sync'),
      [other, remove],
    );
    assert.deepEqual(allowed, [remove]);
    assert.deepEqual(
      suppressed.map(({ change }) => change),
      [other],
    );
  });
  test('a historical server that gives way to the new name is a replacement in two halves', () => {
    const half: Change = { kind: 'delete', key: web, name: before.name, before, reason: 'historical' };
    const other: Change = { ...create, reason: 'historical' };
    assert.deepEqual(applyPolicy(() => 'upsert-only', [half, other]).allowed, [half, other]);
    assert.deepEqual(applyPolicy(() => 'upsert-only', [half]).allowed, []);
    assert.deepEqual(applyPolicy(() => 'upsert-only', [half, adopt]).allowed, [adopt]);
    assert.deepEqual(applyPolicy(() => 'observe', [half, other]).allowed, []);
  });
});
