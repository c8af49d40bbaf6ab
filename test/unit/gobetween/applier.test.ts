import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { desire } from '../../support/fake-balancer.js';
import { createRig } from '../../support/gobetween-rig.js';

describe('what is wanted comes to be', () => {
  test('create, edit and remove', async () => {
    const rig = createRig();
    rig.wish(desire('a', '0.0.0.0:80'));
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), ['POST a']);
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(300);
    assert.deepEqual(rig.writes().slice(1), ['DELETE a', 'POST a']);
    assert.equal(rig.balancer.servers.get('a'), desire('a', '0.0.0.0:80', 2).body);
    rig.unwish('a');
    await rig.clock.advance(1000);
    assert.equal(rig.balancer.servers.size, 0);
    assert.deepEqual(
      rig.told.filter((line) => !line.startsWith('held')),
      ['create a new', 'replace a edited', 'delete a word-removed'],
    );
    assert.equal(rig.applier.pending(), 0);
  });

  test('what is there already costs no call', async () => {
    const rig = createRig();
    rig.have(desire('a', '0.0.0.0:80'));
    rig.wish(desire('a', '0.0.0.0:80'));
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), []);
    assert.equal(rig.applier.pending(), 0);
  });

  test('a change and its reversal before the ticket runs cost no call', async () => {
    const rig = createRig();
    rig.have(desire('a', '0.0.0.0:80'));
    rig.wish(desire('a', '0.0.0.0:80', 2));
    rig.wish(desire('a', '0.0.0.0:80', 1));
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), []);
    assert.deepEqual(rig.told, ['superseded 1']);
  });

  test('ten wishes while the first POST is in flight: the newest wins, the others cost nothing', async () => {
    const rig = createRig({ latencyMs: 50 });
    rig.wish(desire('a', '0.0.0.0:80', 1));
    await rig.clock.advance(10);
    for (let version = 2; version <= 11; version++) rig.wish(desire('a', '0.0.0.0:80', version));
    await rig.clock.advance(2000);
    assert.deepEqual(rig.writes(), ['POST a', 'DELETE a', 'POST a']);
    assert.equal(rig.balancer.servers.get('a'), desire('a', '0.0.0.0:80', 11).body);
  });

  test('the wish that comes between DELETE and POST is the one that is posted', async () => {
    const rig = createRig({ latencyMs: 50 });
    rig.have(desire('a', '0.0.0.0:80', 1));
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(20);
    rig.wish(desire('a', '0.0.0.0:80', 3));
    await rig.clock.advance(200);
    assert.deepEqual(
      rig.balancer.calls.map(({ method, body }) => `${method} ${body}`),
      ['DELETE ', `POST ${desire('a', '0.0.0.0:80', 3).body}`],
    );
  });

  test('a removal that comes between DELETE and POST ends it', async () => {
    const rig = createRig({ latencyMs: 50 });
    rig.have(desire('a', '0.0.0.0:80', 1));
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(20);
    rig.unwish('a');
    await rig.clock.advance(500);
    assert.deepEqual(rig.writes(), ['DELETE a']);
    assert.deepEqual(rig.told.at(-1), 'delete a word-removed');
  });

  test('a cancel between DELETE and POST puts back what was there', async () => {
    const rig = createRig({ latencyMs: 50 });
    const former = desire('a', '0.0.0.0:80', 1);
    rig.have(former);
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(20);
    rig.applier.cancel(former.name);
    await rig.clock.advance(500);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST a']);
    assert.equal(rig.balancer.servers.get('a'), former.body);
    assert.equal(rig.ledger.state(former.name).applied, former.digest);
  });

  for (const owed of [true, false]) {
    test(`what is put back is known, and its service planned anew: ${owed ? 'still' : 'not any more'} owed`, async () => {
      const outrun: string[] = [];
      const rig = createRig({ latencyMs: 50, on: { outrun: (name) => outrun.push(name) } });
      const former = desire('a', '0.0.0.0:80', 1);
      rig.have(former);
      rig.wish(desire('a', '0.0.0.0:80', 2));
      await rig.clock.advance(20);
      rig.applier.cancel(former.name);
      await rig.clock.advance(50);
      assert.deepEqual(outrun, [former.name], 'the DELETE; the POST is under way');
      if (!owed) rig.ledger.unowe(former.name);
      await rig.clock.advance(500);
      assert.equal(rig.ledger.state(former.name).observed?.digest, former.digest);
      assert.deepEqual(outrun, [former.name, former.name]);
    });
  }

  test('at most `concurrency` requests are in flight, and 2,000 creates all come to be', async () => {
    const rig = createRig({ latencyMs: 5, limits: { concurrency: 4 } });
    rig.wish(...Array.from({ length: 2000 }, (_, i) => desire(`n${i}`, `0.0.0.0:${1024 + i}`)));
    await rig.clock.advance(10);
    assert.ok(rig.balancer.calls.length <= 8, `${rig.balancer.calls.length} calls`);
    await rig.clock.advance(3000);
    assert.equal(rig.balancer.servers.size, 2000);
    assert.equal(rig.writes().length, 2000);
  });
});

