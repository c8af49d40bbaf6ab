import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type GatewayFigures, viewGateway } from '../../../src/operator/gateway.js';

const calm: GatewayFigures = {
  ...{ version: '1', startedAt: '2026-01-01T00:00:00Z', cluster: 'c', node: 'gw1', names: ['gw1'] },
  agent: { up: true, why: '' },
  gobetween: { up: true, why: '', url: 'http://127.0.0.1:8888' },
  orders: { policy: 'sync', policySince: null, pauses: [] },
  ...{ planned: true, progress: null, oldestUnservedSeconds: 0, problems: {}, unserved: 0 },
  servers: { present: 12, pending: 0, foreign: 0 },
};
const told = (more: Partial<GatewayFigures>): string => {
  const { health, line } = viewGateway({ ...calm, ...more });
  return `${health}: ${line}`;
};
const pause = { service: 'web', since: '2026-01-01T00:00:00Z', until: '2026-01-01T01:00:00Z' };

describe('the line of the gateway', () => {
  test('is calm only when nothing is owed, held back or wrong', () => {
    assert.equal(told({}), 'in-sync: in sync, 12 servers');
    assert.equal(
      told({ unserved: 1 }),
      'attention: in sync, 12 servers; 1 problem keeps a word from being served',
    );
    assert.equal(
      told({ servers: { present: 12, pending: 3, foreign: 0 }, oldestUnservedSeconds: 1.26 }),
      'syncing: 3 changes on the way, the oldest for 1.3 s',
    );
  });

  test('names what is worst first: GoBetween, the agent, the first sync, orders, what is owed', () => {
    const gobetween = { ...calm.gobetween, up: false, why: 'GoBetween at x: unreachable' };
    const agent = { up: false, why: 'the OpenSVC agent: refused' };
    const orders = { ...calm.orders, pauses: [pause] };
    assert.equal(told({ gobetween, agent, planned: false }), 'gobetween-down: GoBetween at x: unreachable');
    assert.equal(
      told({ agent, planned: false, orders }),
      'agent-down: the OpenSVC agent: refused; 12 servers stay as they are',
    );
    assert.match(told({ planned: false, orders }), /^syncing: first sync: waiting/);
    assert.equal(
      told({ orders, unserved: 4 }),
      'held: web is paused until 2026-01-01T01:00:00Z; nothing is owed, 12 servers',
    );
  });

  test('says how far the first sync is, and how long it takes', () => {
    const progress = {
      services: { read: 120, listed: 500 },
      servers: { done: 0, due: 1 },
      secondsLeft: 7,
    };
    assert.equal(
      told({ planned: false, progress }),
      'syncing: first sync: 120 of 500 services read, 0 of 1 server pushed, about 7 s left',
    );
  });

  test('says a pause of everything, a policy that changes nothing, and several pauses', () => {
    const all = { ...pause, service: null };
    assert.match(
      told({ orders: { ...calm.orders, pauses: [pause, all] } }),
      /^held: everything is paused until/,
    );
    assert.match(
      told({ orders: { ...calm.orders, policy: 'observe' } }),
      /^held: policy observe: nothing is changed/,
    );
    assert.match(
      told({ orders: { ...calm.orders, pauses: [pause, { ...pause, service: 'api' }] } }),
      /^held: 2 services are paused/,
    );
  });
});
