import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceKey } from '../../../src/model/service.js';
import { changeEvent, problemEvent } from '../../../src/operator/events.js';

test('changes are one line each: what, where, why', () => {
  const name = '_80._tcp.web.root.svc';
  const fields = { server: name, service: 'web', reason: 'edited', round: 7, listen: 'tcp 0.0.0.0:80' };
  assert.deepEqual(changeEvent({ kind: 'replace', name, fields }), {
    ...{ kind: 'replace', service: 'web', server: name },
    text: `${name} replaced on tcp 0.0.0.0:80 (edited)`,
  });
  const refused = {
    server: name,
    outcome: 'port-busy',
    detail: 'bind: address already in use',
    retryInMs: 2000,
  };
  assert.equal(
    changeEvent({ kind: 'refuse', name, fields: refused }).text,
    `${name} not taken by GoBetween (port-busy): bind: address already in use`,
  );
  assert.deepEqual(
    changeEvent({ kind: 'write-back', name: 'web', fields: { service: 'web', bind: '80/tcp-0.0.0.0:1024' } }),
    {
      ...{ kind: 'write-back', service: 'web', server: null },
      text: 'port written back: igw_gobtw_bind = 80/tcp-0.0.0.0:1024',
    },
  );
  assert.equal(changeEvent({ kind: 'delete', name: 'x', fields: { service: '' } }).service, null);
});

test('problems come and go', () => {
  const problem = {
    ...({ code: 'bad-word', severity: 'problem', key: 'shop/svc/api' as ServiceKey } as const),
    ...{ place: 'igw_gobtw_bind 80/', message: 'no protocol', keeps: '', mend: 'write 80/tcp' },
  };
  assert.deepEqual(problemEvent('raised', problem), {
    ...{ kind: 'raised', service: 'shop/svc/api', server: null },
    text: 'igw_gobtw_bind 80/: bad-word: no protocol',
  });
  assert.equal(problemEvent('cleared', problem).text, 'igw_gobtw_bind 80/: bad-word is over');
});
