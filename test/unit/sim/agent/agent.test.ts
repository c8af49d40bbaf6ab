/** The life of the simulated agent and the failures of its answers (reference/opensvc-v2-protocol.md §2, §5, §6). */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startAgent } from '../../../../src/sim/agent/agent.js';
import type { ConfigFailure, Flaws, SetOutcome } from '../../../../src/sim/agent/flaws.js';
import { createCluster } from '../../../../src/sim/cluster/cluster.js';
import { ask, askBytes, follow, pause } from '../../../support/raw-client.js';
import { socketDirectory } from '../../../support/recorded-cluster.js';

const WEB = '[DEFAULT]\nnodes = n1\n\n[env]\nigw_gobtw_bind = 80/tcp\n';

async function stage(t: { after(fn: () => unknown): void }, flaws: Partial<Flaws> = {}) {
  const socketPath = join(socketDirectory(t), 's');
  const cluster = createCluster({ name: 'clu1', nodes: ['n1', 'n2'], dns: ['127.0.0.1'] });
  for (const path of ['web', 'ns1/svc/api', 'db']) cluster.create(path, WEB);
  const agent = await startAgent({ cluster, node: 'n1', socketPath, flaws: { setMs: 1, ...flaws } });
  t.after(() => agent.kill());
  return { cluster, agent, socketPath };
}

interface Status {
  readonly monitor: {
    readonly nodes: Record<
      string,
      { monitor: { status: string }; services: { config: object; status: object } }
    >;
    readonly services: object;
  };
}

const status = async (socketPath: string): Promise<Status> =>
  (await ask(socketPath, { action: 'daemon_status' })) as Status;

const read = (path: string): unknown => ({
  action: 'object_config',
  method: 'GET',
  node: 'ANY',
  options: { path, format: 'json', evaluate: true, impersonate: 'n1' },
});

