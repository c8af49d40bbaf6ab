import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChangeReason } from '../../../src/plan/change.js';
import { desire, observedFake } from '../../support/fake-balancer.js';
import { type Rig, changeTo, createRig } from '../../support/gobetween-rig.js';

const at = (rig: Rig, method: string): number[] =>
  rig.balancer.calls.filter((call) => call.method === method).map(({ atMs }) => atMs);

const many = (count: number, version = 1) =>
  Array.from({ length: count }, (_, i) => desire(`n${i}`, `0.0.0.0:${1024 + i}`, version));

function wishFor(rig: Rig, reason: ChangeReason, count: number, version: number): void {
  rig.applier.submit(many(count, version).map((desired) => changeTo(rig.ledger, desired, reason)));
}

describe('rates', () => {
  test('creates keep to --rate', async () => {
    const rig = createRig({ limits: { rate: 100 } });
    rig.wish(...many(300));
    await rig.clock.advance(1000);
    const posts = at(rig, 'POST').length;
    assert.ok(posts >= 100 && posts <= 112, `${posts} in the first second`);
    await rig.clock.advance(2000);
    assert.equal(rig.balancer.servers.size, 300);
  });

  test('replacements go 100 at once, then at --replace-rate; creates do not wait for them', async () => {
    const rig = createRig({ limits: { replaceRate: 50 } });
    rig.have(...many(300));
    rig.wish(...many(300, 2), desire('fresh', '0.0.0.0:80'));
    await rig.clock.advance(50);
    assert.ok(rig.balancer.servers.has('fresh'));
    const first = at(rig, 'DELETE').length;
    assert.ok(first >= 100 && first <= 104, `${first} at once`);
    await rig.clock.advance(1000);
    const second = at(rig, 'DELETE').length - first;
    assert.ok(second >= 48 && second <= 52, `${second} in the next second`);
    await rig.clock.advance(4000);
    assert.equal(at(rig, 'DELETE').length, 300);
  });

  test('a server unchanged for 10 s goes before one that keeps changing', async () => {
    const rig = createRig({ limits: { replaceRate: 1 } });
    rig.have(...many(103));
    rig.wish(...many(102, 2)); // the burst is spent, two wait
    await rig.clock.advance(3000);
    const before = rig.writes().length;
    rig.wish(desire('n0', '0.0.0.0:1024', 3), desire('n1', '0.0.0.0:1025', 3));
    rig.wish(desire('n102', `0.0.0.0:${1024 + 102}`, 2));
    await rig.clock.advance(1100);
    assert.deepEqual(rig.writes().slice(before, before + 2), ['DELETE n102', 'POST n102']);
  });

  test('a delete that somebody waits for goes before other deletes', async () => {
    const rig = createRig({ limits: { replaceRate: 10, concurrency: 1 } });
    rig.have(...many(200));
    rig.unwish(...many(200).map(({ name }) => name));
    rig.wish(desire('waiting', '0.0.0.0:1223'));
    await rig.clock.advance(5);
    assert.deepEqual(rig.writes().slice(0, 2), ['DELETE n199', 'POST waiting']);
  });
});

describe('mass replacement for one cause', () => {
  test('goes at a tenth of the replace rate, is told once, and named while it lasts', async () => {
    const rig = createRig({ limits: { replaceRate: 50 } });
    rig.have(...many(200));
    for (let from = 0; from < 200; from += 50)
      rig.applier.submit(
        many(200, 2)
          .slice(from, from + 50)
          .map((desired) => changeTo(rig.ledger, desired, 'dns')),
      );
    await rig.clock.advance(10_000);
    const done = at(rig, 'DELETE').length;
    assert.ok(done >= 55 && done <= 65, `${done} in ten seconds`);
    assert.equal(rig.told.filter((line) => line.startsWith('paced')).length, 1);
    assert.deepEqual(rig.applier.waves(), [{ cause: 'dns', count: 200 }]);
    await rig.clock.advance(60_000);
    assert.equal(at(rig, 'DELETE').length, 200);
    assert.deepEqual(rig.applier.waves(), []);
  });

  test('each service editing its own is no mass replacement, and 20 are not many', async () => {
    const rig = createRig({ limits: { replaceRate: 50 } });
    rig.have(...many(100));
    wishFor(rig, 'edited', 60, 2);
    await rig.clock.advance(100);
    assert.equal(at(rig, 'DELETE').length, 60);
    await rig.clock.advance(20_000);
    wishFor(rig, 'setting', 20, 3);
    await rig.clock.advance(100);
    assert.equal(at(rig, 'DELETE').length, 80);
    assert.deepEqual(
      rig.told.filter((line) => line.startsWith('paced')),
      [],
    );
  });

  test('a paced wave does not hold back an edit', async () => {
    const rig = createRig({ limits: { replaceRate: 50 } });
    rig.have(...many(300), desire('own', '0.0.0.0:80'));
    wishFor(rig, 'setting', 300, 2);
    await rig.clock.advance(15_000);
    rig.wish(desire('own', '0.0.0.0:80', 2));
    await rig.clock.advance(100);
    assert.equal(rig.balancer.servers.get('own'), desire('own', '0.0.0.0:80', 2).body);
  });
});

