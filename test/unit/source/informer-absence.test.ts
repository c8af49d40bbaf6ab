import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyOf } from '../../support/cluster-lists.js';
import { inform, type Informed } from '../../support/informed.js';
import { unreachable } from '../../support/memory-source.js';

const GRACE = 300_000;
const web = keyOf('web');

async function running(paths: readonly string[] = ['web', 'db']): Promise<Informed> {
  const informed = inform({}, (cluster) => {
    for (const path of paths) cluster.put(path, { igw_gobtw_bind: '80/tcp' });
  });
  await informed.clock.advance(2 * GRACE);
  informed.news();
  informed.reads();
  return informed;
}

describe('a service that is not listed', () => {
  test('missing with its last config at once, gone at the end of the grace, not a poll later', async () => {
    const { clock, source, informer, news } = await running();
    source.remove('web');
    await clock.advance(1000);
    assert.deepEqual(news(), ['facts web missing']);
    assert.match(informer.facts(web)?.config?.raw ?? '', /80\/tcp/);
    await clock.advance(GRACE - 1500);
    assert.deepEqual(news(), []);
    await clock.advance(600);
    assert.deepEqual(news(), ['facts web gone']);
    assert.equal(informer.facts(web)?.reason, 'absent');
  });

  test('is gone at the end of its grace however rarely --resync lists', async () => {
    const { clock, source, informer, reads } = inform({ resyncMs: 2 * GRACE }, (cluster) => {
      for (const path of ['web', 'db']) cluster.put(path, { igw_gobtw_bind: '80/tcp' });
    });
    await clock.advance(4 * GRACE);
    reads('all');
    await clock.advance(2 * GRACE);
    assert.deepEqual(reads('all'), ['list'], 'nothing is missing: the pace is the one that was asked for');
    source.remove('web');
    await clock.advance(GRACE + 20_000);
    assert.equal(informer.facts(keyOf('web'))?.state, 'gone');
  });

  test('an announced deletion is gone as soon as it is not listed', async () => {
    const { clock, source, informer, news } = await running();
    source.handlers?.onDeleting(web);
    await clock.advance(500);
    assert.deepEqual(news(), []);
    source.remove('web');
    await clock.advance(1000);
    assert.deepEqual(news(), ['facts web gone']);
    assert.equal(informer.facts(web)?.reason, 'announced');
    informer.forget(web);
    assert.equal(informer.facts(web), undefined);
    assert.deepEqual(informer.keys(), [keyOf('db')]);
  });

  test('MUST NOT be gone while the agent is away, is back and starting, or hides it for less than the grace', async () => {
    const { clock, source, informer, news } = await running();
    source.failing.set('list', unreachable);
    source.handlers?.onGap('disconnected');
    await clock.advance(20 * GRACE);
    source.failing.clear();
    source.nodes = { n1: 'init' };
    source.hidden.add('web').add('db');
    source.handlers?.onGap('restarted');
    await clock.advance(3 * GRACE);
    assert.equal(informer.facts(web)?.state, 'missing');
    source.nodes = { n1: 'idle' };
    source.hidden.delete('db');
    await clock.advance(GRACE / 2);
    source.hidden.clear();
    await clock.advance(10 * GRACE);
    const states = news().filter((word) => word.startsWith('facts'));
    assert.deepEqual(states, [
      'facts web missing',
      'facts db missing',
      'facts db present',
      'facts web present',
    ]);
  });

  test('a restart of the agent in the middle starts the grace anew, though no poll saw it', async () => {
    const { clock, source, informer } = await running();
    source.remove('web');
    await clock.advance(GRACE - 5000);
    source.handlers?.onGap('restarted');
    await clock.advance(GRACE - 5000);
    assert.equal(informer.facts(web)?.state, 'missing');
    await clock.advance(10_000);
    assert.equal(informer.facts(web)?.state, 'gone');
  });

  test('a bad line in a config looks like a deletion, and its repair like a creation: nothing is lost', async () => {
    const { clock, source, news, reads } = await running();
    source.hidden.add('web');
    source.handlers?.onMembership();
    await clock.advance(120_000);
    source.hidden.clear();
    source.handlers?.onMembership();
    await clock.advance(5000);
    assert.deepEqual(news(), ['facts web missing', 'facts web present']);
    assert.deepEqual(reads(), [], 'the checksum is the same');
  });

  test('gone and back: what it asked for before is not told again, only what is read now', async () => {
    const { clock, source, informer, news } = await running();
    source.handlers?.onDeleting(web);
    source.remove('web');
    await clock.advance(1000);
    assert.deepEqual(news(), ['facts web gone']);
    assert.equal(informer.facts(web)?.config, null);
    source.latencyMs = { list: 5, config: 3000 };
    source.put('web', { igw_gobtw_bind: '443/tcp' });
    await clock.advance(2000);
    assert.deepEqual([news(), informer.facts(web)], [[], undefined]);
    await clock.advance(3000);
    assert.deepEqual(news(), ['facts web present']);
    assert.match(informer.facts(web)?.config?.raw ?? '', /443\/tcp/);
  });

  test('never read, missing, listed again: it stays missing until its config is read', async () => {
    const { clock, source, informer, news } = await running();
    const old = keyOf('old');
    informer.seedKnown([old]);
    source.latencyMs = { list: 5, config: 3000 };
    source.put('old', { igw_gobtw_bind: '443/tcp' });
    await clock.advance(2000);
    assert.deepEqual(news(), ['facts old missing']);
    assert.equal(informer.facts(old)?.state, 'missing');
    assert.ok(informer.keys().includes(old));
    await clock.advance(3000);
    assert.deepEqual(news(), ['facts old present']);
  });

  test('services known by other witness only', async () => {
    const { clock, source, informer, news } = await running();
    const old = keyOf('ns1/svc/old');
    informer.seedKnown([old, web]);
    assert.deepEqual(news(), ['facts ns1/svc/old missing']);
    assert.equal(informer.facts(old)?.config, null);
    await clock.advance(GRACE + 20_000);
    assert.deepEqual(news(), ['facts ns1/svc/old gone']);
    source.put('ns1/svc/old', { igw_gobtw_bind: '80/tcp' });
    await clock.advance(1000);
    assert.deepEqual(news(), ['facts ns1/svc/old present']);
  });
});

describe('a list that shrank', () => {
  const many = Array.from({ length: 40 }, (_, i) => `s${i}`);

  test('is a problem that says so; confirm-deletes ends it', async () => {
    const { clock, source, informer, news } = await running(many);
    for (const path of many.slice(10)) source.remove(path, { quiet: true });
    await clock.advance(3 * GRACE);
    assert.equal(news().filter((word) => word.endsWith('gone')).length, 0);
    assert.deepEqual(
      informer.problems().map(({ code }) => code),
      ['list-shrunk'],
    );
    assert.equal(informer.confirmDeletes().length, 30);
    assert.equal(news().filter((word) => word.endsWith('gone')).length, 30);
    assert.deepEqual(informer.problems(), []);
  });
});
