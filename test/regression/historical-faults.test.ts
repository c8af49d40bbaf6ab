/**
 * The 15 faults of the historical janitor (a Python script of 2018), each as a test that fails where the fault returns. The
 * number is the fault's; what the script did stands in the first line of each. Whole program, in virtual time.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFrameSplitter } from '../../src/source/frames.js';
import { type AppRig, openApp } from '../support/app-rig.js';

const web80 = '_80._tcp.web.root.svc';

async function withApp(
  prepare: (rig: AppRig) => void,
  play: (rig: AppRig) => Promise<void>,
  given: Readonly<Record<string, string>> = {},
): Promise<void> {
  const rig = await openApp({ prepare, given });
  try {
    await play(rig);
  } finally {
    await rig.stop();
  }
}

/** Announced by the agent, then out of its list. */
async function remove(rig: AppRig, path: string): Promise<void> {
  rig.source.handlers?.onDeleting((path.includes('/') ? path : `root/svc/${path}`) as never);
  rig.source.remove(path);
  await rig.advance(60_000);
}

describe('faults of the historical janitor', () => {
  test('fault 1: a new service is served although its event comes before any fresh status', () =>
    // It handled `add` before it refreshed the status that it needed.
    withApp(
      () => undefined,
      async (rig) => {
        rig.put('web', '80/tcp-:1080');
        await rig.advance(5_000);
        assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
      },
    ));

  test('fault 2: a service that is created anew loses the servers of its former life', () =>
    // Its code for `add` never pruned old servers, only that for `update` did.
    withApp(
      (rig) => rig.put('web', '80/tcp-:1080 443/tcp-:1443'),
      async (rig) => {
        rig.source.remove('web', { quiet: true });
        rig.put('web', '80/tcp-:1080');
        await rig.advance(20_000);
        assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
      },
    ));

  test('fault 3: deleting web does not delete web2, nor the web of another namespace', () =>
    // It matched `_[0-9]+_web` unanchored and unescaped.
    withApp(
      (rig) => {
        for (const path of ['web', 'web2', 'ns1/svc/web', 'w.b']) rig.put(path, '80/tcp');
      },
      async (rig) => {
        const { [web80]: gone, ...rest } = rig.served();
        assert.ok(gone !== undefined);
        assert.equal(Object.keys(rest).length, 3);
        await remove(rig, 'web');
        assert.deepEqual(rig.served(), rest);
      },
    ));

  test('fault 4: the port that 80/tcp is given is not written into 8080/tcp', () =>
    // It looked for the text `80/tcp`, which `8080/tcp` contains.
    withApp(
      (rig) => rig.put('web', '8080/tcp-:1500 80/tcp'),
      async (rig) => {
        await rig.advance(20_000);
        const { [web80]: bind } = rig.served();
        assert.equal(rig.bindOf('web'), `8080/tcp-:1500 80/tcp-${bind}`);
      },
    ));

  test('fault 5: 53/tcp and 53/udp, and equal names in two namespaces, have servers of their own', () =>
    // Its names were `_<port>_<service>`: no protocol, no namespace.
    withApp(
      (rig) => {
        rig.put('dns', '53/tcp-:1053 53/udp-:1053');
        rig.put('ns1/svc/dns', '53/tcp-:2053');
      },
      async (rig) => {
        assert.deepEqual(rig.served(), {
          '_53._tcp.dns.ns1.svc': '0.0.0.0:2053',
          '_53._tcp.dns.root.svc': '0.0.0.0:1053',
          '_53._udp.dns.root.svc': '0.0.0.0:1053',
        });
      },
    ));

  test('fault 6: tcp beside udp, and one address beside another, are no conflict', () =>
    // Its used ports knew neither protocol nor address.
    withApp(
      (rig) => {
        rig.put('a', '80/tcp-127.0.0.1:1080');
        rig.put('b', '80/tcp-127.0.0.2:1080');
        rig.put('c', '80/udp-127.0.0.1:1080');
      },
      async (rig) => {
        assert.equal(Object.keys(rig.served()).length, 3);
        assert.deepEqual(rig.problems(), []);
      },
    ));

  test('fault 7: an explicit port that is taken is neither moved nor written back', () =>
    // It took another port and rewrote the user's text, so that two gateways chased each other.
    withApp(
      (rig) => rig.put('first', '80/tcp-:1080'),
      async (rig) => {
        rig.put('second', '80/tcp-:1080');
        await rig.advance(60_000);
        assert.deepEqual(rig.served(), { '_80._tcp.first.root.svc': '0.0.0.0:1080' });
        assert.equal(rig.bindOf('second'), '80/tcp-:1080');
        assert.deepEqual(rig.written, []);
        assert.deepEqual(rig.problems(), ['port-conflict second']);
      },
    ));

  test('fault 8: fields that GoBetween adds to its answer cost no call', () =>
    // It compared field by field, and `healthcheck.initial_status` made every event a DELETE and a POST.
    withApp(
      (rig) => rig.put('web', '80/tcp-:1080'),
      async (rig) => {
        const body = JSON.parse(rig.balancer.servers.get(web80) ?? '') as { healthcheck: object };
        const shown = {
          ...body,
          healthcheck: { ...body.healthcheck, initial_status: null, new_in_v9: 1 },
          novelty: {},
        };
        rig.balancer.servers.set(web80, JSON.stringify(shown));
        rig.calls();
        await rig.restart();
        rig.put('web', '80/tcp-:1080', { balance: 'weight' });
        await rig.advance(120_000);
        assert.deepEqual(rig.calls(), []);
      },
    ));

  test('fault 9: a wish that GoBetween would refuse deletes nothing', () =>
    // It deleted first and found the error afterwards.
    withApp(
      (rig) => rig.put('web', '80/tcp-:1080 443/tcp-:1443'),
      async (rig) => {
        const before = rig.served();
        rig.calls();
        rig.put('web', '80/tcp-:1080 443/tcp-:1443', { balance: 'fairest' });
        await rig.advance(60_000);
        assert.deepEqual(rig.served(), before);
        assert.deepEqual(rig.calls(), []);
        assert.deepEqual(rig.problems(), ['bad-keyword web']);
      },
    ));

  test('fault 10: a start with many services reads each config once and lists GoBetween a few times', () =>
    // It asked for each config three times per word, and for all servers once per server.
    withApp(
      (rig) => {
        for (let i = 0; i < 100; i++) rig.put(`s${i}`, '80/tcp 443/tcp');
      },
      async (rig) => {
        await rig.advance(1_000);
        assert.equal(Object.keys(rig.served()).length, 200);
        assert.equal(rig.source.requests.filter((request) => request.startsWith('raw ')).length, 100);
        const lists = rig.balancer.calls.filter(({ method }) => method === 'LIST').length;
        assert.ok(lists <= 4, `${lists} lists`);
      },
      { 'write-back': 'off' }, // a write is preceded by a fresh read
    ));

  test('fault 11: a write-back that takes long delays no other service', () =>
    // It slept a second in the path of the events, after each write.
    withApp(
      () => undefined,
      async (rig) => {
        for (let i = 0; i < 20; i++) rig.put(`slow${i}`, '80/tcp');
        rig.put('web', '80/tcp-:1080');
        await rig.advance(300);
        assert.equal(rig.served()[web80], '0.0.0.0:1080');
        assert.ok(rig.written.length < 20, 'every write was over: nothing is proven');
      },
    ));

  test('fault 12: a message that comes in pieces is whole, and one that is cut is never taken for whole', () => {
    // It decoded what had come when a read timed out.
    const frames: string[] = [];
    const splitter = createFrameSplitter((run) => void frames.push(run.toString()));
    const message = Buffer.from('{"kind": "patch", "id": 1}\0{"kind": "pa');
    for (const byte of message) splitter.push(Buffer.of(byte));
    assert.deepEqual(frames, ['{"kind": "patch", "id": 1}\0']);
  });

  test('fault 13: what happened while the connection was lost is made up for', () =>
    // Events of a lost connection were never replayed, so missed deletions lived for ever.
    withApp(
      (rig) => {
        rig.put('web', '80/tcp-:1080');
        rig.put('api', '80/tcp-:1081');
      },
      async (rig) => {
        rig.source.remove('api', { quiet: true });
        rig.source.put('late', { igw_gobtw_bind: '80/tcp-:1082' }, { quiet: true });
        await rig.advance(20_000);
        assert.equal(rig.served()['_80._tcp.late.root.svc'], '0.0.0.0:1082');
        await rig.advance(400_000);
        assert.deepEqual(Object.keys(rig.served()).sort(), ['_80._tcp.late.root.svc', web80]);
      },
    ));

  test('fault 14: an agent that fails is said, and what was wanted meanwhile is done later', () =>
    // A catch-all printed a trace and went on.
    withApp(
      (rig) => rig.put('web', '80/tcp-:1080'),
      async (rig) => {
        rig.source.failing.set('config', { code: 'agent-error', retry: 'backoff', message: 'KeyError' });
        rig.put('web', '80/tcp-:1090');
        await rig.advance(10_000);
        assert.deepEqual(rig.problems(), ['config-unreadable web']);
        assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
        rig.source.failing.clear();
        await rig.advance(60_000);
        assert.deepEqual(rig.problems(), []);
        assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1090' });
      },
    ));

  test('fault 15: a service that vanished while the janitor was down loses its servers, after the grace', () =>
    // Its start only added servers.
    withApp(
      (rig) => {
        rig.put('web', '80/tcp-:1080');
        rig.put('api', '80/tcp-:1081');
      },
      async (rig) => {
        rig.source.remove('api', { quiet: true });
        await rig.restart();
        await rig.advance(60_000);
        assert.equal(Object.keys(rig.served()).length, 2);
        await rig.advance(600_000);
        assert.deepEqual(rig.served(), { [web80]: '0.0.0.0:1080' });
      },
    ));
});
