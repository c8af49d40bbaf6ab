import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

const web80 = '_80._tcp.web.root.svc';
const web443 = '_443._tcp.web.root.svc';

describe('what a service keeps', () => {
  test('a spoiled service keeps its servers, through restarts', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp') });
    await rig.advance(3000);
    const before = rig.served();
    rig.calls();
    rig.put('web', rig.bindOf('web') ?? '', { protocol: 'tls' });
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    await rig.restart();
    assert.deepEqual(rig.calls(), []);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    rig.calls();
    rig.put('web', rig.bindOf('web') ?? '');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('a service spoiled by a word and a keyword at once, mended one after the other', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    const before = rig.served();
    rig.calls();
    rig.put('web', '80/tcp-:1080 443/', { balance: 'x' });
    await rig.advance(5000);
    rig.put('web', '80/tcp-:1080 443/');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    assert.deepEqual(rig.calls(), []);
    rig.put('web', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [`DELETE ${web443}`]);
    await rig.stop();
  });

  test('a wish that was never met is no server to keep: beside a bad word it stands in nobody’s way', async () => {
    const rig = await openApp({ latencyMs: 400 });
    rig.put('web', '80/tcp-127.0.0.2:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web80]: '127.0.0.2:1080' });
    rig.put('web', '443/tcp-:1080');
    await rig.advance(30);
    rig.put('web', '80/tcp-:1080 443/tcp-');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['bad-word web']);
    await rig.stop();
  });

  test('what GoBetween had and forgot is one: beside a bad word it comes back', async () => {
    const rig = await openApp({ latencyMs: 400 });
    rig.put('web', '80/tcp-:1080 443/tcp-:1443');
    await rig.advance(5000);
    const before = rig.served();
    rig.balancer.restart();
    rig.put('web', '80/tcp-:1080 443/tcp-');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('two words and a former server on one port, beside a bad word: it stays, and the rounds come to rest', async () => {
    const rig = await openApp();
    rig.put('web', '80/tcp-:1080');
    await rig.advance(5000);
    rig.put('web', '443/tcp-:1080 80/tcp-127.0.0.2:1080 443/tcp-');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['bad-word web', 'port-conflict web']);
    rig.put('web', '80/tcp-127.0.0.2:1080 443/tcp-');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web80]: '127.0.0.2:1080' });
    await rig.stop();
  });

  test('a former server of a word that another word of its service keeps out holds its port, and says so', async () => {
    const rig = await openApp();
    rig.put('web', '80/tcp-:1443');
    await rig.advance(5000);
    rig.put('web', '80/tcp-:1080 443/tcp-:1080 443/tcp-');
    await rig.advance(3000);
    rig.put('api', '443/tcp-127.0.0.1:1443');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web443]: '0.0.0.0:1080', [web80]: '0.0.0.0:1443' });
    assert.deepEqual(rig.problems(), ['bad-word web', 'port-conflict api', 'port-conflict web']);
    rig.put('web', '443/tcp-:1080');
    await rig.advance(10_000);
    assert.deepEqual(rig.problems(), []);
    assert.equal(rig.served()['_443._tcp.api.root.svc'], '127.0.0.1:1443');
    await rig.stop();
  });

  test('so does one whose word is kept out by a server that a bad word may have meant', async () => {
    const rig = await openApp();
    rig.put('web', '80/tcp-:1080 443/tcp-127.0.0.1:1443');
    await rig.advance(5000);
    const before = rig.served();
    rig.put('web', '80/tcp-:1443 443/tcp-');
    await rig.advance(3000);
    rig.put('api', '80/tcp-127.0.0.2:1080');
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), before);
    assert.deepEqual(rig.problems(), ['bad-word web', 'port-conflict api', 'port-conflict web']);
    rig.put('web', '80/tcp-:1443');
    await rig.advance(10_000);
    assert.deepEqual(rig.problems(), []);
    assert.deepEqual(rig.served(), { '_80._tcp.api.root.svc': '127.0.0.2:1080', [web80]: '0.0.0.0:1443' });
    await rig.stop();
  });

  test('a service that appears again is not removed while its config cannot be read yet', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.source.hidden.add('web');
    await rig.restart();
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    rig.source.latencyMs.config = 200_000;
    rig.source.hidden.delete('web');
    await rig.advance(50_000);
    const body = JSON.parse(rig.balancer.servers.get(web80) ?? '') as object;
    rig.balancer.servers.set(web80, JSON.stringify({ ...body, balance: 'iphash' }));
    await rig.advance(50_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    rig.balancer.servers.delete(web80);
    await rig.advance(50_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    rig.source.latencyMs.config = 2;
    await rig.advance(100_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    await rig.stop();
  });

  test('an unreadable config keeps its servers, also over a restart of GoBetween', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.source.failing.set(
      'root/svc/web' as never,
      { code: 'x', retry: 'backoff', message: 'broken' } as never,
    );
    rig.put('web', '80/tcp-:2080');
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['config-unreadable web']);
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    await rig.restart();
    rig.balancer.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    rig.source.failing.clear();
    await rig.advance(60000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:2080' });
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('a service that is deleted takes its problems along', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('web', '80/tcp-:1080 443/');
        r.source.put('ref', { igw_gobtw_bind: '{env.x}', x: '80/tcp' });
      },
    });
    await rig.advance(70_000);
    assert.deepEqual(rig.problems(), ['bad-word web', 'not-written-back ref']);
    rig.source.handlers?.onDeleting('root/svc/web' as never);
    rig.source.handlers?.onDeleting('root/svc/ref' as never);
    rig.source.remove('web');
    rig.source.remove('ref');
    await rig.advance(20_000);
    assert.deepEqual(rig.served(), {});
    assert.deepEqual(rig.problems(), []);
    assert.deepEqual(rig.app.exposure(), []);
    await rig.stop();
  });

  test('no DNS: told, and over when the service goes elsewhere', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.source.dns = [];
        r.put('web', '80/tcp-:1080');
      },
    });
    assert.deepEqual(rig.problems(), ['no-dns web']);
    rig.put('web', '80/tcp-:1080', { target_lb: 'n9' });
    await rig.advance(3000);
    assert.deepEqual(rig.problems(), ['target-unknown web']);
    await rig.stop();
  });

  test('a target that names a service which is read later is known', async () => {
    const rig = await openApp({
      prepare: (r) => {
        r.put('a', '80/tcp-:1080', { target_lb: 'zgw' });
        for (let i = 0; i < 200; i++) r.source.put(`m${i}`, {});
        r.source.put('zgw', {});
      },
    });
    assert.deepEqual(rig.problems(), []);
    rig.put('b', '80/tcp-:1080', { target_lb: 'later' });
    await rig.advance(3000);
    assert.deepEqual(rig.problems(), ['target-unknown b']);
    rig.source.put('later', {});
    await rig.advance(3000);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('slave, elsewhere and back', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp') });
    await rig.advance(5000);
    const before = rig.served();
    rig.calls();
    const bind = rig.bindOf('web') ?? '';
    rig.put('web', bind, { target_lb: 'n2' });
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), [`DELETE ${web80}`]);
    rig.put('web', bind, { target_lb: 'N1.example.com.' });
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    rig.calls();
    rig.source.put('web', { igw_gobtw_bind: bind }, { slave: true });
    await rig.advance(25000);
    assert.deepEqual(rig.served(), {});
    rig.source.put('web', { igw_gobtw_bind: bind });
    await rig.advance(25000);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('a label change beside a typo: nothing is deleted, and the wait is told', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.calls();
    rig.put('web', '443/tcp-:1080 8/');
    await rig.advance(15_000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.problems(), ['bad-word web', 'port-conflict web']);
    assert.deepEqual(
      rig.app.exposure().map(({ word, state, why }) => `${word} ${state} ${why.split(',')[0]}`),
      [
        '443/tcp-:1080 held port-conflict: web has it',
        '8/ spoiled bad-word: the protocol after / is missing; write 8/tcp or 8/udp',
        ' kept a word of igw_gobtw_bind is wrong',
      ],
    );
    await rig.stop();
  });

  test('an unknown identity deletes nothing', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080'), hostname: 'elsewhere' });
    rig.source.ownName = null;
    await rig.restart();
    rig.put('web', '80/tcp-:1080', { target_lb: 'n1' });
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['identity-unknown']);
    rig.source.ownName = 'n2';
    rig.source.nodes = { n1: 'idle', n2: 'idle' };
    await rig.advance(30_000);
    assert.deepEqual(rig.served(), {});
    await rig.stop();
  });
});

test('without any DNS a former server of a word stays, also where another name or place is wanted', async () => {
  const first = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
  const [body = ''] = first.balancer.servers.values();
  await first.stop();
  const rig = await openApp({
    prepare(r) {
      r.balancer.servers.set('_80_web', body);
      r.source.dns = [];
      r.put('web', '80/tcp-:2080');
    },
  });
  await rig.advance(30_000);
  assert.deepEqual(rig.problems(), ['no-dns web']);
  assert.deepEqual(rig.calls(), []);
  rig.put('web', '81/tcp-:2080');
  await rig.advance(30_000);
  assert.deepEqual(rig.calls(), ['DELETE _80_web'], 'its word is gone');
  await rig.stop();
});
