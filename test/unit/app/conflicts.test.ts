import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

const name = (service: string, label = 80): string => `_${label}._tcp.${service}.root.svc`;

describe('two services that want one port', () => {
  test('the smaller path wins at first, the other is told, and served when the port frees', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('b', '80/tcp-:1080');
        r.put('a', '80/tcp-:1080');
      },
    });
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['port-conflict b']);
    rig.calls();
    rig.put('a', '80/tcp-:1080', { balance: 'leastconn' });
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [`DELETE ${name('a')}`, `POST ${name('a')}`]);
    rig.put('a', '443/tcp-:1080 80/tcp-:2080', { balance: 'leastconn' });
    await rig.advance(20000);
    assert.deepEqual(rig.problems(), ['port-conflict b'], 'the winner renamed its word');
    rig.put('a', '80/tcp-:2080');
    await rig.advance(20000);
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:2080', [name('b')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('who has it keeps it, also after a restart of the janitor', async () => {
    const rig = await openApp({ prepare: (r) => r.put('b', '80/tcp-:1080') });
    rig.put('a', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.problems(), ['port-conflict a']);
    await rig.restart();
    assert.deepEqual(rig.problems(), ['port-conflict a']);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' });
    rig.source.remove('b');
    await rig.advance(1_000_000);
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('the former server of the loser serves on, until another needs its port', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('a', '80/tcp-:1080');
        r.put('b', '80/tcp-:2080');
      },
    });
    rig.calls();
    rig.put('b', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.problems(), ['port-conflict b']);
    rig.put('c', '80/tcp-:2080');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:1080', [name('c')]: '0.0.0.0:2080' });
    assert.deepEqual(rig.problems(), ['port-conflict b']);
    rig.put('a', '80/tcp-:3080');
    await rig.advance(5000);
    assert.equal(rig.served()[name('b')], '0.0.0.0:1080');
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  for (const gapMs of [0, 1000]) {
    test(`they swap their ports, ${gapMs} ms apart`, async () => {
      const rig = await openApp({
        prepare: (r) => {
          r.put('a', '80/tcp-:1080');
          r.put('b', '80/tcp-:2080');
        },
      });
      rig.calls();
      rig.put('a', '80/tcp-:2080');
      await rig.advance(gapMs);
      rig.put('b', '80/tcp-:1080');
      await rig.advance(20000);
      assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:2080', [name('b')]: '0.0.0.0:1080' });
      assert.deepEqual(rig.problems(), []);
      assert.equal(rig.calls().length, 4);
      await rig.stop();
    });
  }

  test('three in a ring', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('a', '80/tcp-:1080');
        r.put('b', '80/tcp-:2080');
        r.put('c', '80/tcp-:3080');
      },
    });
    rig.calls();
    rig.put('a', '80/tcp-:2080');
    rig.put('b', '80/tcp-:3080');
    rig.put('c', '80/tcp-:1080');
    await rig.advance(20000);
    assert.deepEqual(rig.served(), {
      [name('a')]: '0.0.0.0:2080',
      [name('b')]: '0.0.0.0:3080',
      [name('c')]: '0.0.0.0:1080',
    });
    assert.equal(rig.calls().length, 6);
    await rig.stop();
  });

  test('the winner leaves for another gateway and comes back', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('a', '80/tcp-:1080');
        r.put('b', '80/tcp-:1080');
      },
    });
    rig.put('a', '80/tcp-:1080', { target_lb: 'gw9' });
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['target-unknown a']);
    rig.put('a', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['port-conflict a']);
    await rig.stop();
  });

  test('a spoiled service keeps its port against others, through a restart', async () => {
    const rig = await openApp({ prepare: (r) => r.put('b', '80/tcp-:1080') });
    rig.calls();
    rig.put('b', '80/tcp-:1080', { balance: 'nonsense' });
    rig.put('a', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.problems(), ['bad-keyword b', 'port-conflict a']);
    await rig.restart();
    assert.deepEqual(rig.problems(), ['bad-keyword b', 'port-conflict a']);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' });
    await rig.stop();
  });

  test('a foreign server has the port: told, and served when it leaves', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.balancer.servers.set('mine', JSON.stringify({ bind: ':1080', protocol: 'tcp' }));
        r.put('a', '80/tcp-:1080');
      },
    });
    assert.deepEqual(rig.problems(), ['port-busy a']);
    assert.deepEqual(rig.calls(), []);
    rig.balancer.servers.delete('mine');
    await rig.advance(40000);
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('a service that is wrong from its first day takes no port from others', async () => {
    const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp-:1080', { balance: 'nonsense' }) });
    rig.put('b', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['bad-keyword a']);
    rig.put('a', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.problems(), ['port-conflict a']);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' });
    await rig.stop();
  });

  test('a word mistyped and others moved: what stays keeps its port, what went gives it away', async () => {
    const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp-:1080 443/tcp-:1443') });
    rig.put('a', '80/tcp-:2080 443/tcp-');
    rig.put('b', '80/tcp-:1080 443/tcp-:1443');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), {
      [name('a')]: '0.0.0.0:2080',
      [name('a', 443)]: '0.0.0.0:1443',
      [name('b')]: '0.0.0.0:1080',
    });
    assert.deepEqual(rig.problems(), ['bad-word a', 'port-conflict b']);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.equal(rig.served()[name('a', 443)], '0.0.0.0:1443');
    await rig.stop();
  });

  test('a server that missing services left is theirs after restarts of both sides', async () => {
    const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp-:1080') });
    rig.source.hidden.add('a');
    rig.put('b', '80/tcp-:1080');
    await rig.restart();
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['port-conflict b']);
    await rig.stop();
  });
});