describe('ports', () => {
  test('a port goes from one service to another: the delete first, then the create, no busy answer', async () => {
    const rig = createRig();
    rig.have(desire('a', '0.0.0.0:80'));
    rig.wish(desire('b', '127.0.0.1:80'));
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), []);
    assert.deepEqual(rig.told, ['held b port']);
    rig.unwish('a');
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), ['DELETE a', 'POST b']);
    assert.equal(rig.balancer.busy(), 0);
  });

  test('two services swap their ports with two deletes and two creates', async () => {
    const rig = createRig();
    rig.have(desire('a', '0.0.0.0:80'), desire('b', '0.0.0.0:81'));
    rig.wish(desire('a', '0.0.0.0:81'), desire('b', '0.0.0.0:80'));
    await rig.clock.advance(100);
    assert.equal(rig.writes().length, 4);
    assert.equal(rig.balancer.busy(), 0);
    assert.equal(rig.balancer.servers.get('a'), desire('a', '0.0.0.0:81').body);
    assert.equal(rig.balancer.servers.get('b'), desire('b', '0.0.0.0:80').body);
  });

  test('a move to a port that somebody keeps goes on serving where it is', async () => {
    const rig = createRig();
    rig.have(desire('a', '0.0.0.0:80'), desire('b', '0.0.0.0:81'));
    rig.wish(desire('a', '0.0.0.0:81'));
    await rig.clock.advance(5000);
    assert.deepEqual(rig.writes(), []);
    rig.unwish('b');
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), ['DELETE b', 'DELETE a', 'POST a']);
  });

  test('tcp and udp have their own ports, and so do two addresses', async () => {
    const rig = createRig();
    rig.wish(desire('a', '127.0.0.1:80'), desire('b', '127.0.0.2:80'), desire('c', 'udp:0.0.0.0:80'));
    await rig.clock.advance(100);
    assert.equal(rig.balancer.servers.size, 3);
    assert.equal(rig.balancer.busy(), 0);
  });

  test('a foreign server keeps its port, and is never deleted', async () => {
    const rig = createRig();
    rig.balancer.servers.set('foreign', desire('foreign', '0.0.0.0:80').body);
    rig.have();
    rig.wish(desire('a', '0.0.0.0:80'));
    rig.unwish('foreign');
    rig.wish(desire('foreign', '0.0.0.0:80', 2));
    await rig.clock.advance(60_000);
    assert.deepEqual(rig.writes(), []);
    assert.deepEqual(
      rig.told.filter((line) => line.startsWith('failed')),
      ['failed foreign forbidden', 'failed foreign forbidden'],
    );
    rig.balancer.servers.delete('foreign');
    rig.have();
    await rig.clock.advance(100);
    assert.deepEqual(rig.writes(), ['POST a']);
  });

  test('a port that is slow to close after our DELETE is tried again in place', async () => {
    const rig = createRig({ closeLagMs: 11 });
    rig.have(desire('a', '0.0.0.0:80'));
    rig.wish(desire('a', '0.0.0.0:80', 2));
    await rig.clock.advance(100);
    assert.equal(rig.writes().at(-1), 'POST a');
    assert.ok(rig.balancer.busy() > 0);
    assert.deepEqual(rig.told, ['replace a edited']);
  });

  test('a port busy for another reason is told, and tried every 2 s', async () => {
    const rig = createRig();
    rig.balancer.fail('POST', 'port-busy', { times: 3 });
    rig.wish(desire('a', '0.0.0.0:80'));
    await rig.clock.advance(10_000);
    const times = rig.balancer.calls.map(({ atMs }) => atMs);
    assert.deepEqual(
      times.slice(1).map((ms, i) => ms - (times[i] ?? 0)),
      [2001, 2001, 2001], // and 1 ms for each answer
    );
    assert.equal(rig.told.at(-1), 'create a new');
  });
});
