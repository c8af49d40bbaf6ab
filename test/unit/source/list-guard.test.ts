import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyOf } from '../../support/cluster-lists.js';
import { GRACE, settled, Watcher } from '../../support/watcher.js';

const web = keyOf('web');

describe('the list must have stood still', () => {
  const churn = (watcher: Watcher, ms: number): void => {
    for (let end = watcher.now + ms, i = 0; watcher.now < end; watcher.now += 10_000, i++) {
      watcher.list({ services: ['db', `job${i % 7}`] });
    }
  };

  test('after our start the grace and the stillness may be the same time', () => {
    const watcher = new Watcher();
    watcher.presence.seedKnown([web]);
    watcher.watch(GRACE, { services: ['db'] });
    assert.equal(watcher.state(), 'missing');
    watcher.list({ services: ['db'] });
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('a list that never stands still is believed after ten graces', () => {
    const watcher = new Watcher();
    watcher.presence.seedKnown([web]);
    churn(watcher, 10 * GRACE);
    assert.equal(watcher.state(), 'missing');
    churn(watcher, 20_000);
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('once it stood still, later changes do not matter', () => {
    const watcher = settled();
    churn(watcher, GRACE + 20_000);
    assert.equal(watcher.state(), 'gone: absent');
  });

  test('after a restart of the agent it must stand still again', () => {
    const watcher = settled();
    watcher.list({ services: ['web', 'db'], nodes: { n1: 'init' } });
    churn(watcher, 2 * GRACE);
    assert.equal(watcher.state(), 'missing');
  });
});

describe('a list that shrank (rule c)', () => {
  const many = Array.from({ length: 40 }, (_, i) => `s${i}`);
  const few = many.slice(0, 15);

  test('MUST NOT delete by absence when more than half is missing: ten graces and a message', () => {
    const watcher = settled(many);
    watcher.watch(10 * GRACE, { services: few });
    assert.equal(watcher.state('s39'), 'missing');
    const problem = watcher.presence.problem();
    assert.equal(problem?.code, 'list-shrunk');
    assert.match(problem.message, /lists 15 services, but 40 were known/);
    watcher.watch(20_000, { services: few });
    assert.equal(watcher.state('s39'), 'gone: absent');
    assert.equal(watcher.presence.problem(), null);
  });

  test('an empty list is a suspicion as well', () => {
    const watcher = settled(many);
    watcher.watch(5 * GRACE, { services: [] });
    assert.equal(watcher.state('s0'), 'missing');
    assert.equal(watcher.presence.problem()?.code, 'list-shrunk');
  });

  test('a restart of the agent begins the ten graces anew', () => {
    const watcher = settled(many);
    watcher.watch(9 * GRACE, { services: few });
    watcher.presence.restarted();
    watcher.watch(9 * GRACE, { services: few });
    assert.equal(watcher.state('s39'), 'missing');
    assert.equal(watcher.presence.problem()?.code, 'list-shrunk');
    watcher.watch(GRACE + 20_000, { services: few });
    assert.equal(watcher.state('s39'), 'gone: absent');
  });

  test('it ends when the list recovers, and what is still missing then follows rule b', () => {
    const watcher = settled(many);
    watcher.watch(GRACE + 20_000, { services: few });
    watcher.list({ services: many.slice(0, 30) });
    assert.equal(watcher.presence.problem(), null);
    assert.equal(watcher.state('s39'), 'gone: absent');
    assert.equal(watcher.state('s29'), 'present');
  });

  test('services seen only as owned servers at start count', () => {
    const watcher = new Watcher();
    watcher.presence.seedKnown(many.map(keyOf));
    watcher.watch(3 * GRACE, { services: few });
    assert.equal(watcher.state('s39'), 'missing');
    assert.equal(watcher.presence.problem()?.code, 'list-shrunk');
  });

  test('a list that loses a little at each poll is no smaller suspicion', () => {
    const watcher = settled(many);
    for (let size = 38; size >= 4; size -= 2) {
      watcher.list({ services: many.slice(0, size) });
      watcher.now += 10_000;
    }
    watcher.watch(2 * GRACE, { services: many.slice(0, 4) });
    assert.equal(watcher.state('s39'), 'missing');
  });

  test('small clusters: fewer than ten missing is no suspicion', () => {
    const watcher = settled(many.slice(0, 9));
    watcher.watch(GRACE + 20_000, { services: [] });
    assert.equal(watcher.state('s0'), 'gone: absent');
  });

  test('announced deletions do not wait for it', () => {
    const watcher = settled(many);
    for (const path of many) watcher.presence.announce(keyOf(path), watcher.now);
    watcher.list({ services: [] });
    assert.equal(watcher.state('s0'), 'gone: announced');
  });

  test('a small list that was accepted is not suspected again at each poll', () => {
    const watcher = new Watcher();
    const text = { nodes: { n1: 'idle' }, members: ['n1', 'n2'], services: few };
    // The scope of the missing is unknown and n2 is dead, so they stay missing for ever.
    watcher.presence.seedKnown(many.map(keyOf));
    watcher.watch(11 * GRACE, text);
    assert.equal(watcher.presence.problem(), null);
    watcher.watch(GRACE, text);
    assert.equal(watcher.presence.problem(), null);
    assert.match(watcher.state('s39'), /^held/);
  });
});

describe('confirm-deletes', () => {
  const many = Array.from({ length: 40 }, (_, i) => `s${i}`);

  test('what is missing from the last list is gone, whatever hides it', () => {
    const watcher = settled(many);
    watcher.list({ services: ['s0'], members: ['n1', 'n2'] });
    assert.equal(watcher.presence.confirmDeletes().length, 39);
    assert.equal(watcher.state('s39'), 'gone: absent');
    assert.equal(watcher.state('s0'), 'present');
    assert.equal(watcher.presence.problem(), null);
    assert.deepEqual(watcher.presence.confirmDeletes(), []);
  });

  test('confirms nothing of an agent that is silent, starting, or was never heard', () => {
    const watcher = new Watcher();
    watcher.presence.seedKnown([web]);
    assert.deepEqual(watcher.presence.confirmDeletes(), []);
    watcher.list({ services: [], nodes: { n1: 'init' } });
    assert.deepEqual(watcher.presence.confirmDeletes(), []);
    watcher.list({ services: [] });
    watcher.presence.unheard();
    assert.deepEqual(watcher.presence.confirmDeletes(), []);
  });
});
