import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import { createAgentLocator, lsnrPath, type AgentLocator } from '../../../src/source/probe.js';
import { startLsnrServer } from '../../support/lsnr-server.js';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'agent-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** An agent that says `bytes` to whatever it is asked, once it was asked something. */
async function listen(t: TestContext, path: string, bytes: string): Promise<string[]> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      asked.push(chunk.toString());
      for (const byte of bytes) socket.write(byte);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return asked;
}

const V2 = '{"nodes":{"n1":{"name":"root"}},"status":0}\0';
const V3 = 'HTTP/1.1 400 Bad Request\r\n\r\n';
const find = (options: {
  given?: string;
  directories?: readonly string[];
  timeoutMs?: number;
}): AgentLocator => createAgentLocator({ clock: systemClock, given: null, timeoutMs: 30_000, ...options });
const codeOf = async (locator: AgentLocator): Promise<string> => {
  const result = await locator.locate();
  return result.ok ? result.value.dialect : result.failure.code;
};

describe('finding the agent', () => {
  test('JSON means v2.1, an HTTP answer v3; the one question is asked once', async (t) => {
    const directory = folder(t);
    const asked = await listen(t, join(directory, 'lsnr.sock'), V2);
    assert.equal(await codeOf(find({ directories: [directory] })), 'v2.1');
    assert.deepEqual(asked, ['{"action":"whoami","method":"GET","node":"ANY"}\r\n\r\n\0']);
    await listen(t, join(directory, 'http.sock'), V3);
    assert.equal(await codeOf(find({ directories: [directory] })), 'v3', 'http.sock goes first');
  });

  test('a stale socket file proves nothing: the one that answers counts', async (t) => {
    const directory = folder(t);
    writeFileSync(join(directory, 'http.sock'), '');
    await listen(t, join(directory, 'lsnr.sock'), V2);
    const found = await find({ directories: [join(directory, 'none'), directory] }).locate();
    assert.deepEqual(found, { ok: true, value: { path: join(directory, 'lsnr.sock'), dialect: 'v2.1' } });
  });

  test('the first directory with an agent wins', async (t) => {
    const [first, second] = [folder(t), folder(t)];
    await listen(t, join(second, 'lsnr.sock'), V2);
    assert.equal(await codeOf(find({ directories: [first, second] })), 'v2.1');
  });

  test('a given path is the only one; its dialect is probed too, and a directory is looked into', async (t) => {
    const directory = folder(t);
    const path = join(directory, 'any.name');
    await listen(t, path, V3);
    assert.equal(await codeOf(find({ given: path })), 'v3');
    await listen(t, join(directory, 'lsnr.sock'), V2);
    assert.equal(await codeOf(find({ given: directory })), 'v2.1');
    assert.equal(await codeOf(find({ given: join(directory, 'none') })), 'agent-unreachable');
  });

  test('a failure names the path, the reason, and what to look at', async (t) => {
    const directory = folder(t);
    const messageOf = async (given: string): Promise<string> => {
      const found = await find({ given }).locate();
      return found.ok ? '' : found.failure.message;
    };
    const none = join(directory, 'none');
    const message = await messageOf(none);
    assert.ok(message.startsWith(`${none}: ENOENT: there is no such socket`), message);
    assert.match(message, /--socket$/);
    const file = join(directory, 'file');
    writeFileSync(file, '');
    assert.match(await messageOf(file), /\/file: ECONNREFUSED: nobody answers .*agent/);
    assert.match(await messageOf(directory), /no agent's socket at .*--socket/);
  });

  test('nothing there, silence, a stranger', async (t) => {
    const directory = folder(t);
    assert.equal(await codeOf(find({ directories: [directory, join(directory, 'none')] })), 'agent-absent');
    await listen(t, join(directory, 'http.sock'), '');
    assert.equal(await codeOf(find({ directories: [directory], timeoutMs: 200 })), 'agent-timeout');
    await listen(t, join(directory, 'other'), 'SSH-2.0-x');
    assert.equal(await codeOf(find({ given: join(directory, 'other') })), 'agent-dialect');
  });

  test('a directory that was deleted on the host while it is mounted here: stale-mount', async (t) => {
    const directory = join(folder(t), 'lsnr');
    mkdirSync(directory);
    const held = openSync(directory, 'r');
    rmdirSync(directory);
    // What a bind mount of a deleted directory looks like: a directory without a link.
    const mounted = join(folder(t), 'mounted');
    symlinkSync(`/proc/self/fd/${held}`, mounted);
    const locator = find({ directories: [mounted] });
    assert.equal(await codeOf(locator), 'stale-mount');
    assert.equal(locator.problem()?.code, 'stale-mount');
    const again = locator.locate();
    assert.equal(locator.problem()?.code, 'stale-mount', 'while it is looked for again, too');
    await again;
    const healthy = find({ directories: [folder(t)] });
    await healthy.locate();
    assert.equal(healthy.problem(), null);
  });
});

describe('lsnrPath', () => {
  test('probes at a reconnection, else gives what it found; an agent of v3 is said to be one', async (t) => {
    const directory = folder(t);
    const server = await startLsnrServer((_, socket) => socket.end(V2), join(directory, 'lsnr.sock'));
    const path = lsnrPath(find({ directories: [directory] }));
    const found = await Promise.all([path(false), path(false), path(true)]);
    assert.deepEqual(new Set(found.map((result) => result.ok && result.value)), new Set([server.path]));
    assert.equal(server.requests.length, 1, 'asked together, probed once');
    await path(false);
    assert.equal(server.requests.length, 1);
    await path(true);
    assert.equal(server.requests.length, 2);
    await server.close();
    await listen(t, join(directory, 'http.sock'), V3);
    const upgraded = await path(true);
    assert.ok(!upgraded.ok && upgraded.failure.code === 'agent-dialect');
    const again = await path(false);
    assert.ok(!again.ok, 'the old path is forgotten');
  });
});
