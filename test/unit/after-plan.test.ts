import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAfterPlan } from '../../src/after-plan.js';
import { createLedger } from '../../src/gobetween/ledger.js';
import type { ServiceKey } from '../../src/model/service.js';
import type { Facts } from '../../src/source/source.js';
import { createFakeClock } from '../support/fake-clock.js';
import { observedServer, web } from '../support/servers.js';

test('a service that is gone is forgotten once the last of its servers is deleted', () => {
  const clock = createFakeClock();
  const ledger = createLedger(clock);
  const said: string[] = [];
  const gone: Facts = {
    key: web,
    state: 'gone',
    reason: 'absent',
    slave: false,
    scope: [],
    config: null,
  };
  const after = createAfterPlan({
    clock,
    ledger,
    informer: { facts: () => gone, forget: (key) => said.push(`informer forgets ${key}`) },
    writeBack: {
      want: () => undefined,
      forget: (key: ServiceKey) => said.push(`write-back forgets ${key}`),
      resume: () => undefined,
      pending: () => 0,
      stop: async () => undefined,
    },
    states: () => new Map(),
    watch: { up: () => true, sweepNow: async () => true },
    paused: () => false,
    again: (key) => said.push(`again ${key}`),
  });
  const server = observedServer('_80._tcp.web.root.svc', 'any');
  ledger.replaceAll([server], ledger.mark());
  after.settled(web);
  assert.deepEqual(said.splice(0), [`write-back forgets ${web}`], 'its server is still there');
  ledger.deleted(server.name);
  after.served(web);
  assert.deepEqual(said.splice(0), [`again ${web}`]);
  after.settled(web);
  assert.deepEqual(said, [`write-back forgets ${web}`, `informer forgets ${web}`]);
});
