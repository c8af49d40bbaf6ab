import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { desire } from '../../support/fake-balancer.js';
import { changeTo, createRig } from '../../support/gobetween-rig.js';

const one = desire('a', '0.0.0.0:80', 1);
const two = desire('a', '0.0.0.0:80', 2);

describe('refusals', () => {
  test('a replacement that GoBetween refuses puts back what was there, and is not tried again', async () => {
    for (const outcome of ['invalid', 'file-error'] as const) {
      const rig = createRig();
      rig.have(one);
      rig.balancer.fail('POST', outcome);
      rig.wish(two);
      await rig.clock.advance(120_000);
      assert.deepEqual(rig.writes(), ['DELETE a', `POST a ${outcome}`, 'POST a']);
      assert.equal(rig.balancer.servers.get('a'), one.body);
      assert.deepEqual(rig.told, [`failed a ${outcome} restored`]);
      assert.equal(rig.ledger.state(one.name).applied, one.digest);
      rig.wish(two);
      await rig.clock.advance(10_000);
      assert.equal(rig.writes().length, 3, 'the same wish again changes nothing');
      rig.wish(desire('a', '0.0.0.0:80', 3));
      await rig.clock.advance(10_000);
      assert.equal(rig.balancer.servers.get('a'), desire('a', '0.0.0.0:80', 3).body);
    }
  });

  test('a refused one that serves its former port makes room for who needs it', async () => {
    const rig = createRig();
    rig.have(one);
    rig.balancer.fail('POST', 'invalid');
    rig.wish(desire('a', '0.0.0.0:81'));
    await rig.clock.advance(1000);
    assert.equal(rig.balancer.servers.get('a'), one.body);
    rig.wish(desire('b', '0.0.0.0:80'));
    await rig.clock.advance(5000);
    assert.deepEqual([...rig.balancer.servers.keys()], ['b']);
  });

  test('each outcome has its pace', async () => {
    const expected = [
      ['invalid', []],
      ['denied', [30_000, 30_000]],
      ['file-error', [30_000, 30_000]],
      ['no-address', [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]],
      ['no-files', [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]],
    ] as const;
    for (const [outcome, pauses] of expected) {
      const rig = createRig({ latencyMs: 0 });
      rig.balancer.fail('POST', outcome, { times: 1000 });
      rig.wish(one);
      await rig.clock.advance(75_000);
      const times = rig.balancer.calls.map(({ atMs }) => atMs);
      assert.deepEqual(
        times.slice(1, pauses.length + 1).map((ms, i) => ms - (times[i] ?? 0)),
        [...pauses],
        outcome,
      );
      if (pauses.length === 0) assert.equal(times.length, 1);
    }
  });

  test('a new wish does not wait for the pause of the old one', async () => {
    const rig = createRig();
    rig.balancer.fail('POST', 'denied');
    rig.wish(one);
    await rig.clock.advance(100);
    rig.wish(desire('a', '0.0.0.0:8080'));
    await rig.clock.advance(10);
    assert.equal(rig.balancer.servers.size, 1);
  });

  test('what was told is told to be over: when it works, and when nobody wants it any more', async () => {
    const rig = createRig();
    rig.balancer.fail('POST', 'no-address', { name: 'a' });
    rig.balancer.fail('POST', 'denied', { name: 'b', times: 100 });
    rig.wish(one, desire('b', '0.0.0.0:81'));
    await rig.clock.advance(5000);
    rig.unwish('b');
    await rig.clock.advance(5000);
    const expected = ['failed a no-address', 'failed b denied', 'cleared a', 'create a new', 'cleared b'];
    assert.deepEqual(
      rig.told.filter((line) => !line.startsWith('superseded')),
      expected,
    );
  });

  test('a failing service delays no other', async () => {
    const rig = createRig({ limits: { concurrency: 1 } });
    rig.balancer.fail('POST', 'no-files', { name: 'a', times: 1000 });
    rig.wish(one, desire('b', '0.0.0.0:81'));
    await rig.clock.advance(10);
    assert.ok(rig.balancer.servers.has('b'));
  });
});

