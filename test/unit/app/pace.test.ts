import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

const web80 = '_80._tcp.web.root.svc';
const web53 = '_53._udp.web.root.svc';

describe('when changes come', () => {
  test('a change and its reversal inside one window cost nothing', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.calls();
    rig.put('web', '80/tcp-:2080');
    await rig.advance(5);
    rig.put('web', '80/tcp-:1080');
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    await rig.stop();
  });

  test('a reversal while the change waits for quiet costs nothing', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    rig.balancer.traffic.set(web80, 100);
    rig.calls();
    for (const bind of ['80/tcp-:2080 443/tcp-:1443', '443/tcp-:1443', '81/tcp-:1080 443/tcp-:1443']) {
      rig.put('web', bind);
      await rig.advance(1500);
      rig.put('web', '80/tcp-:1080 443/tcp-:1443');
      await rig.advance(9000);
      assert.deepEqual(rig.calls(), [], bind);
      assert.deepEqual(rig.problems(), []);
    }
    await rig.stop();
  });

  test('a typo while a removal waits for quiet stops the removal', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    rig.balancer.traffic.set(web80, 100);
    rig.calls();
    rig.put('web', '443/tcp-:1443');
    await rig.advance(1500);
    rig.put('web', '443/tcp-:1443 8o/tcp');
    await rig.advance(20_000);
    assert.deepEqual(rig.calls(), []);
    rig.put('web', '443/tcp-:1443');
    await rig.advance(20_000);
    assert.deepEqual(rig.calls(), [`DELETE ${web80}`]);
    await rig.stop();
  });

  test('a spoiling edit while a change waits for quiet: the newest good wish wins', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.balancer.traffic.set(web80, 100);
    rig.put('web', '80/tcp-:2080');
    await rig.advance(1500);
    rig.put('web', '80/tcp-:2080', { balance: 'nope' });
    await rig.advance(20_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:2080' });
    await rig.stop();
  });

  test('a replacement waits for quiet up to --quiet-wait, unless another service waits for its port', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.balancer.traffic.set(web80, 100);
    const posts = (): number => rig.balancer.calls.filter(({ method }) => method === 'DELETE').length;
    rig.put('web', '80/tcp-:2080');
    await rig.advance(4500);
    assert.equal(posts(), 0);
    await rig.advance(1500);
    assert.equal(posts(), 1);
    rig.put('web', '80/tcp-:3080');
    rig.put('db', '80/tcp-:2080');
    await rig.advance(1000);
    assert.equal(Object.values(rig.served()).length, 2);
    await rig.stop();
  });

  test('changes of one server are kept apart, the newest wins, and its creation does not count', async () => {
    const rig = await openApp();
    rig.put('web', '80/tcp-:1080');
    await rig.advance(100);
    for (let i = 1; i <= 40; i++) {
      rig.put('web', `80/tcp-:${2000 + i}`);
      await rig.advance(100);
    }
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:2040' });
    const deletes = rig.balancer.calls.filter(({ method }) => method === 'DELETE').map(({ atMs }) => atMs);
    const gaps = deletes.slice(1).map((at, i) => at - (deletes[i] ?? 0));
    [190, 390, 790, 1590, 3190].forEach((least, i) =>
      assert.ok((gaps[i] ?? Infinity) >= least, String(gaps)),
    );
    assert.ok(deletes.length <= 6, String(gaps));
    await rig.advance(10_000);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('a udp server lives for 300 ms at least', async () => {
    const rig = await openApp();
    rig.put('web', '53/udp-:1053');
    await rig.advance(100);
    rig.put('web', '53/udp-:2053');
    await rig.advance(5000);
    const posted = rig.balancer.calls.find(({ method }) => method === 'POST')?.atMs ?? 0;
    const deleted = rig.balancer.calls.find(({ method }) => method === 'DELETE')?.atMs ?? 0;
    assert.ok(deleted - posted >= 300, String(deleted - posted));
    assert.deepEqual(rig.served(), { [web53]: '0.0.0.0:2053' });
    await rig.stop();
  });

  test('a reversal while GoBetween does not answer', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.calls();
    rig.balancer.down(true);
    await rig.advance(5000);
    rig.put('web', '80/tcp-:2080');
    await rig.advance(5000);
    rig.put('web', '80/tcp-:1080');
    await rig.advance(5000);
    rig.balancer.down(false);
    await rig.advance(15_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    assert.deepEqual(
      rig.calls().filter((call) => !call.endsWith('unreachable')),
      [],
    );
    await rig.stop();
  });

  test('the answer of a DELETE is lost, and the wish reversed meanwhile', async () => {
    for (const acts of [true, false]) {
      const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
      rig.balancer.fail('DELETE', 'timeout', { acts });
      rig.put('web', '80/tcp-:2080');
      await rig.advance(1000);
      rig.put('web', '80/tcp-:1080');
      await rig.advance(40_000);
      assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' }, String(acts));
      assert.deepEqual(rig.problems(), []);
      await rig.stop();
    }
  });

  test('GoBetween refuses a body: what was there serves again, and the next good wish is taken', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080') });
    rig.balancer.fail('POST', 'invalid', { times: 1 });
    rig.put('web', '80/tcp-:1080', { balance: 'iphash' });
    await rig.advance(10_000);
    assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
    assert.deepEqual(rig.problems(), ['refused web']);
    rig.put('web', '80/tcp-:1080', { balance: 'iphash1' });
    await rig.advance(10_000);
    assert.match(rig.balancer.servers.get(web80) ?? '', /iphash1/);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('out-of-band changes are mended, and the service s own are no drift', async () => {
    const rig = await openApp({ prepare: (r) => r.put('web', '80/tcp-:1080 443/tcp-:1443') });
    const before = rig.served();
    rig.balancer.servers.delete(web80);
    await rig.advance(35_000);
    assert.deepEqual(rig.served(), before);
    const other = rig.balancer.servers.get(web80) ?? '';
    rig.balancer.servers.set('_99._tcp.web.root.svc', other.replace(':1080', ':1099'));
    await rig.advance(35_000);
    assert.deepEqual(rig.served(), before);
    rig.balancer.servers.set('_99._tcp.nobody.root.svc', other.replace(':1080', ':1099'));
    await rig.advance(250_000);
    assert.equal(Object.keys(rig.served()).length, 3);
    await rig.advance(4_000_000);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });
});
