import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fail } from '../../../src/errors.js';
import { keyOf } from '../../support/cluster-lists.js';
import { openApp } from '../../support/app-rig.js';

const name = (service: string, label = 80, proto = 'tcp'): string =>
  `_${label}._${proto}.${service}.root.svc`;
const portOf = (bind: string | undefined): number => Number(bind?.slice(bind.lastIndexOf(':') + 1));

describe('allocated ports', () => {
  test('they avoid explicit ones, of services elsewhere too', async () => {
    const rig = await openApp({
      given: { 'port-range': '5000-5009' },
      prepare: (r) => {
        for (const each of ['a', 'b', 'c']) r.put(each, '80/tcp');
        r.put('d', Array.from({ length: 4 }, (_, i) => `8${i}/tcp-:${5000 + i}`).join(' '));
        r.put('e', Array.from({ length: 3 }, (_, i) => `8${i}/tcp-:${5004 + i}`).join(' '), {
          target_lb: 'n2',
        });
      },
    });
    await rig.advance(8000);
    const ports = ['a', 'b', 'c'].map((each) => portOf(rig.served()[name(each)])).sort();
    assert.deepEqual(ports, [5007, 5008, 5009]);
    rig.put('f', '80/tcp');
    await rig.advance(3000);
    assert.deepEqual(rig.problems(), ['port-exhausted f', 'target-unknown e']);
    rig.source.put('b', {});
    await rig.advance(8000);
    assert.ok(rig.served()[name('f')] !== undefined);
    assert.deepEqual(rig.problems(), ['target-unknown e']);
    await rig.stop();
  });

  test('reserved ports are nobody s', async () => {
    const rig = await openApp({
      given: { 'port-range': '5000-5002', reserve: '5001', gobetween: 'http://127.0.0.1:5000' },
      prepare: (r) => {
        r.put('a', '80/tcp 81/tcp');
        r.put('b', '80/tcp-:5001 443/tcp-:1443');
      },
    });
    assert.deepEqual(rig.problems(), ['port-exhausted a', 'port-reserved b']);
    assert.deepEqual(rig.served(), {
      [Object.keys(rig.served()).find((each) => each.includes('.a.')) ?? '']: '0.0.0.0:5002',
      [name('b', 443)]: '0.0.0.0:1443',
    });
    await rig.stop();
  });

  test('unwritten ports stay through restarts of the janitor and of GoBetween, and edits', async () => {
    const rig = await openApp({
      given: { 'write-back': 'off', 'port-range': '5000-5004' },
      prepare: (r) => {
        for (const each of ['a', 'b', 'c']) r.put(each, '80/tcp');
      },
    });
    const before = rig.served();
    rig.calls();
    await rig.restart();
    assert.deepEqual(rig.calls(), []);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    rig.put('b', '80/tcp', { balance: 'iphash' });
    rig.put('c', '80/tcp 443/tcp');
    await rig.advance(5000);
    const { [name('c', 443)]: extra, ...rest } = rig.served();
    assert.deepEqual(rest, before);
    assert.ok(extra !== undefined);
    await rig.stop();
  });

  test('a foreign process: an allocated port moves on, an explicit one says so and comes when it can', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.balancer.fail('POST', 'port-busy', { name: name('a'), times: 1 });
        r.balancer.fail('POST', 'port-busy', { name: name('b'), times: 4 });
        r.put('a', '80/tcp');
        r.put('b', '80/tcp-:1080');
      },
    });
    assert.ok(rig.served()[name('a')] !== undefined);
    assert.deepEqual(rig.problems(), ['port-busy b']);
    await rig.advance(10_000);
    assert.equal(rig.served()[name('b')], '0.0.0.0:1080');
    assert.deepEqual(rig.problems(), []);
    const posts = rig.balancer.calls.filter((call) => call.name === name('b')).map(({ atMs }) => atMs);
    posts.slice(1).forEach((at, i) => assert.ok(at - (posts[i] ?? 0) <= 2500));
    await rig.stop();
  });

  test('a slow close of its own listener does not move an unwritten port', async () => {
    const rig = await openApp({ given: { 'write-back': 'off' }, prepare: (r) => r.put('a', '80/tcp') });
    const before = rig.served();
    rig.balancer.fail('POST', 'port-busy', { name: name('a'), times: 6 });
    rig.put('a', '80/tcp', { balance: 'iphash' });
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('no address here: tried again from 1 s to 30 s', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.balancer.fail('POST', 'no-address', { name: name('a'), times: 9 });
        r.put('a', '80/tcp-10.9.9.9:1080');
      },
    });
    assert.deepEqual(rig.problems(), ['no-address a']);
    await rig.advance(200_000);
    const posts = rig.balancer.calls.filter((call) => call.name === name('a')).map(({ atMs }) => atMs);
    assert.equal(rig.served()[name('a')], '10.9.9.9:1080');
    assert.ok((posts[1] ?? 0) - (posts[0] ?? 0) <= 1300);
    assert.ok(Math.max(...posts.slice(1).map((at, i) => at - (posts[i] ?? 0))) <= 36_000);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('tcp and udp have ports of their own; wildcards conflict with every address', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('a', '53/tcp-:1053 53/udp-:1053');
        r.put('b', '53/tcp-127.0.0.1:1053 80/tcp-127.0.0.1:1080');
        r.put('c', '53/udp-[::]:1053 80/tcp-127.0.0.2:1080');
        r.put('d', '80/tcp-[::1]:1080');
      },
    });
    assert.deepEqual(rig.problems(), ['port-conflict b', 'port-conflict c']);
    assert.deepEqual(Object.values(rig.served()).sort(), [
      '0.0.0.0:1053',
      '0.0.0.0:1053',
      '127.0.0.1:1080',
      '127.0.0.2:1080',
      '[::1]:1080',
    ]);
    await rig.stop();
  });

  test('an explicit word on an unwritten allocated port that serves does not move it', async () => {
    const rig = await openApp({ given: { 'write-back': 'off' }, prepare: (r) => r.put('z', '80/tcp') });
    const before = rig.served();
    rig.put('a', `80/tcp-:${portOf(before[name('z')])}`);
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    assert.deepEqual(rig.problems(), ['port-conflict a']);
    await rig.restart();
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('write-backs that somebody reverts stop for an hour', async () => {
    const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp') });
    const before = rig.served();
    for (let i = 0; i < 4; i++) {
      await rig.advance(8000);
      rig.put('a', '80/tcp');
    }
    await rig.advance(10_000);
    assert.deepEqual(rig.problems(), ['write-back-reverted a']);
    assert.equal(rig.written.length, 3);
    assert.deepEqual(rig.served(), before);
    assert.equal(rig.calls().length, 1);
    await rig.advance(3_700_000);
    assert.equal(rig.written.length, 4);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('what cannot be written is given up with its service, though policy keeps the server', async () => {
    const rig = await openApp({
      given: { policy: 'upsert-only' },
      prepare(each) {
        each.source.setBind = async () => fail({ code: 'agent-set-failed', retry: 'backoff', message: 'no' });
        each.put('a', '80/tcp');
      },
    });
    await rig.advance(60_000);
    assert.deepEqual(rig.problems(), ['write-back-failed a']);
    rig.source.handlers?.onDeleting(keyOf('a'));
    rig.source.remove('a');
    await rig.advance(5_000);
    rig.source.requests.splice(0);
    await rig.advance(1_200_000);
    assert.deepEqual(Object.keys(rig.served()), [name('a')]);
    assert.deepEqual(rig.problems(), []);
    assert.deepEqual(
      rig.source.requests.filter((request) => request.endsWith('/a')),
      [],
    );
    await rig.stop();
  });

  test('the default address', async () => {
    const rig = await openApp({
      given: { 'default-addr': '::1' },
      prepare: (r) => r.put('a', '80/tcp 443/tcp-:1443 22/tcp-127.0.0.1'),
    });
    await rig.advance(8000);
    const { [name('a')]: auto, [name('a', 443)]: fixed, [name('a', 22)]: own } = rig.served();
    assert.equal(fixed, '[::1]:1443');
    assert.match(auto ?? '', /^\[::1\]:\d+$/);
    assert.match(own ?? '', /^127\.0\.0\.1:\d+$/);
    assert.equal(rig.bindOf('a'), `80/tcp-${auto} 443/tcp-:1443 22/tcp-${own}`);
    assert.equal(rig.calls().length, 3);
    await rig.restart({ 'default-addr': '127.0.0.9' });
    await rig.advance(8000);
    assert.deepEqual(rig.served(), {
      ...rig.served(),
      [name('a')]: auto,
      [name('a', 443)]: '127.0.0.9:1443',
    });
    await rig.stop();
  });

  test('exhausted words of one service do not stop its others, nor the writing', async () => {
    const rig = await openApp({
      given: { 'port-range': '5000-5000' },
      prepare: (r) => r.put('a', '80/tcp 443/tcp 22/tcp-:1022'),
    });
    await rig.advance(8000);
    assert.equal(Object.keys(rig.served()).length, 2);
    assert.match(rig.bindOf('a') ?? '', /:5000/);
    await rig.stop();
  });
});
