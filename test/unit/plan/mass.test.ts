import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, ChangeReason } from '../../../src/plan/change.js';
import { massCauses } from '../../../src/plan/mass.js';
import { desiredServer, observedServer, web } from '../../support/servers.js';

function replacements(count: number, reason: ChangeReason): Change[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `_${index + 1}._tcp.web.root.svc`;
    return {
      kind: 'replace',
      key: web,
      desired: desiredServer(name, 'd'),
      before: observedServer(name, 'o'),
      reason,
    };
  });
}

test('a cause is massive above 20 servers and above 5 % of all', () => {
  assert.deepEqual(massCauses(replacements(20, 'dns'), 30), []);
  assert.deepEqual(massCauses(replacements(21, 'dns'), 30), [{ reason: 'dns', count: 21 }]);
  assert.deepEqual(massCauses(replacements(21, 'dns'), 420), []);
  assert.deepEqual(massCauses(replacements(22, 'dns'), 420), [{ reason: 'dns', count: 22 }]);
});

test("each service's own edit is never massive", () => {
  assert.deepEqual(massCauses(replacements(500, 'edited'), 500), []);
});

test('causes are counted apart, the largest first; creations and deletions do not count', () => {
  const created = replacements(100, 'drift').map(({ key }, index): Change => {
    return { kind: 'create', key: key ?? web, desired: desiredServer(`_${index}_x`, 'd'), reason: 'drift' };
  });
  const changes = [
    ...replacements(30, 'setting'),
    ...replacements(40, 'drift'),
    ...replacements(5, 'dns'),
    ...created,
  ];
  assert.deepEqual(massCauses(changes, 100), [
    { reason: 'drift', count: 40 },
    { reason: 'setting', count: 30 },
  ]);
});
