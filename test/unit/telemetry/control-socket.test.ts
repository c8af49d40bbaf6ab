import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { spawnSync } from 'node:child_process';
import { systemClock } from '../../../src/clock.js';
import { type ControlSocket, createControlSocket } from '../../../src/telemetry/control-socket.js';

function pathOf(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'igw-control-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'janitor.sock');
}

function socketAt(t: TestContext, path: string, said: string): ControlSocket {
  const page = { status: 200, contentType: 'text/plain', body: said };
  const control = createControlSocket({
    ...{ clock: systemClock, path },
    routes: new Map([['/look', () => page]]),
    commands: new Map([['/act', () => page]]),
  });
  t.after(() => control.stop());
  return control;
}

function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the control socket', () => {
  test('is of mode 0600, answers GET and POST, and goes when it is stopped', async (t) => {
    const path = pathOf(t);
    const control = socketAt(t, path, 'done');
    assert.equal((await control.start()).ok, true);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await ask(path, 'POST', '/act'), '200 done');
    assert.equal(await ask(path, 'GET', '/look'), '200 done');
    assert.equal(await ask(path, 'GET', '/act'), '404 not found\n');
    assert.equal(await ask(path, 'POST', '/look'), '404 not found\n');
    assert.equal(await ask(path, 'DELETE', '/look'), '405 only GET and HEAD\n');
    await control.stop();
    assert.equal(existsSync(path), false);
  });

  test('takes the place of a socket that nobody answers on', async (t) => {
    const path = pathOf(t);
    // Killed, so that nobody removes the file.
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    assert.equal(existsSync(path), true);
    assert.equal((await socketAt(t, path, 'new').start()).ok, true);
    assert.equal(await ask(path, 'GET', '/look'), '200 new');
  });

  test('never takes the place of a living one', async (t) => {
    const path = pathOf(t);
    assert.equal((await socketAt(t, path, 'first').start()).ok, true);
    const second = await socketAt(t, path, 'second').start();
    assert.match(second.ok ? '' : second.failure.message, /^another living process answers on \//);
    assert.equal(await ask(path, 'GET', '/look'), '200 first');
  });

  test('nor of a living one that is no janitor and says nothing', async (t) => {
    const path = pathOf(t);
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(path, resolve));
    t.after(() => mute.close());
    assert.equal((await socketAt(t, path, 'x').start()).ok, false);
  });

  test('nor of a file that is no socket', async (t) => {
    const path = pathOf(t);
    writeFileSync(path, 'precious');
    const opened = await socketAt(t, path, 'x').start();
    assert.match(opened.ok ? '' : opened.failure.message, /is a file, and no socket/);
    assert.equal(readFileSync(path, 'utf8'), 'precious');
  });

  test('a directory that is not there is said', async (t) => {
    const opened = await socketAt(t, join(pathOf(t), '..', 'no', 'such.sock'), 'x').start();
    assert.match(opened.ok ? '' : opened.failure.message, /^there is no directory .*no$/);
  });
});
