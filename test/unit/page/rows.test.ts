import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readView, writeView } from '../../../src/page/client/address.js';
import type * as Page from '../../../src/page/client/answers.js';
import { createRows, type Filter } from '../../../src/page/client/rows.js';
import type { Exposure } from '../../../src/operator/exposures.js';
import type { GatewayView } from '../../../src/operator/gateway.js';
import type { HistoryEvent } from '../../../src/operator/history.js';
import type { PortMap } from '../../../src/operator/port-map.js';
import type { ServiceView } from '../../../src/operator/service-view.js';

const all: Filter = { text: '', states: new Set(), sort: 'service', down: false };

function row(service: string, more: Partial<Page.Exposure> = {}): Page.Exposure {
  return {
    ...{ service, word: '80/tcp', listen: '0.0.0.0:1024', proto: 'tcp', state: 'serving', server: null },
    ...{ code: null, why: '', since: null, warnings: [] },
    ...more,
  };
}

describe('the rows of the page', () => {
  test('are filtered by words, each found somewhere, and by states', () => {
    const rows = createRows();
    rows.reset([
      row('web'),
      row('shop/svc/web', { state: 'held', code: 'port-conflict', listen: '0.0.0.0:2000' }),
      row('api', { warnings: ['not-exposed'] }),
    ]);
    const names = (filter: Partial<Filter>) =>
      rows.shown({ ...all, ...filter }).map(({ service }) => service);
    assert.deepEqual(names({}), ['api', 'shop/svc/web', 'web']);
    assert.deepEqual(names({ text: 'WEB' }), ['shop/svc/web', 'web']);
    assert.deepEqual(names({ text: 'web conflict' }), ['shop/svc/web']);
    assert.deepEqual(names({ text: ':2000/tcp' }), ['shop/svc/web']);
    assert.deepEqual(names({ states: new Set(['held']) }), ['shop/svc/web']);
    assert.deepEqual(names({ states: new Set(['warned']) }), ['api']);
    assert.deepEqual(names({ states: new Set(['held', 'warned']) }), ['api', 'shop/svc/web']);
    assert.deepEqual(names({ sort: 'listen', down: true }), ['shop/svc/web', 'api', 'web']);
    assert.deepEqual(names({ sort: 'state' }), ['shop/svc/web', 'api', 'web']);
    assert.deepEqual([...rows.counts('web')].sort(), [
      ['held', 1],
      ['serving', 1],
    ]);
  });

  test('of a service are replaced as a whole, however often and late', () => {
    const rows = createRows();
    rows.reset([row('web'), row('web', { word: '443/tcp' }), row('api')]);
    rows.replace('web', [row('web', { state: 'pending' })]);
    rows.replace('web', [row('web', { state: 'pending' })]);
    assert.equal(rows.size(), 2);
    rows.replace('api', []);
    rows.replace('api', []);
    assert.deepEqual(
      rows.shown(all).map(({ service, state }) => `${service} ${state}`),
      ['web pending'],
    );
    assert.equal(rows.size(), 1);
  });
});

test('slaves are shown when they are looked for, and count for nothing otherwise', () => {
  const rows = createRows();
  rows.reset([row('web'), row('0.web', { state: 'slave' })]);
  const names = (filter: Partial<Filter>) => rows.shown({ ...all, ...filter }).map(({ service }) => service);
  assert.deepEqual(names({}), ['web']);
  assert.equal(rows.size(), 1);
  assert.deepEqual(names({ text: '0.web' }), ['0.web']);
  assert.deepEqual(names({ states: new Set(['slave']) }), ['0.web']);
});

describe('the address', () => {
  test('holds what is shown, and nothing by default', () => {
    const view = readView('');
    assert.equal(writeView(view), '');
    const filter: Filter = {
      text: 'a&b=c ü',
      states: new Set(['held', 'warned']),
      sort: 'listen',
      down: true,
    };
    const full = { tab: 'ports', filter, service: 'shop/svc/api' } as const;
    assert.deepEqual(readView(writeView(full)), full);
  });

  test("is other people's text: what it cannot mean is ignored", () => {
    const view = readView('?tab=__proto__&state=held,nonsense&sort=-evil&q=%3Cimg%3E');
    assert.equal(view.tab, 'exposures');
    assert.deepEqual([...view.filter.states], ['held']);
    assert.equal(view.filter.sort, 'state');
    assert.equal(view.filter.text, '<img>');
  });
});

test('what the page reads is what the server answers', () => {
  // The compiler holds the shapes against each other.
  const shapes: {
    readonly exposure: (value: Exposure) => Page.Exposure;
    readonly gateway: (value: GatewayView) => Page.Gateway;
    readonly event: (value: HistoryEvent) => Page.HistoryEvent;
    readonly service: (value: ServiceView) => Page.Service;
    readonly ports: (value: PortMap) => Page.Ports;
  } = {
    exposure: (value) => value,
    gateway: (value) => value,
    event: (value) => value,
    service: (value) => value,
    ports: (value) => value,
  };
  assert.equal(Object.keys(shapes).length, 5);
});
