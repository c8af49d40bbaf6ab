import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyOf } from '../../support/cluster-lists.js';
import { inform, type Informed } from '../../support/informed.js';
import { unreachable } from '../../support/memory-source.js';

const web = keyOf('web');
const bind = (text: string): Record<string, string> => ({ igw_gobtw_bind: text });
const withReference = { igw_gobtw_bind: '80/tcp-{env.ip}:1024', ip: '10.0.0.9' };

async function running(env: Record<string, string>): Promise<Informed> {
  const informed = inform({}, (cluster) => cluster.put('web', env));
  await informed.clock.advance(30_000);
  informed.news();
  informed.reads();
  return informed;
}

describe('evaluation', () => {
  test('raw first, evaluated only where a keyword of ours needs it', async () => {
    const { clock, informer, source, reads } = await running({ ...bind('80/tcp'), other: '{env.x}' });
    source.put('web', withReference);
    await clock.advance(100);
    assert.deepEqual(reads(), ['raw root/svc/web', 'evaluate root/svc/web']);
    assert.match(informer.facts(web)?.config?.evaluated ?? '', /80\/tcp-10\.0\.0\.9:1024/);
    source.put('web', bind('80/tcp'));
    await clock.advance(100);
    assert.deepEqual(reads(), ['raw root/svc/web']);
    assert.equal(informer.facts(web)?.config?.evaluated, null);
  });

  test('MUST NOT ask for the evaluation of a reference loop', async () => {
    const { clock, informer, source, reads } = await running(bind('80/tcp'));
    source.put('web', { ...bind('80/tcp-{env.a}:1024'), a: '{env.b}', b: '{env.a}' });
    await clock.advance(600_000);
    assert.deepEqual(reads(), ['raw root/svc/web']);
    const facts = informer.facts(web);
    assert.deepEqual([facts?.state, facts?.config?.loop], ['present', 'env.a -> env.b -> env.a']);
  });

  for (const code of ['agent-timeout', 'agent-not-json']) {
    test(`MUST NOT repeat an evaluation that ended in ${code} on the same checksum`, async () => {
      const { clock, informer, source, reads, news } = await running(bind('80/tcp'));
      source.failing.set('evaluate', { code, retry: 'backoff', message: 'nosuch#1.foo not found' });
      source.put('web', withReference);
      await clock.advance(3_600_000);
      assert.deepEqual(reads(), ['raw root/svc/web', 'evaluate root/svc/web']);
      assert.deepEqual(news(), ['facts web unreadable']);
      assert.match(informer.facts(web)?.config?.raw ?? '', /80\/tcp"/, 'the last good config stays');
      assert.match(informer.problems()[0]?.message ?? '', /nosuch#1\.foo/);

      source.failing.clear();
      source.put('web', { ...withReference, mended: '1' });
      await clock.advance(100);
      assert.deepEqual(reads(), ['raw root/svc/web', 'evaluate root/svc/web']);
      assert.deepEqual(news(), ['facts web present']);
    });
  }

  test('one that the agent refused is asked for again by itself, seldom', async () => {
    const { clock, informer, source, reads } = await running(bind('80/tcp'));
    source.failing.set('evaluate', {
      code: 'agent-error',
      retry: 'backoff',
      message: 'dictionary changed size during iteration',
    });
    source.put('web', withReference);
    await clock.advance(3_600_000);
    const asked = reads().filter((request) => request.startsWith('evaluate')).length;
    assert.ok(asked >= 3 && asked <= 7, `${asked} evaluations in an hour`);
    assert.equal(informer.facts(web)?.state, 'unreadable');
    source.failing.clear();
    await clock.advance(1_200_000);
    assert.equal(informer.facts(web)?.state, 'present');
    source.failing.set('evaluate', { code: 'agent-error', retry: 'backoff', message: 'refused' });
    source.put('web', { ...withReference, more: '1' });
    await clock.advance(1_000);
    source.remove('web');
    reads();
    await clock.advance(3_600_000);
    assert.deepEqual(reads(), [], 'nor for a service that left');
  });

  test('nor when that checksum comes back after another one', async () => {
    const { clock, informer, source, reads } = await running(bind('80/tcp'));
    source.failing.set('evaluate', { code: 'agent-timeout', retry: 'backoff', message: 'slow' });
    source.put('web', withReference, { csums: { n1: 'bad' } });
    await clock.advance(10_000);
    source.failing.clear();
    source.put('web', { ...withReference, ip: '10.0.0.8' }, { csums: { n1: 'good' } });
    await clock.advance(10_000);
    assert.equal(informer.facts(web)?.state, 'present');
    reads();
    source.put('web', withReference, { csums: { n1: 'bad' } });
    await clock.advance(600_000);
    assert.deepEqual(
      reads().filter((request) => request.startsWith('evaluate')),
      [],
    );
    assert.equal(informer.facts(web)?.state, 'unreadable');
  });

  test('resync lets the operator ask once more', async () => {
    const { clock, informer, source, reads } = await running(bind('80/tcp'));
    source.failing.set('evaluate', { code: 'agent-timeout', retry: 'backoff', message: 'slow' });
    source.put('web', withReference);
    await clock.advance(10_000);
    reads();
    source.failing.clear();
    informer.resync();
    await clock.advance(100);
    assert.deepEqual(
      reads().filter((request) => request.startsWith('evaluate')),
      ['evaluate root/svc/web'],
    );
    assert.equal(informer.facts(web)?.state, 'present');
  });

  test('an evaluation that never reached the agent is repeated', async () => {
    const { clock, informer, source } = await running(bind('80/tcp'));
    source.failing.set('evaluate', unreachable);
    source.put('web', withReference);
    await clock.advance(10_000);
    assert.equal(informer.facts(web)?.state, 'unreadable');
    source.failing.clear();
    await clock.advance(31_000);
    assert.equal(informer.facts(web)?.state, 'present');
  });

  test('the cluster’s config changes: evaluated configs are evaluated again, plain ones are not', async () => {
    const { clock, source, reads } = await running(withReference);
    source.put('plain', bind('81/tcp'));
    await clock.advance(5000);
    reads();
    source.clusterConfigCsum = 'cc2';
    await clock.advance(5000);
    assert.deepEqual(reads(), ['evaluate root/svc/web']);
  });
});

describe('reads that fail', () => {
  test('unreadable at the first failure, the last config stays, repeated with growing pauses', async () => {
    const { clock, informer, source, reads, news } = await running(bind('80/tcp'));
    source.failing.set(web, { code: 'unknown-object', retry: 'backoff', message: "'web'" });
    source.put('web', bind('81/tcp'));
    await clock.advance(100);
    assert.deepEqual(news(), ['facts web unreadable']);
    assert.match(informer.facts(web)?.config?.raw ?? '', /80\/tcp/);
    await clock.advance(300_000);
    const attempts = reads().length;
    assert.ok(attempts > 8 && attempts < 20, `${attempts} attempts in five minutes`);
    assert.deepEqual(news(), []);
    source.failing.clear();
    await clock.advance(31_000);
    assert.deepEqual(news(), ['facts web present']);
    assert.deepEqual(informer.problems(), []);
  });

  test('MUST NOT hold up other services: one that hangs costs one reader', async () => {
    const { clock, informer, source } = await running(bind('80/tcp'));
    source.failing.set(web, { code: 'agent-timeout', retry: 'backoff', message: 'slow' });
    source.put('web', bind('81/tcp'));
    for (let i = 0; i < 20; i++) source.put(`s${i}`, bind(`${1000 + i}/tcp`));
    await clock.advance(200);
    assert.equal(informer.keys().filter((key) => informer.facts(key)?.state === 'present').length, 20);
  });

  test('reading stops when the service leaves the list', async () => {
    const { clock, informer, source, reads } = await running(bind('80/tcp'));
    source.failing.set(web, { code: 'unknown-object', retry: 'backoff', message: "'web'" });
    source.put('web', bind('81/tcp'));
    await clock.advance(1000);
    source.remove('web');
    await clock.advance(40_000);
    reads();
    await clock.advance(200_000);
    assert.deepEqual(reads(), []);
    assert.equal(informer.facts(web)?.state, 'missing');
    assert.deepEqual(informer.problems(), []);
  });
});

describe('which node’s checksum', () => {
  const on = (csums: Record<string, string>): { csums: Record<string, string> } => ({ csums });
  async function pair(csums: Record<string, string>): Promise<Informed> {
    const informed = inform({}, (cluster) => {
      cluster.nodes = { n1: 'idle', n2: 'idle', n3: 'idle' };
      cluster.put('web', bind('80/tcp'), on(csums));
    });
    await informed.clock.advance(30_000);
    informed.news();
    informed.reads();
    return informed;
  }

  test('our own node’s: a peer’s is no reason to read', async () => {
    const { clock, source, reads } = await pair({ n1: 'a', n2: 'a' });
    source.put('web', bind('81/tcp'), on({ n1: 'a', n2: 'b' }));
    await clock.advance(30_000);
    assert.deepEqual(reads(), []);
    source.put('web', bind('81/tcp'), on({ n1: 'b', n2: 'b' }));
    await clock.advance(1000);
    assert.deepEqual(reads(), ['raw root/svc/web']);
  });

  test('where we have none, read again until the peers agree (any of them may have answered)', async () => {
    const { clock, source, reads, informer } = await pair({ n2: 'a', n3: 'a' });
    source.put('web', bind('81/tcp'), on({ n2: 'b', n3: 'a' }));
    await clock.advance(1000);
    assert.equal(reads().length, 1);
    source.put('web', bind('81/tcp'), on({ n2: 'b', n3: 'b' }));
    await clock.advance(1000);
    assert.equal(reads().length, 1);
    assert.equal(informer.facts(web)?.config?.csum, 'b');
  });
});

test('a late event of an older checksum does not bring the older config back', async () => {
  const { clock, informer, source, news } = await running(bind('80/tcp'));
  await clock.advance(60_000);
  source.put('web', bind('81/tcp'), { csums: { n1: 'vB' } });
  await clock.advance(60_000);
  news();
  // v1 is in the cache, and the event is a second late: the agent has moved on to vB again.
  source.handlers?.onConfig(web, 'v1', 'n1');
  await clock.advance(1000);
  source.handlers?.onConfig(web, 'vB', 'n1');
  await clock.advance(10_000);
  assert.deepEqual(news(), []);
  assert.match(informer.facts(web)?.config?.raw ?? '', /81\/tcp/);
});

test('an edit, and its reversal before the read, is told to nobody', async () => {
  const { clock, source, news } = await running(bind('80/tcp'));
  source.put('web', bind('81/tcp'));
  await clock.advance(5);
  source.put('web', bind('80/tcp'));
  await clock.advance(10_000);
  assert.deepEqual(news(), []);
});
