/** The defects of the event stream (reference/opensvc-v2-protocol.md §4), each as a client meets it. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startAgent } from '../../../../src/sim/agent/agent.js';
import type { Flaws } from '../../../../src/sim/agent/flaws.js';
import { createCluster } from '../../../../src/sim/cluster/cluster.js';
import { ask, follow, pause, type StreamMessage } from '../../../support/raw-client.js';
import { socketDirectory } from '../../../support/recorded-cluster.js';

const WEB = '[DEFAULT]\nnodes = n1\n\n[env]\nigw_gobtw_bind = 80/tcp\n';

async function stage(t: { after(fn: () => unknown): void }, flaws: Partial<Flaws> = {}) {
  const socketPath = join(socketDirectory(t), 's');
  const cluster = createCluster({ name: 'clu1', nodes: ['n1', 'n2'], dns: [] });
  cluster.create('web', WEB);
  const agent = await startAgent({ cluster, node: 'n1', socketPath, flaws });
  t.after(() => agent.kill());
  return { cluster, agent, socketPath };
}

const CONFIG = ['monitor', 'nodes', 'n1', 'services', 'config'];

const mentions = (text: string) => (messages: readonly StreamMessage[]) =>
  messages.some((message) => JSON.stringify(message).includes(text));

const ids = (messages: readonly StreamMessage[]): readonly number[] => messages.flatMap(({ id }) => id ?? []);

describe('the event stream', () => {
  test('has contiguous ids, absolute paths, and shows every connection', async (t) => {
    const { cluster, socketPath } = await stage(t);
    const events = await follow(socketPath);
    await events.until((messages) => messages.length > 0);
    cluster.set('web', 'env.x', '1');
    await events.until(mentions('["monitor","nodes","n1","services","config","web","csum"]'));
    const before = events.messages.length;
    await ask(socketPath, { action: 'whoami' });
    await events.until((messages) => mentions('"sessions","alive"')(messages.slice(before)));
    assert.deepEqual(
      ids(events.messages),
      ids(events.messages).map((_, index, all) => (all[0] ?? 0) + index),
    );
    events.close();
  });

  test('frames are JSON as Python writes it', async (t) => {
    const { cluster, agent, socketPath } = await stage(t);
    const events = await follow(socketPath);
    await events.until((messages) => messages.length > 0);
    agent.flaws.frameLimitBytes = 60;
    cluster.set('web', 'env.x', 'é');
    await events.until(() => events.ended());
    assert.match(events.rest(), /^\{"kind": "patch", "id": \d+, "ts": [\d.]+, "data"/);
  });

  test('a selector filters objects and drops their events, and keeps the ids', async (t) => {
    const { cluster, socketPath } = await stage(t);
    cluster.create('ns1/svc/other', WEB);
    const events = await follow(socketPath, { selector: 'ns1/svc/*' });
    await events.until((messages) => messages.length > 0);
    cluster.set('web', 'env.x', '1');
    cluster.announceDelete('web');
    cluster.set('ns1/svc/other', 'env.x', '1');
    cluster.delete('web', { announced: false });
    await events.until(mentions('[["monitor","services","web"]]'));
    const changes = events.messages.flatMap(({ data }) => data as readonly (readonly unknown[])[]);
    const web = changes.filter((change) => JSON.stringify(change).includes('"web"'));
    assert.ok(web.length > 0);
    assert.ok(web.every((change) => change.length === 1));
    assert.ok(events.messages.every(({ kind }) => kind === 'patch'));
    events.close();
  });

  test('half-closing ends it at once', async (t) => {
    const { agent, socketPath } = await stage(t);
    const socket = connect(socketPath);
    socket.write('{"action":"events"}\0');
    await pause(20);
    assert.equal(agent.stream.subscribers(), 1);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.resume();
    socket.end();
    await closed;
    assert.equal(agent.stream.subscribers(), 0);
  });
});

describe('defects of the stream', () => {
  test('held patches: the last change stays until any request', async (t) => {
    const { cluster, agent, socketPath } = await stage(t, { holdPatches: true, holdMs: 200 });
    const events = await follow(socketPath);
    while (agent.stream.subscribers() === 0) await pause(2);
    const csum = (): string => JSON.stringify(cluster.dataset.get([...CONFIG, 'web', 'csum']));
    cluster.set('web', 'env.x', '1');
    cluster.set('web', 'env.x', '2');
    await pause(250);
    assert.equal(mentions(csum())(events.messages), false);
    await ask(socketPath, { action: 'whoami' });
    await events.until(mentions(csum()));
    events.close();
  });

  test('a frame above the limit cuts every subscriber within the JSON', async (t) => {
    const { cluster, socketPath } = await stage(t);
    const readers = [await follow(socketPath), await follow(socketPath)];
    for (const reader of readers) await reader.until((messages) => messages.length > 0);
    cluster.loseNode('n2');
    for (let index = 0; index < 300; index += 1) cluster.create(`s${index}`, '[DEFAULT]\nnodes = n2\n');
    cluster.rejoinNode('n2');
    for (const reader of readers) {
      await reader.until(() => reader.ended());
      assert.ok(reader.rest().startsWith('{"kind": "patch"'));
      assert.equal(reader.rest().length, 212_992);
    }
    // the list still has it all
    const status = (await ask(socketPath, { action: 'daemon_status' })) as { monitor: { services: object } };
    assert.equal(Object.keys(status.monitor.services).length, 302);
  });

  test('silent unsubscribe: two earlier subscribers die, a third is forgotten', async (t) => {
    const { cluster, agent, socketPath } = await stage(t, { latencyMs: 30 });
    const [a, b, c] = [await follow(socketPath), await follow(socketPath), await follow(socketPath)];
    for (const each of [a, b, c]) await each.until((messages) => messages.length > 0);
    const heard = c.messages.length;
    a.close();
    b.close();
    await pause(80);
    const d = await follow(socketPath);
    await d.until((messages) => messages.length > 0);
    cluster.set('web', 'env.x', '1');
    await d.until(mentions('"csum"'));
    assert.equal(mentions('"csum"')(c.messages.slice(heard)), false);
    assert.equal(c.ended(), false);
    assert.equal(agent.stream.subscribers(), 1);
    c.close();
    d.close();
  });

  test('silence, skipped ids, restarted ids and a cut on demand', async (t) => {
    const { cluster, agent, socketPath } = await stage(t);
    const events = await follow(socketPath);
    await events.until((messages) => messages.length > 0);
    agent.stream.skipIds(3);
    cluster.set('web', 'env.x', '1');
    await events.until(mentions('"csum"'));
    agent.stream.restartIds();
    cluster.set('web', 'env.x', '2');
    await events.until((messages) => ids(messages).at(-1) === 1);
    assert.ok(ids(events.messages).some((id, index, all) => id > (all[index - 1] ?? id) + 1));
    agent.stream.cut();
    await events.until(() => events.ended());
    assert.notEqual(events.rest(), '');

    const deaf = await follow(socketPath);
    await deaf.until((messages) => messages.length > 0);
    agent.stream.silence();
    const heard = deaf.messages.length;
    cluster.set('web', 'env.x', '3');
    await pause(30);
    assert.equal(deaf.messages.length, heard);
    assert.equal(deaf.ended(), false);
    deaf.close();
  });

  test('2.0 paths: relative to the node that the frame names', async (t) => {
    const { cluster, socketPath } = await stage(t, { oldEventPaths: true });
    const events = await follow(socketPath);
    await pause(20);
    cluster.set('web', 'env.x', '1');
    await events.until(mentions('[["services","config","web","csum"]'));
    assert.equal(mentions('"monitor","nodes"')(events.messages), false);
    assert.ok(events.messages.every(({ nodename }) => nodename === 'n1'));
    events.close();
  });
});
