import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeRequests, timeSource } from '../../src/effects.js';
import { fail, ok } from '../../src/errors.js';
import { createGuardedBalancer } from '../../src/gobetween/guard.js';
import type { Answer, Balancer } from '../../src/gobetween/outcome.js';
import type { ServiceKey } from '../../src/model/service.js';
import type { Source } from '../../src/source/source.js';
import { createFakeClock } from '../support/fake-clock.js';

test('each request to the agent is timed under the agent’s name for it, failures by their code', async () => {
  const clock = createFakeClock();
  const key = 'ns1/svc/web' as ServiceKey;
  const lost = { code: 'agent-timeout', retry: 'backoff', message: 'no answer' } as const;
  const unused = () => Promise.reject(new Error('not asked for'));
  const source: Source = {
    nodeName: async () => ok('n1'),
    list: unused,
    clusterConfig: async () => ok({ dns: [] }),
    async config(asked, { evaluate, node }) {
      await clock.advance(250);
      return ok({ text: `${asked} ${evaluate} ${node}` });
    },
    setBind: async (_, value) => (value === 'x' ? fail(lost) : ok(undefined)),
    watch: () => () => undefined,
    close: async () => undefined,
  };
  const seen: (readonly [string, string, number])[] = [];
  const timed = timeSource(source, clock, (...record) => void seen.push(record));
  assert.deepEqual(await timed.nodeName(), ok('n1'));
  await timed.clusterConfig();
  assert.deepEqual(
    await timed.config(key, { evaluate: true, node: 'n1' }),
    ok({ text: 'ns1/svc/web true n1' }),
  );
  assert.deepEqual(await timed.setBind(key, 'x'), fail(lost));
  assert.deepEqual(seen, [
    ['whoami', 'ok', 0],
    ['object_config', 'ok', 0],
    ['object_config', 'ok', 250],
    ['object_action', 'agent-timeout', 0],
  ]);
});

test('what a policy forbids is no request; the DELETE of a replacement passes and is timed', async () => {
  const timed: string[] = [];
  const done: Answer<null> = { outcome: 'ok', value: null, detail: '' };
  const balancer = { create: async () => done, remove: async () => done } as unknown as Balancer;
  const guarded = createGuardedBalancer(
    timeRequests(balancer, createFakeClock(), (op, outcome) => timed.push(`${op} ${outcome}`)),
    () => 'upsert-only',
  );
  assert.equal((await guarded.remove('a', 'delete')).outcome, 'forbidden');
  assert.equal((await guarded.remove('a', 'replace')).outcome, 'ok');
  assert.equal((await guarded.create('a', '{}')).outcome, 'ok');
  assert.deepEqual(timed, ['remove ok', 'create ok']);
});
