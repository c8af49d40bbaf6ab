import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blank } from '../../../src/cli/redact.js';
import { canonical, normalise } from '../../../src/model/normalise.js';
import { diffCanonical } from '../../../src/plan/canonical-diff.js';

const redacted = (value: unknown): unknown => JSON.parse(JSON.stringify(value, blank));

const server = (send: string): string =>
  canonical(
    normalise(
      {
        bind: '0.0.0.0:80',
        protocol: 'tcp',
        discovery: { kind: 'exec', exec_command: ['/bin/list', '--key', 'hunter2'] },
        healthcheck: {
          kind: 'probe',
          probe_send: send,
          probe_recv: 'hunter4',
          probe_strategy: 'starts_with',
        },
      },
      'post',
    ),
  );

test('what checks send, expect and run is blanked inside the JSON of a server, and the rest stays', () => {
  const text = JSON.stringify(redacted({ desired: server('hunter1'), observed: server('hunter3') }));
  assert.doesNotMatch(text, /hunter/);
  assert.match(text, /0\.0\.0\.0:80/);
  assert.match(text, /starts_with/);
});

test('nor does it stand in a difference between two servers', () => {
  const differs = diffCanonical(server('hunter1'), server('hunter3'));
  assert.match(JSON.stringify(differs), /hunter/);
  assert.deepEqual(redacted({ differs }), {
    differs: [{ field: 'healthcheck.probe_send', before: '***', after: '***' }],
  });
});

test('nor as the value of a keyword', () => {
  const name = 'igw_gobtw_healthcheck_exec_command';
  const keyword = { name, written: '/bin/hunter5', value: '/bin/hunter5', origin: 'config' };
  assert.deepEqual(redacted([keyword]), [{ ...keyword, written: '***', value: '***' }]);
  const other = { name: 'igw_gobtw_balance', written: 'leastconn', value: 'leastconn', origin: 'config' };
  assert.deepEqual(redacted([other]), [other]);
});

test('a server whose text is no JSON is blanked whole', () => {
  assert.deepEqual(redacted({ desired: null, observed: 'hunter6' }), { desired: null, observed: '***' });
});

test('fields that are called so are blanked, and empty ones are seen to be empty', () => {
  const fields = {
    password: 'hunter7',
    apiToken: 7,
    privateKey: { pem: 'hunter8' },
    exec_command: ['hunter9'],
  };
  assert.deepEqual(redacted({ ...fields, exec_commands: [], secret: '' }), {
    ...{ password: '***', apiToken: '***', privateKey: '***', exec_command: '***' },
    ...{ exec_commands: [], secret: '' },
  });
});
