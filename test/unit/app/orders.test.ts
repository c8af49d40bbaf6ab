/** Orders of an operator, in the whole program in virtual time: what a pause holds back, and what follows when it is over. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type AppRig, openApp } from '../../support/app-rig.js';

interface Ordered {
  readonly rig: AppRig;
  order(path: string): Promise<string>;
}

async function open(t: TestContext, prepare?: (rig: AppRig) => void): Promise<Ordered> {
  const dir = mkdtempSync(join(tmpdir(), 'igw-orders-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const control = join(dir, 'c.sock');
  const starting = openApp({
    given: { control, listen: '127.0.0.1:0', 'quiet-wait': '0', 'log-level': 'info' },
    ...(prepare === undefined ? {} : { prepare }),
  });
  const rig = await starting;
  return {
    rig,
    order: (path) =>
      new Promise((resolve, reject) => {
        const asked = request({ socketPath: control, method: 'POST', path, agent: false }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          response.on('end', () => resolve(`${response.statusCode} ${body.trim()}`));
        });
        asked.on('error', reject);
        asked.end();
      }),
  };
}

const two = (rig: AppRig): void => {
  rig.put('web', '80/tcp-0.0.0.0:5000');
  rig.put('api', '80/tcp-0.0.0.0:5001');
};

describe('a pause', () => {
  test('of one service: its edits wait, those of others do not; it ends by itself and the newest wish is served', async (t) => {
    const { rig, order } = await open(t, two);
    rig.calls();
    assert.match(await order('/v1/pause?service=web&for=60000'), /^200 .*web is paused/);
    rig.put('web', '80/tcp-0.0.0.0:5002');
    rig.put('api', '80/tcp-0.0.0.0:5003');
    await rig.advance(5_000);
    rig.put('web', '80/tcp-0.0.0.0:5004');
    await rig.advance(5_000);
    assert.deepEqual(rig.served(), {
      '_80._tcp.api.root.svc': '0.0.0.0:5003',
      '_80._tcp.web.root.svc': '0.0.0.0:5000',
    });
    const [row] = rig.app.exposure().filter(({ service }) => service === 'web');
    assert.equal(row?.state, 'pending');
    assert.match(row?.why ?? '', /to be replaced: this service is paused by an operator until/);
    await rig.advance(60_000);
    assert.equal(rig.served()['_80._tcp.web.root.svc'], '0.0.0.0:5004');
    await rig.stop();
  });

  test('of everything sends nothing, whatever comes, and shows everywhere; resume sends it', async (t) => {
    const { rig, order } = await open(t, two);
    rig.calls();
    rig.written.length = 0;
    assert.match(await order('/v1/pause?for=3600000'), /^200/);
    rig.put('web', '80/tcp-0.0.0.0:5002');
    rig.put('blog', '80/tcp');
    rig.balancer.servers.delete('_80._tcp.api.root.svc');
    await rig.advance(120_000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.written, []);
    assert.equal(await rig.metric('gobtw_janitor_pauses'), 1);
    const gateway = JSON.parse((await rig.page('/api/v1/gateway')).text) as { health: string; line: string };
    assert.equal(gateway.health, 'held');
    assert.match(gateway.line, /^everything is paused until \d{4}-/);
    assert.match(await order('/v1/resume'), /^200 .*everything goes on/);
    await rig.advance(20_000);
    assert.equal(rig.served()['_80._tcp.web.root.svc'], '0.0.0.0:5002');
    assert.equal(rig.served()['_80._tcp.api.root.svc'], '0.0.0.0:5001');
    assert.ok(rig.served()['_80._tcp.blog.root.svc'] !== undefined);
    assert.equal(rig.written.length, 1, 'the allocated port is written back');
    assert.equal(await rig.metric('gobtw_janitor_pauses'), 0);
    const lines = rig.log.map(({ msg }) => msg).filter((msg) => /paused|goes on/.test(msg));
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('of a service that is not there is refused', async (t) => {
    const { rig, order } = await open(t, two);
    assert.match(await order('/v1/pause?service=wbe&for=60000'), /^404 .*no service wbe was seen/);
    assert.match(await order('/v1/pause?service=web&for=x'), /^400/);
    assert.match(await order('/v1/resume?service=web'), /^200 .*web is not paused/);
    await rig.stop();
  });
});

test('a policy that is ordered: observe sends nothing, sync catches up; a restart forgets it', async (t) => {
  const { rig, order } = await open(t, two);
  rig.calls();
  assert.match(await order('/v1/policy?to=observe'), /^200/);
  rig.put('web', '80/tcp-0.0.0.0:5002');
  await rig.advance(10_000);
  assert.deepEqual(rig.calls(), []);
  assert.equal(await rig.metric('gobtw_janitor_policy{policy="observe"}'), 1);
  assert.match(await order('/v1/policy?to=sync'), /^200/);
  await rig.advance(10_000);
  assert.equal(rig.served()['_80._tcp.web.root.svc'], '0.0.0.0:5002');
  assert.match(await order('/v1/policy?to=none'), /^400/);
  await order('/v1/policy?to=observe');
  await rig.restart();
  assert.equal(rig.app.gateway().orders.policy, 'sync');
  await rig.stop();
});

test('confirm-deletes: what is missing from the list is gone at once', async (t) => {
  const { rig, order } = await open(t, two);
  await rig.advance(700_000);
  rig.source.services.delete('web');
  await rig.advance(20_000);
  assert.ok(rig.served()['_80._tcp.web.root.svc'] !== undefined, 'within its grace');
  assert.match(await order('/v1/confirm-deletes'), /^200 .*1 services count as gone.*web/);
  await rig.advance(20_000);
  assert.deepEqual(Object.keys(rig.served()), ['_80._tcp.api.root.svc']);
  assert.match(await order('/v1/confirm-deletes'), /^200 .*nothing was confirmed/);
  await rig.stop();
});

test('resync looks at both sides now', async (t) => {
  const { rig, order } = await open(t, two);
  rig.calls();
  rig.balancer.servers.delete('_80._tcp.api.root.svc');
  assert.match(await order('/v1/resync'), /^200/);
  await rig.advance(2_500);
  assert.equal(rig.served()['_80._tcp.api.root.svc'], '0.0.0.0:5001');
  await rig.stop();
});

test('a control socket that cannot be had is one warning, and everything else works', async (t) => {
  const rig = await openApp({ given: { control: '/proc/no/such.sock' }, prepare: two });
  assert.deepEqual(rig.problems(), ['control-unavailable']);
  assert.equal(Object.keys(rig.served()).length, 2);
  await rig.stop();
  t.diagnostic('and stops');
});
