import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { systemClock, type Clock } from '../../../src/clock.js';
import { ok } from '../../../src/errors.js';
import { createLsnrSource } from '../../../src/source/lsnr.js';
import { createInlineCompute } from '../../../src/worker/compute.js';
import type { Source } from '../../../src/source/source.js';
import {
  reply,
  startLsnrServer,
  until,
  type LsnrServer,
  type SeenRequest,
} from '../../support/lsnr-server.js';

interface Followed {
  readonly server: LsnrServer;
  readonly source: Source;
  /** What the handlers were told, in order. */
  readonly told: string[];
  /** The sockets of the streams, oldest first. */
  readonly streams: Socket[];
  readonly stop: () => void;
}

/** The real clock, a hundred times faster for timers: reconnection pauses are not what is tested. */
const hasty: Clock = { ...systemClock, after: (ms, fn) => systemClock.after(ms / 100, fn) };

async function follow(t: TestContext, clock: Clock = hasty, maxBytes?: number): Promise<Followed> {
  const streams: Socket[] = [];
  const told: string[] = [];
  const server = await startLsnrServer((request: SeenRequest, socket) => {
    if (request.action === 'events') streams.push(socket);
    else reply(socket, { cluster: {}, monitor: {} });
  });
  const source = createLsnrSource({
    readStatus: createInlineCompute().readStatus,
    clock,
    random: { next: () => 0 },
    locate: async () => ok(server.path),
    timeoutMs: 5000,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  const stop = source.watch({
    onConfig: (key, csum, node) => told.push(`config ${key} ${csum} ${node}`),
    onMembership: () => told.push('membership'),
    onDeleting: (key) => told.push(`deleting ${key}`),
    onGap: (reason) => told.push(`gap ${reason}`),
    onEvent: (outcome, frames) => told.push(...Array<string>(frames).fill(outcome)),
    onConnected: (up) => told.push(up ? 'up' : 'down'),
  });
  t.after(async () => {
    stop();
    await source.close();
    await server.close();
  });
  await until('the stream is asked for', () => streams.length === 1);
  return { server, source, told, streams, stop };
}

const csum = ['monitor', 'nodes', 'n1', 'services', 'config', 'web', 'csum'];
const patch = (id: number, ...data: unknown[]): string => `${JSON.stringify({ kind: 'patch', id, data })}\0`;
const noise = (id: number): string => patch(id, [['listener', 'stats'], 1]);

describe('the event stream', () => {
  test('hints come with their node, membership once per frame, noise counts as irrelevant', async (t) => {
    const { told, streams, server } = await follow(t);
    const gone = ['monitor', 'services', 'db'];
    const bytes = Buffer.from(noise(5) + patch(6, [csum, 'abc'], [gone], [gone]));
    for (const byte of bytes) streams[0]?.write(Buffer.of(byte));
    await until('the hints', () => told.includes('membership'));
    assert.deepEqual(told, ['up', 'irrelevant', 'relevant', 'config root/svc/web abc n1', 'membership']);
    assert.equal(server.halfClosed, false, 'MUST NOT half-close: the agent ends the stream at once');
    assert.deepEqual(server.requests, [{ action: 'events' }]);
  });

  test('an id that is skipped is a gap, and the stream goes on', async (t) => {
    const { told, streams } = await follow(t);
    streams[0]?.write(noise(5) + noise(6) + noise(9) + noise(10));
    await until('four frames', () => told.filter((word) => word === 'irrelevant').length === 4);
    assert.deepEqual(told, ['up', 'irrelevant', 'irrelevant', 'irrelevant', 'gap id-gap', 'irrelevant']);
  });

  test('ids that begin again mean another daemon, also over a reconnection', async (t) => {
    const { told, streams } = await follow(t);
    streams[0]?.end(noise(500));
    await until('the second stream', () => streams.length === 2);
    streams[1]?.write(noise(501));
    await until('its frame', () => told.filter((word) => word === 'irrelevant').length === 2);
    assert.ok(!told.includes('gap restarted'));
    streams[1]?.end();
    await until('the third stream', () => streams.length === 3);
    streams[2]?.write(noise(1));
    await until('the restart', () => told.includes('gap restarted'));
  });

  for (const [name, bytes, gap] of [
    ['the end', '', 'gap disconnected'],
    ['a frame cut by the end', '{"kind":"patch","id":7,"data":[[["mon', 'gap cut-frame'],
    ['a frame that is no JSON', 'nonsense\0', 'gap not-json'],
    ['a refusal', '{"status":500,"error":"no"}\0', 'gap refused'],
  ] as const) {
    test(`${name}: gap, down, and a new connection`, async (t) => {
      const { told, streams } = await follow(t);
      streams[0]?.end(bytes);
      await until('the second stream', () => streams.length === 2);
      assert.deepEqual(told, ['up', 'down', gap, 'up']);
    });
  }

  test('a frame over the cap', async (t) => {
    const { told, streams } = await follow(t, hasty, 1000);
    streams[0]?.write('x'.repeat(1001));
    await until('the second stream', () => streams.length === 2);
    assert.deepEqual(told, ['up', 'down', 'gap over-cap', 'up']);
  });

  test('a frame of 64 MiB is no crash and no end: a list says what it may have said', async (t) => {
    const { told, streams } = await follow(t);
    const [stream] = streams;
    stream?.write(noise(5));
    for (let i = 0; i < 1024; i++) stream?.write(Buffer.alloc(64 * 1024, '['));
    stream?.write(`\0${patch(7, [csum, 'abc'])}`);
    await until('what came behind it', () => told.includes('config root/svc/web abc n1'));
    assert.deepEqual(told, [
      ...['up', 'irrelevant', 'relevant', 'gap over-cap'],
      ...['relevant', 'gap id-gap', 'config root/svc/web abc n1'],
    ]);
    assert.equal(streams.length, 1);
  });

  test('an agent that is away is waited for, and counts as restarted', async (t) => {
    const { told, streams, server } = await follow(t);
    await server.close();
    await until('a failed attempt', () => told.includes('gap restarted'));
    const back = await startLsnrServer((_, socket) => streams.push(socket), server.path);
    t.after(() => back.close());
    await until('the new stream', () => told.lastIndexOf('up') > 0);
    assert.equal(told.filter((word) => word === 'up').length, 2);
  });

  test('a stream that stays silent while the agent answers is given up', async (t) => {
    let now = 0;
    const clock: Clock = { ...hasty, now: () => now };
    const { told, streams, source } = await follow(t, clock);
    await source.list();
    now = 44_000;
    await source.list();
    assert.deepEqual(told, ['up']);
    now = 46_000;
    await source.list();
    await until('the second stream', () => streams.length === 2);
    assert.deepEqual(told.slice(0, 3), ['up', 'down', 'gap silent']);
  });

  test('stop is the end: no reconnection, no gap', async (t) => {
    const { told, streams, stop, server } = await follow(t);
    stop();
    await until('the connection closes', () => server.open.size === 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(streams.length, 1);
    assert.deepEqual(told, ['up', 'down']);
  });
});