function refusal(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

describe('the agent', () => {
  test('answers the one probe that both dialects understand', async (t) => {
    const { socketPath } = await stage(t);
    const probe = '{"action":"whoami","method":"GET","node":"ANY"}\r\n\r\n\0';
    const { json } = await askBytes(socketPath, probe);
    assert.deepEqual(Object.keys((json as { nodes: object }).nodes), ['n1']);
  });

  test('counts requests by action', async (t) => {
    const { agent, socketPath } = await stage(t);
    await ask(socketPath, read('web'));
    await ask(socketPath, read('db'));
    await status(socketPath);
    assert.deepEqual(
      ['object_config', 'daemon_status', 'events'].map((action) => agent.count(action)),
      [2, 1, 0],
    );
  });

  test('the cluster config holds the secret and the evaluated DNS list', async (t) => {
    const { cluster, socketPath } = await stage(t);
    const options = { path: 'cluster', format: 'json', evaluate: true };
    const answer = (await ask(socketPath, { action: 'get_service_config', options })) as Record<
      string,
      object
    >;
    assert.deepEqual(answer['cluster'], {
      id: cluster.id,
      name: 'clu1',
      secret: cluster.secret,
      nodes: ['n1', 'n2'],
      dns: ['127.0.0.1'],
    });
  });

  test('a set is read back, and words are added and removed', async (t) => {
    const { cluster, socketPath } = await stage(t);
    const set = (kw: string): Promise<unknown> =>
      ask(socketPath, {
        action: 'object_action',
        method: 'POST',
        node: 'ANY',
        options: { path: 'web', action: 'set', options: { kw: [kw] } },
      });
    for (const [kw, value] of [
      ['env.igw_gobtw_bind+=443/tcp', '80/tcp 443/tcp'],
      ['env.igw_gobtw_bind|=443/tcp', '80/tcp 443/tcp'],
      ['env.igw_gobtw_bind-=80/tcp', '443/tcp'],
      ['env.igw_gobtw_bind=a=b', 'a=b'],
    ] as const) {
      await set(kw);
      const answer = cluster.readConfig('web', 'n1', { evaluate: true });
      assert.equal(answer.kind === 'data' && answer.data['env']?.['igw_gobtw_bind'], value);
    }
    await set('env.igw_gobtw_bind@n1=1');
    assert.match(cluster.configText('web') ?? '', /igw_gobtw_bind@n1 = 1/);
  });

  test('status filters its object maps by selector, and nothing else', async (t) => {
    const { socketPath } = await stage(t);
    const options = { selector: 'ns1/svc/*' };
    const answer = (await ask(socketPath, { action: 'daemon_status', options })) as Status & {
      listener: object;
    };
    assert.deepEqual(Object.keys(answer.monitor.services), ['ns1/svc/api']);
    assert.deepEqual(Object.keys(answer.monitor.nodes['n1']?.services.config ?? {}), ['ns1/svc/api']);
    assert.ok('stats' in answer.listener);
  });
});

describe('stopping and starting', () => {
  test('a graceful stop shows maintenance, ends streams and leaves a socket that refuses', async (t) => {
    const { agent, socketPath } = await stage(t);
    const events = await follow(socketPath);
    await events.until((messages) => messages.length > 0);
    const inode = statSync(socketPath).ino;
    agent.stream.skipIds(1000);
    await agent.stop();
    await events.until(() => events.ended());
    assert.equal(events.rest(), '');
    assert.match(JSON.stringify(events.messages), /"maintenance"/);
    assert.equal(existsSync(socketPath), true);
    assert.equal(await refusal(socketPath), 'ECONNREFUSED');
    await agent.start();
    assert.notEqual(statSync(socketPath).ino, inode);
    const again = await follow(socketPath);
    await again.until((messages) => messages.length > 0);
    // Small again: patches that were made before we subscribed have counted too.
    assert.ok((again.messages[0]?.id ?? 1000) < 1000);
    assert.equal((await status(socketPath)).monitor.nodes['n1']?.monitor.status, 'idle');
    again.close();
  });

  test('a kill breaks connections and leaves the file too', async (t) => {
    const { agent, socketPath } = await stage(t);
    const events = await follow(socketPath);
    await events.until((messages) => messages.length > 0);
    await agent.kill();
    await events.until(() => events.ended());
    assert.equal(await refusal(socketPath), 'ECONNREFUSED');
  });

  test('a slow start shows nothing, then configs, then statuses, then peers (daemon_restart.json)', async (t) => {
    const { agent, socketPath } = await stage(t);
    await agent.stop();
    await agent.start({ emptyMs: 20, stepMs: 10, perStep: 1, rejoinMs: 10 });
    const first = await status(socketPath);
    assert.deepEqual(Object.keys(first.monitor.nodes), ['n1']);
    assert.equal(first.monitor.nodes['n1']?.monitor.status, 'init');
    assert.deepEqual(first.monitor.nodes['n1'].services, { config: {}, status: {} });
    assert.deepEqual(first.monitor.services, {});
    const options = { path: 'cluster', format: 'json' };
    const early = (await ask(socketPath, { action: 'get_service_config', options })) as { error: string };
    assert.equal(early.error, "'cluster'");
    assert.deepEqual(await ask(socketPath, read('web')), { error: 'unknown service', status: 1 });
    await agent.settled();
    const last = await status(socketPath);
    assert.deepEqual(Object.keys(last.monitor.nodes).sort(), ['n1', 'n2']);
    assert.equal(last.monitor.nodes['n1']?.monitor.status, 'idle');
    assert.equal(Object.keys(last.monitor.services).length, 4);
  });

  test('a part of the cluster can be shown by hand, and what appears is in the stream', async (t) => {
    const { agent, socketPath } = await stage(t);
    agent.show({ name: 'init', statuses: 2 });
    const partial = await status(socketPath);
    assert.equal(Object.keys(partial.monitor.nodes['n1']?.services.status ?? {}).length, 2);
    assert.equal(Object.keys(partial.monitor.nodes['n1']?.services.config ?? {}).length, 4);
    const events = await follow(socketPath);
    await events.until((messages) => messages.length > 0);
    agent.show({ name: 'idle' });
    await events.until((messages) => JSON.stringify(messages).includes('["monitor","nodes","n2"]'));
    events.close();
  });
});

describe('failures of config reads', () => {
  for (const [failure, pattern] of [
    ['key-error', /"status": "1", "error": "'web'", "traceback"/],
    ['unknown-service', /"error": "unknown service", "status": 1/],
    ['unknown-keyword', /"status": "1", "error": "nosuch#1\.foo not found in the keywords dictionary"/],
    ['delete-in-progress', /"error": "delete in progress", "status": 2/],
    ['internal', /"status": 500/],
    ['forbidden', /"status": 403/],
    ['not-supported', /"status": 501/],
  ] as const satisfies readonly (readonly [ConfigFailure, RegExp])[]) {
    test(failure, async (t) => {
      const { agent, socketPath } = await stage(t);
      agent.flaws.configFailures.set('web', failure);
      const { bytes } = await askBytes(socketPath, `${JSON.stringify(read('web'))}\0`);
      assert.match(bytes.toString(), pattern);
      assert.equal('nodes' in ((await ask(socketPath, read('db'))) as object), true);
    });
  }

  test('no answer, half an answer, or none ever', async (t) => {
    const { agent, socketPath } = await stage(t);
    const request = `${JSON.stringify(read('web'))}\0`;
    agent.flaws.configFailures.set('*', 'closed');
    assert.equal((await askBytes(socketPath, request)).bytes.length, 0);
    agent.flaws.configFailures.set('*', 'cut');
    const cut = await askBytes(socketPath, request);
    assert.ok(cut.bytes.length > 0);
    assert.equal(cut.nulTerminated, false);
    agent.flaws.configFailures.set('*', 'silent');
    const silent = askBytes(socketPath, request);
    assert.equal(await Promise.race([silent, pause(50).then(() => 'waiting')]), 'waiting');
    await agent.kill();
    assert.equal((await silent).bytes.length, 0);
  });

  test('a loop is never answered, is recorded, and slows every later answer', async (t) => {
    const { cluster, agent, socketPath } = await stage(t, { spinMs: 40 });
    cluster.create('loop', '[env]\na = {env.b}\nb = {env.a}\n');
    const never = askBytes(socketPath, `${JSON.stringify(read('loop'))}\0`);
    assert.equal(await Promise.race([never, pause(30).then(() => 'waiting')]), 'waiting');
    assert.deepEqual(cluster.spinning, ['loop']);
    const started = performance.now();
    await status(socketPath);
    assert.ok(performance.now() - started >= 35);
    await agent.kill();
    await never;
  });

  test('reads are paced', async (t) => {
    const { socketPath } = await stage(t, { configsPerSecond: 100 });
    const started = performance.now();
    await Promise.all(Array.from({ length: 8 }, () => ask(socketPath, read('web'))));
    assert.ok(performance.now() - started >= 65);
  });
});

describe('failures of writes', () => {
  for (const [outcome, applied, answer] of [
    ['ret', false, /"ret": 1/],
    ['internal', false, /"status": 500/],
    ['lost', true, /^$/],
  ] as const satisfies readonly (readonly [SetOutcome, boolean, RegExp])[]) {
    test(`${outcome}: ${applied ? 'applied' : 'not applied'}`, async (t) => {
      const { cluster, agent, socketPath } = await stage(t);
      agent.flaws.setOutcome = outcome;
      const options = { path: 'web', action: 'set', options: { kw: ['env.x=1'] } };
      const request = { action: 'object_action', method: 'POST', node: 'ANY', options };
      const { bytes } = await askBytes(socketPath, `${JSON.stringify(request)}\0`);
      assert.match(bytes.toString(), answer);
      assert.equal((cluster.configText('web') ?? '').includes('x = 1'), applied);
    });
  }

  test('late: applied after everybody gave up', async (t) => {
    const { cluster, agent, socketPath } = await stage(t, { setMs: 10, setOutcome: 'late' });
    const options = { path: 'web', action: 'set', options: { kw: ['env.x=1'] } };
    const request = { action: 'object_action', method: 'POST', node: 'ANY', options };
    const asked = askBytes(socketPath, `${JSON.stringify(request)}\0`);
    await pause(15);
    assert.equal((cluster.configText('web') ?? '').includes('x = 1'), false);
    await pause(60);
    assert.equal((cluster.configText('web') ?? '').includes('x = 1'), true);
    await agent.kill();
    await asked;
  });
});
