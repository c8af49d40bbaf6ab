import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createConfigCache } from '../../../src/source/config-cache.js';
import { keyOf } from '../../support/cluster-lists.js';
import { inform } from '../../support/informed.js';
import { unreachable } from '../../support/memory-source.js';

const web = keyOf('web');
const bind = (port: number): Record<string, string> => ({ igw_gobtw_bind: `${port}/tcp` });

describe('start', () => {
  test('node name, subscription, list, then each config once', async () => {
    const { clock, informer, reads, news, source } = inform({}, (cluster) => {
      cluster.put('web', bind(80));
      cluster.put('db', bind(81));
    });
    await clock.advance(500);
    assert.deepEqual(reads('all'), [
      'nodeName',
      'list',
      'clusterConfig',
      'raw root/svc/web',
      'raw root/svc/db',
      // Once more, because the stream came up while the first list was made.
      'list',
    ]);
    assert.ok(source.handlers, 'subscribed');
    assert.deepEqual(news(), [
      'agent up',
      'cluster name node-name nodes members',
      'cluster dns',
      'facts web present',
      'facts db present',
      'synced',
    ]);
    const facts = informer.facts(web);
    assert.deepEqual(facts?.config?.raw, '{"DEFAULT":{},"env":{"igw_gobtw_bind":"80/tcp"}}');
    assert.deepEqual(
      [facts?.state, facts?.slave, facts?.scope, facts?.config?.evaluated],
      ['present', false, ['n1'], null],
    );
    assert.deepEqual(informer.keys(), [web, keyOf('db')]);
    assert.deepEqual(informer.cluster().dns, ['10.0.0.1']);
    assert.equal(informer.cluster().nodeName, 'n1');
    assert.equal(informer.streaming(), true);
    assert.deepEqual(informer.problems(), []);
  });

  test('MUST NOT be held up by a config that cannot be read: synced all the same', async () => {
    const { clock, informer } = inform({}, (cluster) => {
      cluster.put('web', bind(80));
      cluster.put('bad', bind(81));
      cluster.failing.set(keyOf('bad'), { code: 'agent-error', retry: 'backoff', message: 'broken' });
    });
    await clock.advance(500);
    assert.equal(informer.synced(), true);
    assert.equal(informer.facts(keyOf('bad'))?.state, 'unreadable');
    assert.deepEqual(
      informer.problems().map(({ code, key }) => [code, key]),
      [['config-unreadable', keyOf('bad')]],
    );
  });

  test('MUST NOT be held up by configs that are never answered: not the first plan, not the other reads', async () => {
    const silent = ['a', 'b', 'c', 'd', 'e', 'f'];
    const { clock, informer, source } = inform({}, (cluster) => {
      for (const path of [...silent, 'web']) cluster.put(path, bind(80));
      const { config } = cluster;
      const unanswered = new Set(silent.map(keyOf));
      cluster.config = (key, how) => (unanswered.has(key) ? new Promise(() => undefined) : config(key, how));
    });
    await clock.advance(9000);
    assert.equal(informer.facts(web)?.state, 'present', 'it was read behind the six');
    assert.equal(informer.synced(), false);
    await clock.advance(8000);
    assert.equal(informer.synced(), true);
    source.put('web', bind(81));
    await clock.advance(100);
    assert.match(informer.facts(web)?.config?.raw ?? '', /81/);
  });

  test('not synced while the agent is starting, nor before the DNS list is known; but not for ever', async () => {
    const { clock, informer, source, news } = inform({}, (cluster) => {
      cluster.nodes = { n1: 'init' };
      cluster.failing.set('clusterConfig', {
        code: 'unknown-object',
        retry: 'backoff',
        message: "'cluster'",
      });
    });
    await clock.advance(30_000);
    assert.equal(informer.synced(), false);
    source.nodes = { n1: 'idle' };
    await clock.advance(10_000);
    assert.equal(informer.synced(), false);
    source.failing.clear();
    await clock.advance(10_000);
    assert.equal(informer.synced(), true);
    assert.equal(news().filter((word) => word === 'synced').length, 1);
    source.nodes = { n1: 'init' };
    await clock.advance(10_000);
    assert.equal(informer.synced(), true, 'it stays true');

    const stuck = inform({}, (cluster) => (cluster.nodes = { n1: 'rejoin' }));
    await stuck.clock.advance(119_000);
    assert.equal(stuck.informer.synced(), false);
    await stuck.clock.advance(20_000);
    assert.equal(stuck.informer.synced(), true);
  });

  test('an agent that is away is waited for, and said once', async () => {
    const { clock, informer, source, news } = inform({}, (cluster) => {
      for (const kind of ['list', 'nodeName'] as const) cluster.failing.set(kind, unreachable);
    });
    informer.seedKnown([web]);
    assert.deepEqual(news(), ['facts web missing']);
    await clock.advance(300_000);
    assert.deepEqual(news(), ['agent down']);
    assert.ok(source.requests.filter((request) => request === 'list').length < 40, 'with pauses');
    source.put('web', bind(80), { quiet: true });
    await clock.advance(1000);
    source.failing.clear();
    await clock.advance(20_000);
    assert.deepEqual(
      news().filter((word) => !word.startsWith('cluster')),
      ['agent up', 'facts web present', 'synced'],
    );
  });

  test('a warm cache saves the reads', async () => {
    const first = inform({}, (cluster) => {
      cluster.put('web', bind(80));
      cluster.put('ref', { igw_gobtw_bind: '80/tcp-{env.ip}:1024', ip: '10.0.0.9' });
    });
    await first.clock.advance(60_000);
    const cache = createConfigCache();
    cache.load([...first.cache.saved(first.clock.now())]);
    const second = inform({ cache }, (cluster) => {
      for (const [path, service] of first.source.services) cluster.services.set(path, service);
    });
    await second.clock.advance(500);
    assert.deepEqual(second.reads(), []);
    assert.equal(second.informer.synced(), true);
    assert.match(second.informer.facts(keyOf('ref'))?.config?.evaluated ?? '', /10\.0\.0\.9:1024/);
  });

  test('a warm cache is read without a window, and not in one go', async () => {
    const cache = createConfigCache();
    const names = Array.from({ length: 1000 }, (_, at) => `s${at}`);
    const { clock, informer, told } = inform({ cache, windowMs: 1000 }, (cluster) => {
      for (const name of names) cluster.put(name, bind(80));
      for (const name of names) {
        const { csums, env } = cluster.services.get(name) ?? assert.fail(name);
        const raw = JSON.stringify({ env });
        cache.setRaw(keyOf(name), csums['n1'] ?? '', { raw, needsEvaluation: false, loop: null }, -60_000);
      }
    });
    let before = 0;
    let most = 0;
    let looks = 0;
    const look = (): void => {
      most = Math.max(most, told.length - before);
      before = told.length;
      looks += 1;
      if (!informer.synced()) clock.after(looks % 20 === 0 ? 1 : 0, look);
    };
    look();
    await clock.advance(100);
    assert.equal(informer.synced(), true);
    assert.ok(most >= 100 && most <= 300, `${most} in one turn`);
  });

  test('without a name from the agent, the host’s counts if it is a node', async () => {
    const named = inform({ fallbackNode: 'n1' }, (cluster) => (cluster.ownName = null));
    await named.clock.advance(500);
    assert.equal(named.informer.cluster().nodeName, 'n1');
    const stranger = inform({ fallbackNode: 'elsewhere' }, (cluster) => (cluster.ownName = null));
    await stranger.clock.advance(500);
    assert.equal(stranger.informer.cluster().nodeName, null);
  });
});

