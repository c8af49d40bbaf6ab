import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import { ok } from '../../../src/errors.js';
import { createLsnrSource } from '../../../src/source/lsnr.js';
import { createInlineCompute } from '../../../src/worker/compute.js';
import type { Source } from '../../../src/source/source.js';
import { inform } from '../../support/informed.js';
import { reply, startLsnrServer, type LsnrServer } from '../../support/lsnr-server.js';

/** An agent that has this cluster config as written, and this one when it evaluates. */
async function agent(
  t: TestContext,
  written: unknown,
  evaluated: unknown,
): Promise<{ source: Source; server: LsnrServer }> {
  const server = await startLsnrServer(({ options }, socket) =>
    reply(socket, options?.['evaluate'] === true ? evaluated : written),
  );
  const source = createLsnrSource({
    readStatus: createInlineCompute().readStatus,
    clock: systemClock,
    random: { next: () => 0 },
    locate: async () => ok(server.path),
    timeoutMs: 2000,
  });
  t.after(async () => {
    await source.close();
    await server.close();
  });
  return { source, server };
}

test('evaluates the cluster’s config only where its DNS list needs it, and MUST NOT where it would never end', async (t) => {
  const evaluated = { cluster: { secret: 'S3CRET', dns: ['10.0.0.9'] } };
  for (const [cluster, env, dns, requests] of [
    [{ dns: '10.0.0.1 10.0.0.2' }, { a: '{env.b}', b: '{env.a}' }, ['10.0.0.1', '10.0.0.2'], 1],
    [{ name: 'clu1' }, {}, [], 1],
    [{ dns: '{env.a}' }, { a: '10.0.0.9' }, ['10.0.0.9'], 2],
    [{ 'dns@n1': '10.0.0.9' }, {}, ['10.0.0.9'], 2],
    [{ dns: '{env.a}' }, { a: '{env.b}', b: '{env.a}' }, null, 1],
  ] as const) {
    const written = { cluster: { ...cluster, secret: 'S3CRET' }, env };
    const { source, server } = await agent(t, written, evaluated);
    const answer = await source.clusterConfig();
    assert.deepEqual(answer.ok ? answer.value.dns : null, dns);
    assert.equal(server.requests.length, requests);
    assert.equal(JSON.stringify(answer).includes('S3CRET'), false);
    if (!answer.ok) assert.equal(answer.failure.retry, 'no');
  }
});

test('a cluster config that must not be evaluated is not asked for again before it changes', async () => {
  const { clock, source, reads } = inform({}, (cluster) =>
    cluster.failing.set('clusterConfig', { code: 'reference-loop', retry: 'no', message: 'env.a -> env.a' }),
  );
  const asked = (): number => reads('all').filter((request) => request === 'clusterConfig').length;
  await clock.advance(600_000);
  assert.equal(asked(), 1);
  source.clusterConfigCsum = 'cc2';
  source.failing.clear();
  await clock.advance(60_000);
  assert.equal(asked(), 1);
});