describe('changes of one server are kept apart', () => {
  test('0.2 s after the first, then 0.4, 0.8 … 5 s; forgotten after 10 s', async () => {
    const rig = createRig({ latencyMs: 0 });
    rig.have(desire('a', '0.0.0.0:80'));
    for (let version = 2; version < 2000; version++) {
      rig.wish(desire('a', '0.0.0.0:80', version));
      await rig.clock.advance(10);
    }
    const deletes = at(rig, 'DELETE');
    const gaps = deletes.slice(1).map((ms, i) => Math.round((ms - (deletes[i] ?? 0)) / 100) / 10);
    assert.deepEqual(gaps.slice(0, 7), [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]);
    assert.equal(rig.told.filter((line) => line === 'held a flapping').length, 1, 'told once');
    assert.equal(rig.told.includes('calmed a'), false);
    await rig.clock.advance(16_000);
    assert.equal(rig.told.filter((line) => line === 'calmed a').length, 1);
    const before = rig.balancer.calls.length;
    rig.wish(desire('a', '0.0.0.0:80', 5000));
    await rig.clock.advance(10);
    assert.equal(rig.balancer.calls.length, before + 2, 'a change after 10 s waits for nothing');
  });

  test('one that is changed there and back flaps all the time, and is told once', async () => {
    const rig = createRig({ latencyMs: 0 });
    rig.have(desire('a', '0.0.0.0:80'));
    for (let version = 0; version < 400; version++) {
      rig.wish(desire('a', '0.0.0.0:80', 2 + (version % 4)));
      await rig.clock.advance(10);
    }
    const flapping = rig.told.filter((line) => /flapping|calmed/.test(line));
    assert.deepEqual(flapping, ['held a flapping']);
    await rig.clock.advance(20_000);
    assert.deepEqual(
      rig.told.filter((line) => /flapping|calmed/.test(line)),
      ['held a flapping', 'calmed a'],
    );
  });

  test('its creation does not count', async () => {
    const rig = createRig();
    rig.wish(desire('a', '0.0.0.0:80'));
    await rig.clock.advance(5);
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(10);
    assert.deepEqual(rig.writes(), ['POST a', 'DELETE a', 'POST a']);
  });

  test('added and removed again and again is kept apart too', async () => {
    const rig = createRig();
    for (let i = 0; i < 100; i++) {
      rig.wish(desire('a', '0.0.0.0:80'));
      await rig.clock.advance(20);
      rig.unwish('a');
      await rig.clock.advance(20);
    }
    assert.ok(at(rig, 'DELETE').length <= 6, `${at(rig, 'DELETE').length} deletes in 4 s`);
  });
});

describe('a DELETE', () => {
  const limits = { quietWaitMs: 5000 };

  test('waits for one answer without bytes, then goes', async () => {
    const rig = createRig({ limits });
    rig.have(desire('a', '0.0.0.0:80'));
    rig.balancer.traffic.set('a', 100);
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(2500);
    assert.deepEqual(rig.writes(), []);
    assert.deepEqual(rig.told, ['held a quiet']);
    rig.balancer.traffic.delete('a');
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST a']);
  });

  test('waits no longer than --quiet-wait', async () => {
    const rig = createRig({ limits });
    rig.have(desire('a', '0.0.0.0:80'));
    rig.balancer.traffic.set('a', 100);
    rig.unwish('a');
    await rig.clock.advance(4900);
    assert.deepEqual(rig.writes(), []);
    await rig.clock.advance(200);
    assert.deepEqual(rig.writes(), ['DELETE a']);
  });

  test('does not wait when another service waits for its port, also when that comes later', async () => {
    const rig = createRig({ limits });
    rig.have(desire('a', '0.0.0.0:80'));
    rig.balancer.traffic.set('a', 100);
    rig.unwish('a');
    await rig.clock.advance(1500);
    rig.wish(desire('b', '0.0.0.0:80'));
    await rig.clock.advance(20);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST b']);
  });

  test('busy servers do not keep others from their turn', async () => {
    const rig = createRig({ limits: { ...limits, concurrency: 2 } });
    rig.have(...many(20), desire('calm', '0.0.0.0:80'));
    for (const { name } of many(20)) rig.balancer.traffic.set(name, 1);
    rig.unwish(...many(20).map(({ name }) => name), 'calm');
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), ['DELETE calm']);
  });

  test('of a udp server counts its age from when it was first seen, where its POST went unanswered', async () => {
    const rig = createRig({ latencyMs: 0, reqTimeoutMs: 100 });
    const seen = desire('a', 'udp:0.0.0.0:53');
    rig.balancer.fail('POST', 'timeout', { acts: true });
    rig.wish(seen);
    await rig.clock.advance(110);
    const listed = observedFake('a', JSON.parse(seen.body) as Parameters<typeof observedFake>[1]);
    rig.ledger.replaceAll([listed], rig.ledger.mark());
    const seenAtMs = rig.clock.now();
    rig.unwish('a');
    await rig.clock.advance(5000);
    const gone = rig.balancer.calls.find(({ method }) => method === 'DELETE');
    assert.ok((gone?.atMs ?? 0) >= seenAtMs + 300, `deleted ${(gone?.atMs ?? 0) - seenAtMs} ms later`);
  });

  test('of a udp server waits until it is 300 ms old, whoever waits for its port', async () => {
    const rig = createRig();
    rig.wish(desire('a', 'udp:0.0.0.0:53'), desire('t', '0.0.0.0:53'));
    await rig.clock.advance(5);
    rig.unwish('a', 't');
    rig.wish(desire('b', 'udp:0.0.0.0:53'));
    await rig.clock.advance(280);
    assert.deepEqual(rig.writes(), ['POST a', 'POST t', 'DELETE t']);
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes().slice(3), ['DELETE a', 'POST b']);
    const [posted = 0] = at(rig, 'POST');
    assert.ok((at(rig, 'DELETE').at(-1) ?? 0) - posted >= 300);
  });
});
