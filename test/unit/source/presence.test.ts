import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clusterList, keyOf } from '../../support/cluster-lists.js';
import { GRACE, settled, Watcher } from '../../support/watcher.js';

const web = keyOf('web');

describe('absence (rule b)', () => {
  test('a service that is absent for the whole grace is gone, and not before', () => {
    const watcher = settled();
    watcher.watch(GRACE, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
    assert.deepEqual(watcher.presence.gone(), []);
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
    assert.deepEqual(watcher.presence.gone(), [web]);
    assert.equal(watcher.state('db'), 'present');
  });

  test('observeList names the keys whose state changed, once', () => {
    const watcher = settled();
    assert.deepEqual(watcher.presence.observeList(clusterList({ services: ['db'] }), 'n1', watcher.now), [
      web,
    ]);
    assert.deepEqual(
      watcher.presence.observeList(clusterList({ services: ['db'] }), 'n1', watcher.now + 1),
      [],
    );
    assert.deepEqual(
      watcher.presence.observeList(clusterList({ services: ['db', 'web'] }), 'n1', watcher.now + 2),
      [web],
    );
  });

  test('one list in which it is there starts the grace anew', () => {
    const watcher = settled();
    watcher.watch(GRACE - 20_000, { services: ['db'] });
    watcher.list({ services: ['web', 'db'] });
    assert.equal(watcher.state(), 'present');
    watcher.now += 10_000;
    watcher.watch(GRACE, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  test('MUST NOT lose servers because the agent does not answer: silent time does not count', () => {
    const watcher = settled();
    watcher.watch(GRACE / 2, { services: ['db'] });
    watcher.presence.unheard();
    watcher.now += 100 * GRACE;
    watcher.watch(GRACE / 2, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
    watcher.watch(20_000, { services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('a pause in which nobody looked (a stopped machine) does not count either', () => {
    const watcher = settled();
    watcher.list({ services: ['db'] });
    watcher.now += 10 * GRACE;
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  for (const status of ['init', 'rejoin', 'maintenance', 'shutting', 'upgrade', '']) {
    test(`MUST NOT lose servers while this node's monitor is "${status}"`, () => {
      const watcher = settled();
      watcher.watch(20 * GRACE, { services: ['db'], nodes: { n1: status } });
      assert.match(watcher.state(), /^held: the agent is starting or stopping/);
    });
  }

  test('absence that began while the agent was starting counts from its end', () => {
    const watcher = settled();
    watcher.watch(GRACE, { services: [], nodes: { n1: 'init' } });
    watcher.watch(GRACE, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
    watcher.watch(20_000, { services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('an unsettled moment in the middle starts the grace anew', () => {
    const watcher = settled();
    watcher.watch(GRACE - 20_000, { services: ['db'] });
    watcher.list({ services: ['db'], nodes: { n1: 'rejoin' } });
    watcher.now += 10_000;
    watcher.watch(GRACE - 20_000, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  test('MUST NOT lose servers because the agent restarted between two polls', () => {
    const watcher = settled();
    watcher.watch(GRACE - 20_000, { services: ['db'] });
    watcher.presence.restarted();
    assert.equal(watcher.state(), 'held: the agent was restarted');
    watcher.watch(GRACE - 20_000, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  test('without a name of our own nothing is deleted (identity-unknown)', () => {
    const watcher = settled();
    watcher.watch(20 * GRACE, { services: ['db'] }, null);
    assert.match(watcher.state(), /^held: .*which node it is/);
  });

  test('a status that lingers without a config is no proof', () => {
    const watcher = settled();
    watcher.watch(20 * GRACE, { services: { web: { csums: {} }, db: {} } });
    assert.match(watcher.state(), /^held: .*status/);
    watcher.watch(GRACE + 20_000, { services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });
});

describe('nodes that may hide it', () => {
  const three = { n1: 'idle', n2: 'idle', n3: 'idle' };
  const onN2 = { web: { csums: { n2: 'c' }, scope: ['n2'] }, db: {} };
  function watched(): Watcher {
    const watcher = new Watcher();
    watcher.watch(2 * GRACE, { nodes: three, services: onN2 });
    return watcher;
  }

  test('MUST NOT lose servers because a node was lost', () => {
    const watcher = watched();
    watcher.watch(50 * GRACE, {
      nodes: { n1: 'idle', n3: 'idle' },
      members: ['n1', 'n2', 'n3'],
      services: ['db'],
    });
    assert.match(watcher.state(), /^held: node n2, which may have it, is not alive/);
  });

  test('a node that left the cluster for good hides nothing', () => {
    const watcher = watched();
    watcher.watch(GRACE + 20_000, { nodes: { n1: 'idle', n3: 'idle' }, services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('only the nodes of the scope matter', () => {
    const watcher = watched();
    watcher.watch(GRACE + 20_000, {
      nodes: { n1: 'idle', n2: 'idle' },
      members: ['n1', 'n2', 'n3'],
      services: ['db'],
    });
    assert.equal(watcher.state(), 'gone: absent');
  });

  for (const status of ['maintenance', 'shutting', 'init', 'rejoin']) {
    test(`a node of the scope in ${status} may hide it`, () => {
      const watcher = watched();
      watcher.watch(20 * GRACE, { nodes: { ...three, n2: status }, services: ['db'] });
      assert.match(watcher.state(), new RegExp(`^held: node n2, which may have it, is ${status}`));
    });
  }

  test('an unknown scope means every member', () => {
    const watcher = settled([]);
    watcher.presence.seedKnown([web]);
    watcher.watch(20 * GRACE, { members: ['n1', 'n2'] });
    assert.match(watcher.state(), /^held: node n2/);
    watcher.watch(GRACE + 20_000, { nodes: { n1: 'idle', n2: 'idle' } });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('unknown members prove nothing', () => {
    const watcher = settled();
    watcher.watch(20 * GRACE, { members: [], services: ['db'] });
    assert.match(watcher.state(), /^held: the members/);
  });
});

describe('announced deletions (rule a)', () => {
  test('announced and absent: gone at once', () => {
    const watcher = settled();
    watcher.presence.announce(web, watcher.now);
    assert.equal(watcher.state(), 'present', 'the object is still there');
    watcher.now += 1000;
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'gone: announced');
  });

  test('also right after our own start, but not while the agent is starting', () => {
    const watcher = new Watcher();
    watcher.list({ services: ['web'] });
    watcher.presence.announce(web, watcher.now);
    watcher.list({ services: [], nodes: { n1: 'init' } });
    assert.match(watcher.state(), /^held/);
    watcher.list({ services: [] });
    assert.equal(watcher.state(), 'gone: announced');
  });

  test('the status in the list announces too', () => {
    const watcher = settled();
    watcher.list({ services: { web: { deleting: true }, db: {} } });
    watcher.now += 2000;
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'gone: announced');
  });

  test('an announcement that was withdrawn is forgotten', () => {
    const watcher = settled();
    watcher.presence.announce(web, watcher.now);
    watcher.watch(60_000, { services: { web: { deleting: false }, db: {} } });
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  test('without such a flag it is forgotten after ten minutes', () => {
    const watcher = settled();
    watcher.presence.announce(web, watcher.now);
    watcher.watch(620_000, { services: ['web', 'db'] });
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  test('a service that was deleted and created anew needs a new announcement', () => {
    const watcher = settled();
    watcher.presence.announce(web, watcher.now);
    watcher.list({ services: ['db'] });
    watcher.now += 1000;
    watcher.list({ services: ['web', 'db'] });
    assert.equal(watcher.state(), 'present');
    watcher.now += 1000;
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'missing');
  });

  test('an announcement of an unknown service is nothing', () => {
    const watcher = settled();
    watcher.presence.announce(keyOf('other'), watcher.now);
    watcher.list({ services: ['web', 'db'] });
    assert.equal(watcher.state('other'), 'unknown');
  });
});

describe('bookkeeping', () => {
  test('nextCheckAt is the end of the earliest grace that runs', () => {
    const watcher = settled();
    assert.equal(watcher.presence.nextCheckAt(), null);
    const absentAt = watcher.now;
    watcher.list({ services: ['db'] });
    assert.equal(watcher.presence.nextCheckAt(), absentAt + GRACE);
    watcher.now += 10_000;
    watcher.list({ services: [] });
    assert.equal(watcher.presence.nextCheckAt(), absentAt + GRACE);
    watcher.presence.unheard();
    assert.equal(watcher.presence.nextCheckAt(), null);
  });

  test('a list at nextCheckAt suffices', () => {
    const watcher = settled();
    watcher.watch(GRACE - 10_000, { services: ['db'] });
    watcher.now = watcher.presence.nextCheckAt() ?? assert.fail('a grace runs');
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('forget drops only what is gone', () => {
    const watcher = settled();
    watcher.presence.forget(web);
    assert.equal(watcher.state(), 'present');
    watcher.watch(GRACE + 20_000, { services: ['db'] });
    watcher.presence.forget(web);
    assert.equal(watcher.state(), 'unknown');
    assert.deepEqual([...watcher.presence.keys()], [keyOf('db')]);
  });

  test('a grace of 0 still needs two lists', () => {
    const watcher = settled(['web', 'db'], 0);
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'missing');
    watcher.now += 1;
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('a gone service that comes back is present again', () => {
    const watcher = settled();
    watcher.watch(GRACE + 20_000, { services: ['db'] });
    watcher.list({ services: ['db', 'web'] });
    assert.equal(watcher.state(), 'present');
  });
});