describe('lost answers', () => {
  test('a POST that acted although its answer was lost is found to be there: no second POST', async () => {
    const rig = createRig();
    rig.balancer.fail('POST', 'timeout', { acts: true });
    rig.wish(one);
    await rig.clock.advance(10_000);
    assert.deepEqual(
      rig.balancer.calls.map(({ method, outcome }) => `${method} ${outcome}`),
      ['POST timeout', 'GET ok'],
    );
    assert.deepEqual(rig.told, ['failed a timeout', 'cleared a', 'create a new']);
    assert.equal(rig.applier.pending(), 0);
    assert.equal(rig.ledger.state(one.name).applied, one.digest);
  });

  test('`exists` with our own content is a success, with another it is told and replaced', async () => {
    const rig = createRig();
    rig.balancer.servers.set('a', one.body);
    rig.wish(one);
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['POST a exists']);
    assert.deepEqual(rig.told, ['create a new']);

    const other = createRig();
    other.balancer.servers.set('a', two.body);
    other.wish(one);
    await other.clock.advance(1000);
    assert.deepEqual(other.writes(), ['POST a exists', 'DELETE a', 'POST a']);
    assert.equal(other.balancer.servers.get('a'), one.body);
    assert.equal(other.told[0], 'failed a exists');
  });

  test('a look that GoBetween does not take is repeated at the pace of a failure', async () => {
    const rig = createRig();
    rig.balancer.fail('POST', 'timeout');
    rig.balancer.fail('GET', 'invalid', { times: 1_000_000 });
    rig.wish(one);
    await rig.clock.advance(10_000);
    const looks = rig.balancer.calls.filter(({ method }) => method === 'GET').length;
    assert.ok(looks > 1 && looks < 50, `${looks} looks in 10 s`);
    rig.balancer.heal();
    await rig.clock.advance(60_000);
    assert.equal(rig.balancer.servers.get('a'), one.body);
  });

  test('a DELETE without an answer is looked at before anything is posted', async () => {
    for (const acts of [true, false]) {
      const rig = createRig({ reqTimeoutMs: 100 });
      rig.have(one);
      rig.balancer.fail('DELETE', 'timeout', { acts });
      rig.wish(two);
      await rig.clock.advance(1500);
      const methods = rig.balancer.calls.map(({ method }) => method);
      assert.deepEqual(methods, acts ? ['DELETE', 'GET', 'POST'] : ['DELETE', 'GET', 'DELETE', 'POST']);
      assert.equal(rig.balancer.servers.get('a'), two.body);
    }
  });

  test('after unanswered requests the outcome is looked at once more, for they may act late', async () => {
    const rig = createRig({ reqTimeoutMs: 100 });
    rig.have(one);
    rig.balancer.fail('DELETE', 'timeout');
    rig.wish(two);
    await rig.clock.advance(1500);
    assert.equal(rig.balancer.servers.get('a'), two.body);
    rig.balancer.servers.delete('a'); // the abandoned DELETE acts
    await rig.clock.advance(2500);
    assert.equal(rig.told.at(-1), 'drifted a');
    assert.deepEqual(rig.ledger.state(one.name), { observed: null, applied: two.digest, inFlight: false });
  });

  test('while it is not known whether a POST acted, nobody takes its port', async () => {
    const rig = createRig({ reqTimeoutMs: 100 });
    rig.balancer.fail('POST', 'timeout', { acts: true, name: 'a' });
    rig.wish(one);
    await rig.clock.advance(50);
    rig.unwish('a');
    rig.wish(desire('b', '0.0.0.0:80'));
    await rig.clock.advance(5000);
    assert.equal(rig.balancer.busy(), 0);
    assert.deepEqual([...rig.balancer.servers.keys()], ['b']);
  });
});

describe('outage', () => {
  test('three unanswered in a row pause everything; wishes are taken meanwhile; resume does the newest', async () => {
    const rig = createRig({ limits: { concurrency: 2 } });
    rig.have(desire('x', '0.0.0.0:90'));
    rig.balancer.down(true);
    rig.wish(...Array.from({ length: 50 }, (_, i) => desire(`n${i}`, `0.0.0.0:${1024 + i}`)));
    await rig.clock.advance(60_000);
    assert.ok(rig.applier.outage());
    assert.ok(rig.told.includes('outage begins'));
    assert.ok(rig.balancer.calls.length <= 5, `${rig.balancer.calls.length} calls`);
    await rig.applier.idle();
    rig.balancer.down(false);
    rig.wish(desire('n0', '0.0.0.0:1024', 7));
    rig.unwish('n1');
    rig.applier.resume('outage');
    await rig.clock.advance(1000);
    assert.equal(rig.balancer.servers.get('n0'), desire('n0', '0.0.0.0:1024', 7).body);
    assert.ok(!rig.balancer.servers.has('n1'));
    assert.equal(rig.balancer.servers.size, 50);
    assert.equal(rig.told.filter((line) => line.startsWith('outage')).length, 2);
  });

  test('an operator pause outlives an outage', async () => {
    const rig = createRig();
    rig.applier.pause();
    rig.applier.pause('outage');
    rig.wish(one);
    rig.applier.resume('outage');
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), []);
    rig.applier.resume('operator');
    await rig.clock.advance(1000);
    assert.deepEqual(rig.writes(), ['POST a']);
  });
});

describe('drift', () => {
  test('a mended server is looked at again after 2 s, and told if it changed once more', async () => {
    const rig = createRig();
    rig.have(one);
    rig.balancer.servers.set('a', two.body);
    rig.ledger.look(one.name, { ...observed(rig), digest: two.digest });
    rig.applier.submit([changeTo(rig.ledger, one, 'drift')]);
    await rig.clock.advance(1000);
    assert.equal(rig.balancer.servers.get('a'), one.body);
    rig.balancer.servers.set('a', two.body);
    await rig.clock.advance(3000);
    assert.deepEqual(rig.told, ['replace a drift', 'drifted a']);
    assert.equal(rig.ledger.state(one.name).observed?.digest, two.digest);
    assert.equal(rig.ledger.state(one.name).applied, one.digest);
  });

  test('an edited server is not looked at again', async () => {
    const rig = createRig();
    rig.have(one);
    rig.wish(two);
    await rig.clock.advance(5000);
    assert.deepEqual(
      rig.balancer.calls.filter(({ method }) => method === 'GET'),
      [],
    );
  });

  function observed(rig: ReturnType<typeof createRig>) {
    const { observed: seen } = rig.ledger.state(one.name);
    assert.ok(seen !== null);
    return seen;
  }
});
