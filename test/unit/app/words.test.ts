import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

const web80 = '_80._tcp.web.root.svc';
const web443 = '_443._tcp.web.root.svc';

describe('the words of one service', () => {
  test('their order costs nothing', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443 53/udp-:1053') });
    rig.calls();
    rig.put('web', '53/udp-:1053   443/tcp-:1443 80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    await rig.stop();
  });

  test('a typo beside a word that moves keeps the one and moves the other', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    rig.calls();
    rig.put('web', '80/tcp-:2080 443/tcp-');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web443]: '0.0.0.0:1443', [web80]: '0.0.0.0:2080' });
    assert.deepEqual(rig.problems(), ['bad-word web']);
    await rig.restart();
    assert.deepEqual(rig.served(), { [web443]: '0.0.0.0:1443', [web80]: '0.0.0.0:2080' });
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web443]: '0.0.0.0:1443', [web80]: '0.0.0.0:2080' });
    rig.calls();
    rig.put('web', '80/tcp-:2080 443/tcp-:1443');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [], 'the repaired word is what was kept');
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('another label on the same port: the old name goes before the new one can listen', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.calls();
    rig.put('web', '443/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [`DELETE ${web80}`, `POST ${web443}`]);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('two words swap their ports', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    rig.calls();
    rig.put('web', '80/tcp-:1443 443/tcp-:1080');
    await rig.advance(15000);
    assert.deepEqual(rig.served(), { [web443]: '0.0.0.0:1080', [web80]: '0.0.0.0:1443' });
    assert.equal(rig.calls().length, 4);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  for (const [bind, more] of [
    ['443/tcp 443', {}],
    ['443 443/udp', { protocol: 'udp' }],
    ['443 443/tcp-10.0.0.1', {}],
    ['443/tcp-10.0.0.1:* 443', {}],
    ['443 443/udp 443/udp-10.0.0.1:*', { protocol: 'udp' }],
  ] as const) {
    test(`a duplicate stays one server after the write: ${bind}`, async () => {
      const rig = await openApp({
        given: { 'default-addr': '10.0.0.1' },
        prepare: (r) => r.put('web', bind, more),
      });
      await rig.advance(20_000);
      assert.equal(rig.calls().length, 1, rig.bindOf('web'));
      assert.deepEqual(rig.problems(), ['duplicate-word web']);
      await rig.stop();
    });
  }

  test('more words than are served keep what was', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.calls();
    rig.put('web', Array.from({ length: 65 }, (_, i) => `${80 + i}/tcp-:${2000 + i}`).join(' '));
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.problems(), ['too-many-words web']);
    await rig.stop();
  });

  test('a keyword emptied or removed takes the servers away, an empty reference does not', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.calls();
    rig.source.put('web', { igw_gobtw_bind: '{env.ports}', ports: '' });
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    rig.source.put('web', { igw_gobtw_bind: '  ' });
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [`DELETE ${web80}`]);
    rig.put('web', '80/tcp-:1080');
    await rig.advance(5000);
    rig.source.put('web', {});
    await rig.advance(15000);
    assert.deepEqual(rig.served(), {});
    await rig.stop();
  });

  test('two addresses on one label, one of them mistyped', async () => {
    const rig = await openApp({
      prepare: (r) => r.put('web', '80/tcp-127.0.0.1:1080 80/tcp-127.0.0.2:1080'),
    });
    const before = rig.served();
    rig.calls();
    for (const bind of [
      '80/tcp-127.0.0.2:1080 80/tcp-127.0.0.x:1080',
      '80/tcp-127.0.0.1:1080 80/tcp-127.0.0.:1080',
    ]) {
      rig.put('web', bind);
      await rig.advance(5000);
      assert.deepEqual(rig.served(), before);
    }
    rig.put('web', '80/tcp-127.0.0.2:1080 80/tcp-127.0.0.1:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    rig.put('web', '80/tcp-127.0.0.2:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [`DELETE ${web80}`]);
    rig.put('web', '80/tcp-127.0.0.1:1080 80/tcp-127.0.0.2:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('a word becomes explicit at the port that it has, and allocated again', async () => {
    const rig = await openApp({ given: { 'write-back': 'off' }, prepare: (r) => r.put('web', '80/tcp') });
    const before = rig.served();
    rig.calls();
    const port = before[web80]?.split(':')[1] ?? '';
    rig.put('web', `80/tcp-:${port}`);
    await rig.advance(5000);
    rig.put('web', '80/tcp-:*');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    assert.deepEqual(rig.calls(), []);
    await rig.stop();
  });

  test('a new word beside one that is mistyped: the listener of the mistyped one does not vanish', async () => {
    for (const typo of ['80/tcp-127.0.0.:1080', '8o/tcp-127.0.0.2:1080', '80/tpc-127.0.0.2:1080']) {
      const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-127.0.0.2:1080') });
      rig.calls();
      rig.put('web', `80/tcp-:2080 ${typo}`);
      await rig.advance(5000);
      assert.deepEqual(Object.values(rig.served()).sort(), ['0.0.0.0:2080', '127.0.0.2:1080']);
      assert.equal(rig.calls().length, 1);
      rig.put('web', '80/tcp-:2080 80/tcp-127.0.0.2:1080');
      await rig.advance(5000);
      assert.deepEqual(rig.calls(), []);
      assert.deepEqual(rig.problems(), []);
      await rig.stop();
    }
  });
});

test('a word that its own service was in the way of takes over, bad word or not', async () => {
  const rig = await openApp();
  rig.put('c', '80/tcp-:1080 80/tcp-127.0.0.2:1080');
  await rig.advance(10_000);
  rig.put('c', '80/tcp-127.0.0.2:1080 443/tcp-');
  await rig.advance(10_000);
  assert.deepEqual(rig.served(), { '_80._tcp.c.root.svc': '127.0.0.2:1080' });
  assert.deepEqual(rig.problems(), ['bad-word c']);
  await rig.stop();
});
