import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

const name = (service: string): string => `_80._tcp.${service}.root.svc`;

describe('two gateways on one cluster', () => {
  test('they choose the same ports, and one of them writes', async () => {
    const one = await openApp({
      given: { 'port-range': '5000-5004' },
      prepare: (r) => {
        r.source.nodes = { n1: 'idle', n2: 'idle' };
        for (const each of ['a', 'b', 'c']) r.put(each, '80/tcp');
      },
    });
    const two = await openApp({ given: { 'port-range': '5000-5004' }, beside: { rig: one, node: 'n2' } });
    await one.advance(30_000);
    assert.deepEqual(two.served(), one.served());
    assert.deepEqual([...one.written, ...two.written].length, 3);
    one.put('d', '80/tcp');
    await one.advance(30_000);
    assert.deepEqual(two.served(), one.served());
    assert.deepEqual(two.written.length + one.written.length, 4);
    assert.equal(one.calls().length, 4);
    assert.equal(two.calls().length, 4);
    const at = one.bindOf('a') ?? '';
    two.put('a', at, { target_lb: 'n2' });
    await one.advance(30_000);
    assert.ok(!(name('a') in one.served()));
    one.put('a', at, { target_lb: 'n1' });
    two.source.handlers?.onMembership();
    await one.advance(30_000);
    assert.equal(one.served()[name('a')], at.slice('80/tcp-'.length));
    assert.ok(!(name('a') in two.served()));
    await two.stop();
    await one.stop();
  });

  test('they see different things: the first write wins, the other follows once', async () => {
    const one = await openApp({
      given: { 'port-range': '5000-5020' },
      prepare: (r) => {
        r.source.nodes = { n1: 'idle', n2: 'idle' };
      },
    });
    const two = await openApp({
      given: { 'port-range': '5010-5030' },
      beside: { rig: one, node: 'n2' },
    });
    one.put('a', '80/tcp');
    one.put('b', '80/tcp');
    two.source.handlers?.onMembership();
    await one.advance(60_000);
    assert.deepEqual(two.served(), one.served());
    assert.ok(one.calls().length + two.calls().length <= 8);
    assert.equal(one.written.length + two.written.length, 2);
    await one.advance(600_000);
    assert.deepEqual([...one.calls(), ...two.calls()], []);
    assert.deepEqual(one.problems(), []);
    await two.stop();
    await one.stop();
  });
});
