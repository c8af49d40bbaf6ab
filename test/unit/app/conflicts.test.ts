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

  test('a word that moves to where a foreign process listens is served at the old place until the new one is free (D17)', async () => {
    for (const proto of ['tcp', 'udp'] as const) {
      const rig = await openApp({ prepare: (r) => r.put('a', `80/${proto}-:1080`) });
      const server = name('a').replace('tcp', proto);
      const process = { proto, addr: '127.0.0.1', port: 2080 };
      rig.balancer.occupied.add(process);
      rig.calls();
      rig.put('a', `80/${proto}-:2080`);
      await rig.advance(1000);
      assert.deepEqual(rig.served(), { [server]: '0.0.0.0:1080' });
      assert.deepEqual(rig.calls(), [`DELETE ${server}`, `POST ${server} port-busy`, `POST ${server}`]);
      assert.deepEqual(rig.problems(), ['port-busy a']);
      assert.match(rig.app.exposure()[0]?.why ?? '', /port-busy.*until then it serves on 0\.0\.0\.0:1080/);
      await rig.advance(60_000);
      const tries = rig.calls();
      assert.ok(tries.length >= 20, `${tries.length} tries in a minute`);
      assert.deepEqual([...new Set(tries)], [`POST ${server}@0.0.0.0:2080 port-busy`], 'nothing was dropped');
      rig.balancer.occupied.clear();
      await rig.advance(4000);
      assert.deepEqual(rig.served(), { [server]: '0.0.0.0:2080' });
      assert.deepEqual(rig.problems(), []);
      await rig.advance(60_000);
      assert.deepEqual(
        rig.calls().map((call) => call.replace(server, 'it')),
        ['POST it@0.0.0.0:2080', 'DELETE it@0.0.0.0:2080', 'DELETE it', 'POST it'],
      );
      await rig.stop();
    }
  });

  test('an edit meanwhile drops nothing; the old place wanted back, or by another, costs what it must', async () => {
    const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp-:1080') });
    rig.balancer.occupied.add({ proto: 'tcp', addr: '127.0.0.1', port: 2080 });
    rig.put('a', '80/tcp-:2080');
    await rig.advance(5000);
    rig.calls();
    rig.put('a', '80/tcp-:2080', { balance: 'iphash' });
    await rig.advance(5000);
    assert.ok(rig.calls().every((call) => call.endsWith('port-busy') && call.includes('@')));
    rig.put('b', '80/tcp-:1080');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [name('b')]: '0.0.0.0:1080' }, 'its old port is needed');
    rig.put('b', '');
    rig.put('a', '80/tcp-:1080');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [name('a')]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('a word that goes while its replacement is half done does not come back', async () => {
    for (const rest of ['', '443/tcp-:1443']) {
      const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp-:1080 443/tcp-:1443') });
      const process = { proto: 'tcp', addr: '127.0.0.1', port: 1080 } as const;
      rig.put('a', '80/tcp-127.0.0.1:1080 443/tcp-:1443');
      rig.balancer.occupied.add(process);
      await rig.advance(1000);
      rig.put('a', rest);
      await rig.advance(1000);
      rig.balancer.occupied.clear();
      await rig.advance(60_000);
      assert.deepEqual(Object.values(rig.served()), rest === '' ? [] : ['0.0.0.0:1443']);
      await rig.stop();
    }
  });

  test('a trial that a crash left behind is taken for what it is, and the former server goes', async () => {
    const rig = await openApp({ prepare: (r) => r.put('a', '80/tcp-:1080') });
    const former = rig.balancer.servers.get(name('a')) ?? '';
    rig.put('a', '80/tcp-:2080');
    await rig.advance(5000);
    const moved = rig.balancer.servers.get(name('a')) ?? '';
    rig.balancer.servers.set(name('a'), former);
    rig.balancer.servers.set(`${name('a')}@0.0.0.0:2080`, moved);
    rig.calls();
    await rig.restart();
    await rig.advance(40_000);
    assert.deepEqual(rig.served(), { [`${name('a')}@0.0.0.0:2080`]: '0.0.0.0:2080' });
    assert.deepEqual(rig.calls(), [`DELETE ${name('a')}`]);
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
