import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from '../../../src/errors.js';
import { type AppRig, openApp } from '../../support/app-rig.js';

/** Milliseconds that a stop takes, or null when it is not over after 20 s. */
async function stopMs({ app, clock }: AppRig): Promise<number | null> {
  const startedAt = clock.now();
  let took: number | null = null;
  void app.stop().then(() => {
    took = clock.now() - startedAt;
  });
  for (let ms = 0; ms < 20_000 && took === null; ms += 50) await clock.advance(50);
  return took;
}

test('a stop in peace takes a moment and leaves no timer', async () => {
  const rig = await openApp({ given: { listen: '127.0.0.1:0' }, prepare: ({ put }) => put('web', '80/tcp') });
  await rig.advance(60_000);
  assert.ok(((await stopMs(rig)) ?? Infinity) <= 1_100);
  assert.equal(rig.clock.pending, 0);
});

test('a stop in the middle of everything leaves no timer and starts nothing new', async () => {
  for (const afterMs of [0, 5, 10, 20, 50, 100, 300, 700]) {
    const rig = await openApp({ given: { rate: '20', listen: '127.0.0.1:0' } });
    for (let i = 0; i < 60; i++) rig.put(`s${i}`, i % 2 === 0 ? '80/tcp' : `80/tcp-:${2000 + i}`);
    await rig.advance(afterMs);
    const before = rig.calls().length;
    assert.ok(((await stopMs(rig)) ?? Infinity) < 10_000, `after ${afterMs} ms`);
    assert.ok(rig.calls().length <= 8, `${before} before`);
    const written = rig.written.length;
    await rig.clock.advance(60_000);
    assert.equal(rig.clock.pending, 0, `after ${afterMs} ms`);
    assert.deepEqual(rig.calls(), []);
    assert.equal(rig.written.length, written);
  }
});

test('an agent that hangs in a write-back does not keep a replacement from its second half, nor the stop from its end', async () => {
  const rig = await openApp({
    prepare(each) {
      each.put('web', '80/tcp-:8080');
      each.put('auto', '80/tcp');
      each.source.setBind = async () => {
        await new Promise<void>((resolve) => each.clock.after(30_000, resolve));
        return ok(undefined);
      };
    },
  });
  rig.calls();
  rig.balancer.fail('POST', 'timeout', { name: '_80._tcp.web.root.svc', times: 1 });
  rig.put('web', '80/tcp-:8081');
  await rig.advance(1_000);
  assert.deepEqual(rig.calls().slice(0, 1), ['DELETE _80._tcp.web.root.svc']);
  for (let i = 0; i < 40; i++) rig.put(`late${i}`, `80/tcp-:${3000 + i}`);
  assert.ok(((await stopMs(rig)) ?? Infinity) < 9_500);
  assert.equal(rig.served()['_80._tcp.web.root.svc'], '0.0.0.0:8081');
  assert.equal(
    Object.keys(rig.served()).some((name) => name.includes('late')),
    false,
  );
});

test('GoBetween that hangs does not keep a stop beyond 10 s', async () => {
  const rig = await openApp({ prepare: ({ put }) => put('web', '80/tcp-:8080') });
  rig.balancer.hang(true);
  rig.put('web', '80/tcp-:8081');
  await rig.advance(3_000);
  assert.ok(((await stopMs(rig)) ?? Infinity) < 9_500);
});

test('resync (SIGHUP) lists both sides at once and repeats reads that failed', async () => {
  const rig = await openApp({ prepare: ({ put }) => put('web', '80/tcp-:8080') });
  rig.source.failing.set('root/svc/web' as never, { code: 'agent-error', retry: 'backoff', message: 'busy' });
  rig.put('web', '80/tcp-:8081');
  await rig.advance(120_000);
  assert.deepEqual(rig.problems(), ['config-unreadable web']);
  rig.source.failing.clear();
  const requests = rig.source.requests.length;
  const calls = rig.balancer.calls.length;
  rig.app.resync();
  await rig.advance(200);
  assert.ok(rig.source.requests.slice(requests).includes('list'));
  assert.ok(rig.balancer.calls.slice(calls).some(({ method }) => method === 'LIST'));
  assert.deepEqual(Object.values(rig.served()), ['0.0.0.0:8081']);
  await rig.stop();
});