describe('changes', () => {
  async function running(
    ...[options, prepare]: Parameters<typeof inform>
  ): Promise<ReturnType<typeof inform>> {
    const informed = inform(options, (cluster) => {
      cluster.put('web', bind(80));
      prepare?.(cluster);
    });
    await informed.clock.advance(30_000);
    informed.news();
    informed.reads();
    return informed;
  }

  test('an edit is read after the window, once, and told with the time of its event', async () => {
    const { clock, informer, source, reads, news, lastSince } = await running();
    const editedAt = clock.now();
    source.put('web', bind(81));
    assert.equal(informer.dirtySince(web), editedAt);
    await clock.advance(19);
    assert.deepEqual(reads(), []);
    await clock.advance(10);
    assert.deepEqual(reads(), ['raw root/svc/web']);
    assert.deepEqual(news(), ['facts web present']);
    assert.equal(lastSince(), editedAt);
    assert.equal(informer.dirtySince(web), undefined);
    assert.match(informer.facts(web)?.config?.raw ?? '', /81\/tcp/);
  });

  test('a burst on one service costs one read', async () => {
    const { clock, source, reads, news } = await running();
    for (let port = 100; port < 120; port++) source.put('web', bind(port));
    await clock.advance(100);
    assert.deepEqual(reads(), ['raw root/svc/web']);
    assert.deepEqual(news(), ['facts web present']);
  });

  test('a checksum that moves without a change of the text is told to nobody', async () => {
    const { clock, informer, source, news } = await running();
    source.put('web', bind(80));
    await clock.advance(5000);
    assert.deepEqual(news(), []);
    assert.equal(informer.facts(web)?.config?.csum, 'v2');
  });

  test('events that show the known checksum, and an hour of quiet polls, cost no read and tell nothing', async () => {
    const { clock, source, reads, news } = await running();
    for (let i = 0; i < 50; i++) source.handlers?.onConfig(web, 'v1', 'n1');
    await clock.advance(3_600_000);
    assert.deepEqual(reads(), []);
    assert.deepEqual(news(), []);
  });

  test('an edit whose event never came is found by the poll', async () => {
    const { clock, source, reads, news } = await running();
    source.put('web', bind(81), { quiet: true });
    await clock.advance(2100);
    assert.deepEqual(reads(), ['raw root/svc/web']);
    assert.deepEqual(news(), ['facts web present']);
  });

  test('a new service: listed at once, read once', async () => {
    const { clock, source, reads, news } = await running();
    source.put('new', bind(90));
    await clock.advance(60);
    assert.deepEqual(reads(), ['raw root/svc/new']);
    assert.deepEqual(news(), ['facts new present']);
  });

  test('a list that was begun before an event does not undo it', async () => {
    const { clock, informer, source, news } = await running({}, (cluster) => (cluster.latencyMs.list = 1000));
    await clock.advance(15_000);
    source.handlers?.onGap('id-gap');
    await clock.advance(15_000 - 100);
    news();
    source.requests.splice(0);
    source.handlers?.onMembership();
    for (let i = 0; i < 100 && !source.requests.includes('list'); i++) await clock.advance(100);
    source.put('web', bind(81));
    await clock.advance(3000);
    assert.deepEqual(news(), ['facts web present']);
    assert.match(informer.facts(web)?.config?.raw ?? '', /81/);
  });

  test('scaler slave: the flag of the list is in the facts', async () => {
    const { clock, informer, source, news } = await running();
    source.put('web', bind(80), { slave: true, csums: { n1: 'v1' }, quiet: true });
    source.handlers?.onMembership();
    await clock.advance(1000);
    assert.deepEqual(news(), ['facts web present']);
    assert.equal(informer.facts(web)?.slave, true);
  });

  test('no more reads at a time than asked for', async () => {
    const { clock, source, informer } = await running(
      { concurrency: 3 },
      (cluster) => (cluster.latencyMs.config = 50),
    );
    for (let i = 0; i < 40; i++) source.put(`s${i}`, bind(1000 + i));
    await clock.advance(5000);
    assert.equal(source.maxInFlight(), 3);
    assert.equal(informer.keys().length, 41);
  });

  test('names, members, nodes and DNS: what changed is named', async () => {
    const { clock, source, news } = await running();
    source.nodes = { n1: 'idle', n2: 'idle' };
    await clock.advance(2500);
    assert.deepEqual(news(), ['cluster nodes members']);
    source.dns = ['10.0.0.2'];
    await clock.advance(5000);
    assert.deepEqual(news(), [], 'nothing says that the cluster’s config changed');
    source.clusterConfigCsum = 'cc2';
    await clock.advance(5000);
    assert.deepEqual(news(), ['cluster dns']);
  });

  test('refreshRaw reads the text as it is now, past every cache', async () => {
    const { informer, source, clock } = await running();
    source.put('web', bind(99), { quiet: true });
    const answer = informer.refreshRaw(web);
    await clock.advance(10);
    assert.deepEqual(await answer, { ok: true, value: '{"DEFAULT":{},"env":{"igw_gobtw_bind":"99/tcp"}}' });
  });

  test('stop leaves no timer and no subscription behind', async () => {
    const { clock, informer, source, news } = await running();
    source.put('web', bind(81));
    informer.stop();
    await clock.advance(60_000);
    assert.equal(clock.pending, 0);
    assert.equal(source.handlers, undefined);
    assert.deepEqual(news(), []);
  });
});
