import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createStateFile } from '../../../src/state/state-file.js';

function directory(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'gobtw-state-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('state file', () => {
  test('is written whole, into a directory that it makes, for its owner only', async (t) => {
    const parent = directory(t);
    const file = createStateFile(join(parent, 'a', 'b'));
    assert.deepEqual(await file.read(), { ok: true, value: null });
    assert.deepEqual(await file.write(['one\n', 'two\n']), { ok: true, value: undefined });
    const read = await file.read();
    assert.equal(Buffer.from((read.ok && read.value) || []).toString(), 'one\ntwo\n');
    assert.equal(modeOf(file.path), 0o600);
    assert.equal(modeOf(join(parent, 'a', 'b')), 0o700);
    assert.deepEqual(readdirSync(join(parent, 'a', 'b')), ['state.ndjson']);
  });

  test('lines are taken one after the other, a batch at a time', async (t) => {
    const file = createStateFile(directory(t));
    let made = 0;
    function* lines(): Generator<string> {
      for (; made < 1000; made += 1) yield `${'x'.repeat(999)}\n`;
    }
    const writing = file.write(lines());
    assert.equal(made, 0);
    await writing;
    assert.equal(statSync(file.path).size, 1_000_000);
  });

  test('a write that fails leaves the former one, and nothing beside it', async (t) => {
    const dir = directory(t);
    const file = createStateFile(dir);
    await file.write(['good\n']);
    function* lines(): Generator<string> {
      yield 'x'.repeat(100_000);
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }
    const written = await file.write(lines());
    assert.equal(!written.ok && written.failure.code, 'state-unavailable');
    assert.match((!written.ok && written.failure.message) || '', /cannot write .*ENOSPC/);
    assert.equal(readFileSync(file.path, 'utf8'), 'good\n');
    assert.deepEqual(readdirSync(dir), ['state.ndjson']);
  });

  test('what a crash left beside it is no obstacle, whoever may write it', async (t) => {
    const dir = directory(t);
    writeFileSync(join(dir, 'state.ndjson.new'), 'half', { mode: 0o644 });
    const file = createStateFile(dir);
    await file.write(['good\n']);
    assert.equal(readFileSync(file.path, 'utf8'), 'good\n');
    assert.equal(modeOf(file.path), 0o600);
    assert.deepEqual(readdirSync(dir), ['state.ndjson']);
  });

  test('set aside it is kept, in place of one that was before', async (t) => {
    const dir = directory(t);
    const file = createStateFile(dir);
    for (const text of ['first\n', 'second\n']) {
      await file.write([text]);
      assert.deepEqual(await file.setAside(), { ok: true, value: join(dir, 'state.ndjson.bad') });
    }
    assert.equal(readFileSync(join(dir, 'state.ndjson.bad'), 'utf8'), 'second\n');
    assert.deepEqual(await file.read(), { ok: true, value: null });
  });

  test('what can be no state is corrupt: too large, a directory, a pipe', async (t) => {
    const dir = directory(t);
    const file = createStateFile(dir, 10);
    writeFileSync(file.path, 'x'.repeat(11));
    assert.deepEqual(await file.read().then((read) => !read.ok && read.failure.code), 'state-corrupt');
    rmSync(file.path);
    mkdirSync(file.path);
    assert.deepEqual(await file.read().then((read) => !read.ok && read.failure.code), 'state-corrupt');
    rmSync(file.path, { recursive: true });
    execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', file.path]);
    assert.deepEqual(await file.read().then((read) => !read.ok && read.failure.code), 'state-corrupt');
  });

  test('a directory that is none is said so, with the path', async (t) => {
    const dir = join(directory(t), 'file');
    writeFileSync(dir, '');
    const file = createStateFile(dir);
    for (const answer of [await file.read(), await file.write(['x\n']), await file.setAside()]) {
      assert.equal(!answer.ok && answer.failure.code, 'state-unavailable');
      assert.match((!answer.ok && answer.failure.message) || '', /state\.ndjson: (ENOTDIR|EEXIST)/);
    }
  });
});
