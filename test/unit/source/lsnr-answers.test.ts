import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfigAnswer } from '../../../src/source/lsnr-answers.js';

test('a config is its sections, without the metadata', () => {
  const answer = readConfigAnswer({ metadata: { name: 'web' }, env: { igw_gobtw_bind: '80/tcp' } });
  assert.deepEqual(answer, { ok: true, value: { text: '{"env":{"igw_gobtw_bind":"80/tcp"}}' } });
});

test('what is no config is a failure, however it is made', () => {
  const deep: unknown = JSON.parse(`{"env":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`);
  for (const body of [null, 7, 'x', [], { env: null }, { env: [] }, { env: 'x' }, deep]) {
    const answer = readConfigAnswer(body);
    assert.equal(answer.ok ? 'ok' : answer.failure.code, 'agent-not-config');
  }
});
