import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppRig, openApp } from '../../support/app-rig.js';

const info = { 'log-level': 'info' };
const lines = (rig: AppRig): readonly string[] => rig.log.map(({ level, msg }) => `${level} ${msg}`);

function fill(rig: AppRig, count: number): void {
  for (let i = 0; i < count; i++) rig.put(`s${i}`, `80/tcp-:${2000 + i}`);
}

describe('the log', () => {
  for (const pace of ['5000', '8'] as const) {
    test(`a first sync of 300 servers at ${pace} a second is at most 20 lines`, async () => {
      const rig = await openApp({ given: { ...info, rate: pace }, prepare: (each) => fill(each, 300) });
      await rig.advance(60_000);
      await rig.advance(300_000); // the sum of a long flood comes late
      assert.equal(Object.keys(rig.served()).length, 300);
      assert.ok(rig.log.length <= 20, lines(rig).join('\n'));
      const created = rig.log.reduce(
        (sum, { msg, count }) => sum + (/created$/.test(msg) ? Number(count ?? 1) : 0),
        0,
      );
      assert.equal(created, 300, 'every server is in the sum');
      await rig.stop();
    });
  }

  test('ports written back into 60 services are a few lines', async () => {
    const rig = await openApp({
      given: info,
      prepare(each) {
        for (let i = 0; i < 60; i++) each.put(`s${i}`, '80/tcp');
      },
    });
    await rig.advance(120_000);
    assert.equal(rig.written.length, 60);
    assert.ok(rig.log.length <= 20, lines(rig).join('\n'));
    await rig.stop();
  });

  test('one edit is one line, with the service and the reason', async () => {
    const rig = await openApp({ given: info, prepare: ({ put }) => put('web', '80/tcp-:8080') });
    await rig.advance(10_000);
    rig.log.length = 0;
    rig.put('web', '80/tcp-:8081');
    await rig.advance(10_000);
    assert.deepEqual(
      rig.log.map(({ msg, service, reason, listen }) => ({ msg, service, reason, listen })),
      [{ msg: 'server replaced', service: 'web', reason: 'edited', listen: 'tcp 0.0.0.0:8081' }],
    );
    await rig.stop();
  });

  test('an hour in which nothing changes is silent, also with a port that stays busy and one that is denied', async () => {
    const rig = await openApp({
      given: info,
      prepare(each) {
        each.put('web', '80/tcp-:8080');
        each.put('taken', '80/tcp-:8081');
        each.put('low', '80/tcp-:81');
        each.balancer.fail('POST', 'port-busy', { name: '_80._tcp.taken.root.svc', times: 1e9 });
        each.balancer.fail('POST', 'denied', { name: '_80._tcp.low.root.svc', times: 1e9 });
      },
    });
    await rig.advance(60_000);
    assert.deepEqual(rig.problems(), ['port-busy taken', 'port-denied low']);
    assert.equal(rig.log.filter(({ msg }) => msg === 'GoBetween did not take a change').length, 2);
    rig.log.length = 0;
    await rig.advance(3_600_000);
    assert.deepEqual(lines(rig), []);
    await rig.stop();
  });

  test('a list that cannot be read for an hour is one line, and one when it can be read again', async () => {
    const rig = await openApp({ given: info, prepare: ({ put }) => put('web', '80/tcp-:8080') });
    await rig.advance(10_000);
    rig.log.length = 0;
    rig.balancer.fail('LIST', 'invalid', { times: 1e9 });
    await rig.advance(3_600_000);
    assert.equal(rig.log.length, 1, lines(rig).join('\n'));
    rig.balancer.heal();
    await rig.advance(60_000);
    assert.equal(rig.log.length, 2, lines(rig).join('\n'));
    assert.match(rig.log[1]?.msg ?? '', /can be read again/);
    await rig.stop();
  });

  test('a GoBetween that does not answer mends no refused server', async () => {
    const name = '_80._tcp.taken.root.svc';
    const rig = await openApp({
      given: info,
      prepare: (each) => {
        each.balancer.fail('POST', 'port-busy', { name, times: 1e9 });
        each.put('taken', '80/tcp-:2000');
      },
    });
    await rig.advance(10_000);
    assert.deepEqual(rig.problems(), ['port-busy taken']);
    rig.balancer.heal();
    rig.balancer.fail('POST', 'unreachable', { name, times: 3 });
    rig.balancer.fail('POST', 'port-busy', { name, times: 1e9 });
    await rig.advance(60_000);
    assert.ok(rig.balancer.calls.some(({ outcome }) => outcome === 'unreachable'));
    assert.equal(lines(rig).filter((line) => line.includes('mended')).length, 0, lines(rig).join('\n'));
    assert.deepEqual(rig.problems(), ['port-busy taken']);
    rig.balancer.heal();
    await rig.advance(60_000);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('an hour without GoBetween and without the agent is a few lines', async () => {
    const rig = await openApp({ given: info, prepare: (each) => fill(each, 50) });
    await rig.advance(10_000);
    rig.log.length = 0;
    rig.balancer.down(true);
    rig.source.failing.set('list', { code: 'agent-unreachable', retry: 'backoff', message: 'ECONNREFUSED' });
    await rig.advance(3_600_000);
    assert.ok(rig.log.length <= 3, lines(rig).join('\n'));
    const before = rig.log.length;
    rig.app.resync();
    await rig.advance(20_000);
    assert.equal(rig.log.length, before, 'asking again is no news');
    await rig.stop();
  });
});
