import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppRig, type AppRigOptions, openApp } from '../../support/app-rig.js';
import { createMemoryState, type MemoryState } from '../../support/memory-state.js';

const name = (label: number, service: string): string => `_${label}._tcp.${service}.root.svc`;
const warn = { 'log-level': 'warn' };

async function open(
  prepare: (rig: AppRig) => void,
  options: AppRigOptions = {},
): Promise<{ rig: AppRig; state: MemoryState }> {
  const state = createMemoryState();
  return { state, rig: await openApp({ ...options, state, prepare }) };
}

/** The config reads since the last call, by service. */
function reads(rig: AppRig): readonly string[] {
  const all = rig.source.requests.filter((request) => /^(raw|evaluate) /.test(request));
  rig.source.requests.length = 0;
  return [...new Set(all.map((request) => request.replace(/^.*\//, '')))].sort();
}

const three = (rig: AppRig): void => {
  rig.put('a', '80/tcp-:1080');
  rig.put('b', '80/tcp');
  rig.source.put('c', { igw_gobtw_bind: '{env.ports}', ports: '80/tcp 443/tcp' });
};

describe('warm start', () => {
  test('a start on an unchanged cluster reads no config', async () => {
    const { rig } = await open(three);
    await rig.advance(30_000);
    assert.deepEqual(reads(rig), ['a', 'b', 'c']);
    const before = rig.served();
    rig.calls();
    await rig.restart();
    assert.deepEqual(reads(rig), []);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('a start reads what changed meanwhile, and nothing else', async () => {
    const { rig } = await open(three);
    await rig.advance(30_000);
    await rig.stop();
    reads(rig);
    rig.put('a', '80/tcp-:1081');
    rig.put('d', '80/tcp-:1084');
    await rig.restart();
    assert.deepEqual(reads(rig), ['a', 'd']);
    await rig.advance(10_000);
    assert.equal(rig.served()[name(80, 'a')], '0.0.0.0:1081');
    assert.equal(rig.served()[name(80, 'd')], '0.0.0.0:1084');
    await rig.stop();
  });

  test('what was read in the last 20 s may be newer than its checksum: it is read again', async () => {
    const { rig } = await open(three);
    await rig.advance(30_000);
    rig.put('a', '80/tcp-:1081');
    await rig.advance(5000);
    reads(rig);
    await rig.restart();
    assert.deepEqual(reads(rig), ['a']);
    await rig.stop();
  });

  test('a crash costs what changed since the last save, a minute ago at most', async () => {
    const { rig, state } = await open(three);
    await rig.advance(100_000);
    assert.ok(state.writes >= 1);
    rig.put('a', '80/tcp-:1081');
    await rig.advance(90_000);
    const kept = state.bytes;
    rig.put('b', '80/tcp-:1082');
    await rig.advance(20_000);
    await rig.stop();
    state.bytes = kept;
    reads(rig);
    await rig.restart();
    assert.deepEqual(reads(rig), ['b']);
    await rig.stop();
  });

  test('nothing is written while nothing changes, and not in a start that plans nothing', async () => {
    const { rig, state } = await open(three);
    await rig.advance(300_000);
    const { writes } = state;
    assert.ok(writes <= 3, `${writes} writes`);
    await rig.advance(3_600_000);
    assert.equal(state.writes, writes);
    await rig.stop();
    const kept = state.bytes;
    rig.balancer.down(true);
    await rig.restart();
    await rig.advance(100_000);
    await rig.stop();
    assert.equal(state.bytes, kept);
  });

  test('a failover: an empty GoBetween gets everything, with the ports that were, and without a read', async () => {
    const { rig } = await open(three, { given: { 'write-back': 'off' } });
    await rig.advance(30_000);
    const before = rig.served();
    await rig.stop();
    reads(rig);
    // Others came first in the order of ports: only the record says who had which.
    rig.balancer.restart();
    await rig.restart({ 'write-back': 'off', 'port-range': '1024-40000' });
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    assert.deepEqual(reads(rig), []);
    await rig.stop();
  });

  test('the port of a reference, which cannot be written back, is kept', async () => {
    const { rig, state } = await open((r) =>
      r.source.put('ref', { igw_gobtw_bind: '{env.ports}', ports: '80/tcp' }),
    );
    await rig.advance(30_000);
    const before = rig.served();
    await rig.stop();
    rig.balancer.restart();
    await rig.restart({ 'port-range': '1024-40000' });
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    state.bytes = null; // without the record it moves: the range is another
    await rig.stop();
    state.bytes = null;
    rig.balancer.restart();
    await rig.restart({ 'port-range': '20000-40000' });
    await rig.advance(5000);
    assert.notDeepEqual(rig.served(), before);
    await rig.stop();
  });

  test('a spoiled service keeps its last good servers though GoBetween forgot them too', async () => {
    const { rig } = await open((r) => r.put('web', '80/tcp-:1080 443/tcp'));
    await rig.advance(30_000);
    const before = rig.served();
    await rig.stop();
    rig.put('web', rig.bindOf('web') ?? '', { protocol: 'tls' });
    rig.balancer.restart();
    await rig.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    assert.ok(rig.problems().some((line) => line.endsWith(' web')));
    rig.put('web', rig.bindOf('web') ?? '');
    rig.calls();
    await rig.advance(5000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('beside a bad word the server that it may have meant comes back too', async () => {
    const { rig } = await open((r) => r.put('web', '80/tcp-:1080 443/tcp-:1443'));
    await rig.advance(30_000);
    const before = rig.served();
    await rig.stop();
    rig.put('web', '80/tcp-:1080 443/');
    rig.balancer.restart();
    await rig.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), before);
    await rig.stop();
  });

  test('who had a contested port longer keeps it', async () => {
    const { rig } = await open((r) => r.put('zoe', '80/tcp-:1080'));
    await rig.advance(30_000);
    rig.put('ann', '80/tcp-:1080');
    await rig.advance(30_000);
    assert.deepEqual(rig.served(), { [name(80, 'zoe')]: '0.0.0.0:1080' });
    await rig.stop();
    rig.balancer.restart();
    await rig.restart();
    await rig.advance(5000);
    assert.deepEqual(rig.served(), { [name(80, 'zoe')]: '0.0.0.0:1080' });
    await rig.stop();
  });

  test('a service that was deleted meanwhile gets no server, and keeps no port from others', async () => {
    const { rig } = await open(three);
    await rig.advance(30_000);
    await rig.stop();
    rig.source.remove('a', { quiet: true });
    rig.put('new', '80/tcp-:1080');
    rig.balancer.restart();
    await rig.restart();
    await rig.advance(5000);
    assert.equal(rig.served()[name(80, 'a')], undefined);
    assert.equal(rig.served()[name(80, 'new')], '0.0.0.0:1080');
    await rig.stop();
  });

  test('a list of less than half of what the state knows is a suspicion', async () => {
    const { rig } = await open((r) => {
      for (let i = 0; i < 30; i += 1) r.put(`s${i}`, `80/tcp-:${2000 + i}`);
    });
    await rig.advance(30_000);
    await rig.stop();
    for (let i = 5; i < 30; i += 1) rig.source.hidden.add(`s${i}`);
    rig.balancer.restart(); // so that its servers are no witness
    await rig.restart();
    await rig.advance(5000);
    assert.ok(rig.problems().includes('list-shrunk'), rig.problems().join());
    await rig.stop();
  });

  test('the state of another cluster is set aside with one line, and nothing of it counts', async () => {
    const { rig, state } = await open((r) => r.put('web', '80/tcp-:1080'));
    await rig.advance(30_000);
    await rig.stop();
    const [head = '', ...rest] = (state.bytes ?? Buffer.alloc(0)).toString().split('\n');
    const other = await restamp([head.replace(/"cluster":"[^"]*"/, '"cluster":"other"'), ...rest]);
    state.bytes = other;
    rig.put('web', '80/tcp-:1080', { protocol: 'tls' });
    rig.balancer.restart();
    await rig.restart(warn);
    await rig.advance(5000);
    assert.deepEqual(rig.served(), {}, 'the last good server is the other cluster’s');
    const lines = rig.log.filter(({ msg }) => /state\.ndjson/.test(msg));
    assert.equal(lines.length, 1);
    assert.match(lines[0]?.msg ?? '', /of the cluster other.*set aside as \/state\/state\.ndjson\.bad/);
    assert.equal(state.aside, other);
    await rig.stop();
  });

  for (const [what, spoil] of [
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100)],
    ['changed', (bytes: Buffer) => Buffer.from(bytes.toString().replace('1080', '1081'))],
    [
      'of another version',
      (bytes: Buffer) => Buffer.from(bytes.toString().replace('"version":1', '"version":9')),
    ],
    ['something else', () => Buffer.from('#!/bin/sh\n')],
    ['empty', () => Buffer.alloc(0)],
  ] as const) {
    test(`a file that is ${what} is set aside with one line, and the start is cold`, async () => {
      const { rig, state } = await open(three);
      await rig.advance(30_000);
      await rig.stop();
      const before = rig.served();
      reads(rig);
      rig.calls();
      const bad = spoil(state.bytes ?? Buffer.alloc(0));
      state.bytes = bad;
      await rig.restart(warn);
      await rig.advance(30_000);
      assert.deepEqual(reads(rig), ['a', 'b', 'c']);
      assert.deepEqual(rig.served(), before);
      assert.deepEqual(rig.calls(), []);
      assert.equal(rig.log.filter(({ msg }) => /state\.ndjson/.test(msg)).length, 1);
      assert.equal(state.aside, bad);
      assert.deepEqual(rig.problems(), ['not-written-back c']);
      await rig.stop();
      await rig.restart();
      reads(rig);
      await rig.restart();
      assert.deepEqual(reads(rig), [], 'the next one is warm again');
      await rig.stop();
    });
  }

  test('a disk that fails is a warning that ends with it; the work goes on', async () => {
    const { rig, state } = await open(three);
    state.failing = { code: 'state-unavailable', retry: 'backoff', message: 'cannot write: ENOSPC' };
    await rig.advance(100_000);
    assert.ok(rig.problems().includes('state-unavailable'));
    rig.put('a', '80/tcp-:1099');
    await rig.advance(10_000);
    assert.equal(rig.served()[name(80, 'a')], '0.0.0.0:1099');
    state.failing = null;
    await rig.advance(200_000);
    assert.ok(!rig.problems().includes('state-unavailable'));
    assert.notEqual(state.bytes, null);
    await rig.stop();
  });

  test('a disk that cannot be read is a warning, and the start is cold', async () => {
    const state = createMemoryState();
    state.failing = { code: 'state-unavailable', retry: 'backoff', message: 'cannot read: EIO' };
    const rig = await openApp({ state, prepare: three });
    assert.ok(rig.problems().includes('state-unavailable'));
    assert.equal(Object.keys(rig.served()).length, 4);
    await rig.stop();
  });

  test('plan and apply look at it and leave it as it is', async () => {
    const state = createMemoryState();
    const first = await openApp({ state, prepare: three });
    await first.advance(30_000);
    await first.stop();
    const kept = state.bytes;
    const rig = await openApp({ state, keepsState: false, prepare: three });
    await rig.advance(100_000);
    await rig.stop();
    assert.equal(state.bytes, kept);
    state.bytes = Buffer.from('nonsense');
    const other = await openApp({ state, keepsState: false, prepare: three });
    await other.advance(100_000);
    await other.stop();
    assert.equal(state.bytes.toString(), 'nonsense');
  });
});

/** The same lines with an end that fits them. */
async function restamp(lines: readonly string[]): Promise<Buffer> {
  const { createHash } = await import('node:crypto');
  const records = lines.slice(0, -2);
  const text = records.map((line) => `${line}\n`).join('');
  const sha256 = createHash('sha256').update(text).digest('hex');
  return Buffer.from(`${text}${JSON.stringify({ records: records.length, sha256 })}\n`);
}
