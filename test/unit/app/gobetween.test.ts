import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppRig, openApp } from '../../support/app-rig.js';

const web = '_80._tcp.web.root.svc';

function fill(rig: AppRig, count: number): void {
  for (let i = 0; i < count; i++) rig.put(`s${i}`, `80/tcp-:${2000 + i}`);
}

const some = (rig: AppRig): void => fill(rig, 30);
const lists = (rig: AppRig): number => rig.balancer.calls.filter(({ method }) => method === 'LIST').length;

describe('GoBetween', () => {
  test('that restarts gets everything back at once, by POSTs only', async () => {
    const rig = await openApp({ prepare: some });
    rig.calls();
    rig.balancer.restart();
    await rig.advance(3_000);
    assert.equal(Object.keys(rig.served()).length, 30);
    const calls = rig.calls();
    assert.equal(calls.length, 30);
    assert.ok(calls.every((call) => call.startsWith('POST')));
    await rig.stop();
  });

  test('that is away is probed with pauses of up to 5 s, swept before anything is sent, and swept again 2 s later', async () => {
    const rig = await openApp({ prepare: some });
    rig.balancer.down(true);
    await rig.advance(2_000);
    rig.put('s0', '80/tcp-:4000');
    await rig.advance(600_000);
    const before = rig.balancer.calls.length;
    rig.calls();
    rig.balancer.down(false);
    await rig.advance(10_000);
    const after = rig.balancer.calls.slice(before);
    assert.equal(after[0]?.method, 'LIST');
    assert.deepEqual(rig.calls(), ['DELETE _80._tcp.s0.root.svc', 'POST _80._tcp.s0.root.svc']);
    const swept = after.filter(({ method }) => method === 'LIST').map(({ atMs }) => atMs);
    assert.ok(Math.abs((swept[1] ?? 0) - (swept[0] ?? 0) - 2_000) < 50, swept.join(' '));
    await rig.stop();
  });

  test('that hangs for ten minutes: no pile-up, and what was given up and acts late is seen', async () => {
    const rig = await openApp({ prepare: some });
    rig.balancer.hang(true);
    const before = rig.balancer.calls.length;
    for (let i = 0; i < 30; i++) rig.put(`s${i}`, `80/tcp-:${3000 + i}`);
    await rig.advance(600_000);
    const tried = rig.balancer.calls.slice(before).filter(({ method }) => method !== 'LIST').length;
    assert.ok(tried <= 16, `${tried} requests while it hung`);
    rig.balancer.hang(false);
    await rig.advance(20_000);
    assert.deepEqual(
      Object.values(rig.served()),
      Array.from({ length: 30 }, (_, i) => `0.0.0.0:${3000 + i}`).sort(bySlot(rig)),
    );
    await rig.stop();
  });

  test('in a quiet hour is listed at the pace of --sweep, and written to not once', async () => {
    const rig = await openApp({ prepare: some });
    await rig.advance(10_000);
    rig.calls();
    const before = lists(rig);
    await rig.advance(3_600_000);
    assert.deepEqual(rig.calls(), []);
    const count = lists(rig) - before;
    assert.ok(count >= 118 && count <= 152, `${count} lists`);
    await rig.stop();
  });

  test('changed behind our back is mended; our own writes during a slow sweep are no drift', async () => {
    const rig = await openApp({ prepare: some, given: { listen: '127.0.0.1:0', sweep: '1s' } });
    rig.balancer.servers.delete('_80._tcp.s3.root.svc');
    await rig.advance(3_000);
    assert.equal(Object.keys(rig.served()).length, 30);
    rig.calls();
    for (let round = 0; round < 20; round++) {
      rig.put('s1', `80/tcp-:${5000 + round}`);
      await rig.advance(15_000);
    }
    assert.equal(rig.calls().length, 40);
    assert.deepEqual(rig.problems(), []);
    assert.equal(
      await rig.metric('gobtw_janitor_changes_total{kind="replace",reason="drift",result="applied"}'),
      0,
    );
    await rig.stop();
  });

  test('with a second writer: a server mended three times in a minute is left alone, and named', async () => {
    const rig = await openApp({
      prepare: ({ put }) => (put('web', '80/tcp-:8080'), put('api', '80/tcp-:8081')),
    });
    const spoil = (): void => {
      const body = rig.balancer.servers.get(web);
      if (body?.includes('8080') === true)
        rig.balancer.servers.set(web, body.replace('0.0.0.0:8080', '0.0.0.0:7777'));
    };
    rig.calls();
    for (let second = 0; second < 120; second++) {
      spoil();
      await rig.advance(1_000);
    }
    assert.deepEqual(rig.problems(), ['fighting web']);
    const calls = rig.calls();
    assert.equal(calls.length, 6, calls.join(', '));
    rig.put('api', '80/tcp-:8082');
    await rig.advance(3_000);
    assert.ok(Object.values(rig.served()).includes('0.0.0.0:8082'), 'the others are looked after');
    await rig.advance(600_000);
    assert.equal(rig.served()[web], '0.0.0.0:8080', 'tried again when the other has stopped');
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });
});

/** The order in which `served` shows them: by name. */
function bySlot(rig: AppRig): (a: string, b: string) => number {
  const order = Object.values(rig.served());
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
