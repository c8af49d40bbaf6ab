import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { startWorld } from '../../../src/sim/world.js';
import { findPortBlock, isFree } from '../../../src/sim/world-ports.js';
import { askMany, askTcp, askUdp } from '../../../src/sim/world-traffic.js';
import { until } from '../../../src/sim/world-wait.js';

test('a port block is free, has no port twice, and ends before its range', async () => {
  const block = await findPortBlock(10);
  const singles = Array.from({ length: 40 }, () => block.take());
  assert.equal(new Set(singles).size, 40);
  assert.throws(() => block.take(), /in use/);
  assert.equal(block.range.to - block.range.from, 9);
  assert.ok(singles.every((port) => port < block.range.from));
  assert.equal(await isFree(block.range.to), true);
});

test('blocks side by side share no port, though nothing listens in them yet', async () => {
  const blocks = await Promise.all(Array.from({ length: 30 }, () => findPortBlock(60)));
  const starts = blocks.map((block) => block.range.from).sort((a, b) => a - b);
  for (const [i, start] of starts.slice(1).entries()) assert.ok(start - (starts[i] ?? 0) >= 100);
  for (const block of blocks) block.release();
});

test('a preferred port that is taken is not used', async (t) => {
  const block = await findPortBlock(1);
  const taken = block.take();
  const server = createServer().listen(taken, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  assert.equal(await isFree(taken), false);
  assert.notEqual(await block.prefer(taken), taken);
  const free = block.take();
  assert.equal(await block.prefer(free), free);
});

test('a world forwards traffic to the instances of a service, and follows its scale', async (t) => {
  const world = await startWorld({ gobetweenBin: process.env['GOBETWEEN_BIN'] || undefined });
  t.after(() => world.stop());
  const http = world.ports.take();
  const path = world.addService('web', { bind: `${http}/tcp`, expose: [`${http}/tcp`], instances: 2 });
  assert.equal(world.bindOf(path), `${http}/tcp`);
  const listen = world.ports.take();
  const dnsPort = /dns_port = (\d+)/.exec(world.cluster.configText(path) ?? '')?.[1];
  await world.addForeign('by-hand', {
    protocol: 'tcp',
    bind: `127.0.0.1:${listen}`,
    balance: 'roundrobin',
    discovery: {
      kind: 'srv',
      interval: '500ms',
      timeout: '1s',
      srv_lookup_server: `127.0.0.1:${dnsPort ?? ''}`,
      srv_lookup_pattern: `_${http}._tcp.web.root.svc.demo.`,
      srv_dns_protocol: 'tcp',
    },
    healthcheck: { kind: 'none' },
  });
  const answering = async (): Promise<number> => {
    const replies = await askMany(listen, 6);
    const who = replies.map((reply) => (reply.ok && reply.service === 'web' ? reply.who : 'nobody'));
    return who.includes('nobody') ? 0 : new Set(who).size;
  };
  assert.equal(await until(async () => (await answering()) === 2, 5000), true);
  world.scale(path, 3);
  assert.equal(await until(async () => (await answering()) === 3, 5000), true);
  assert.deepEqual(world.writes(), { posts: 1, deletes: 0 });
  await world.restartGoBetween();
  assert.deepEqual(await world.servers(), {});
  assert.deepEqual(await askTcp(listen), { ok: false, why: 'ECONNREFUSED' });
});

test('nobody answers where nobody listens', async () => {
  const block = await findPortBlock(1);
  assert.deepEqual(await askTcp(block.take()), { ok: false, why: 'ECONNREFUSED' });
  assert.equal((await askUdp(block.take())).ok, false);
});
