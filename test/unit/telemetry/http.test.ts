import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import type { HealthReport } from '../../../src/telemetry/health.js';
import { createHttpServer, onlyUnderNames, type Route, watchRoutes } from '../../../src/telemetry/http.js';

let ready: HealthReport = { ok: false, reasons: { list: 'the list is not complete' } };
const watch = watchRoutes({
  expose: async (accept) => ({ contentType: accept ?? 'text/plain', body: 'metric 1\n' }),
  liveness: () => ({ ok: true, reasons: {} }),
  readiness: () => ready,
});
const errors: string[] = [];
const followers = new Set<(text: string) => boolean>();
const text = (body: string) => ({ status: 200, contentType: 'text/plain', body });

function* pieces(count: number, end = ''): Generator<string> {
  for (let i = 0; i < count; i++) yield `${i}`.padEnd(10_000, '.');
  if (end !== '') throw new Error(end);
}

const server = createHttpServer({
  clock: systemClock,
  listen: { addr: '127.0.0.1', port: 0 },
  routes: new Map([
    ...watch,
    ['/broken', () => assert.fail('broken route')],
    ...onlyUnderNames(() => ['gw1'], new Map<string, Route>([['/', () => text('page')]])),
    ['/long', () => ({ status: 200, contentType: 'text/plain', pieces: pieces(300) })],
    ['/torn', () => ({ status: 200, contentType: 'text/plain', pieces: pieces(3, 'torn') })],
    [
      '/follow',
      () => ({
        status: 200,
        contentType: 'text/event-stream',
        follow(send) {
          followers.add(send);
          send('hello\n');
          return () => void followers.delete(send);
        },
      }),
    ],
    ['/full', () => ({ status: 200, contentType: 'text/event-stream', follow: () => null })],
  ]),
  onError: (path) => void errors.push(path),
});
let port = 0;

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {} } = options;
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('the HTTP server', () => {
  before(async () => {
    const started = await server.start();
    assert.ok(started.ok);
    port = started.value.port;
  });
  after(() => server.stop());

  test('serves metrics by the Accept header', async () => {
    const reply = await ask('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-type'], 'application/openmetrics-text');
    assert.equal(reply.body, 'metric 1\n');
  });

  test('/healthz is 200, /readyz is 503 with reasons until ready', async () => {
    assert.deepEqual(JSON.parse((await ask('/healthz')).body), { ok: true, reasons: {} });
    const waiting = await ask('/readyz');
    assert.equal(waiting.status, 503);
    assert.deepEqual(JSON.parse(waiting.body), { ok: false, reasons: { list: 'the list is not complete' } });
    ready = { ok: true, reasons: {} };
    assert.equal((await ask('/readyz?verbose')).status, 200);
  });

  test('the page is for who asks by address or by a name of ours: a page elsewhere cannot read it', async () => {
    for (const host of ['127.0.0.1', `[::1]:${port}`, 'localhost:1', 'GW1', '10.0.0.1:8889']) {
      assert.equal((await ask('/', { headers: { host } })).status, 200, host);
    }
    for (const host of ['evil.example', 'gw1.evil.example:8889', '127.0.0.1.nip.io']) {
      assert.equal((await ask('/', { headers: { host } })).status, 421, host);
      assert.equal((await ask('/metrics', { headers: { host } })).status, 200, 'scraped by any name');
    }
  });

  test('a long answer arrives whole, piece by piece, and others are answered meanwhile', async () => {
    const long = ask('/long');
    assert.equal((await ask('/healthz')).status, 200);
    const { body } = await long;
    assert.equal(body.length, 3_000_000);
  });

  test('a bug in the middle of a long answer cuts it, so that nobody takes a part for the whole', async () => {
    await assert.rejects(
      ask('/torn').then(({ body }) => assert.equal(body, 'whole')),
      /aborted|ECONNRESET|hang up/,
    );
    assert.ok(errors.includes('pieces'));
    errors.splice(errors.indexOf('pieces'), 1);
  });

  test('who follows is told, until he leaves', async () => {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/follow', agent: false });
    const heard = new Promise<string>((resolve) =>
      request.on('response', (response) => response.setEncoding('utf8').once('data', resolve)),
    );
    request.end();
    assert.equal(await heard, 'hello\n');
    assert.equal(followers.size, 1);
    request.destroy();
    for (let i = 0; i < 100 && followers.size > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(followers.size, 0);
    assert.match((await ask('/full')).body, /^event: full\n/);
  });

  test('who follows and reads nothing is cut off, and holds a few megabytes at most', async () => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /follow HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.pause();
    for (let i = 0; i < 100 && followers.size === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const [send] = followers;
    let sent = 0;
    while (send?.('x'.repeat(100_000)) === true && sent < 2000) sent += 1;
    assert.ok(sent < 200, `${sent} times 100 kB were kept for a viewer that does not read`);
    socket.destroy();
  });

  test('strict headers on every answer', async () => {
    for (const path of ['/', '/metrics', '/nowhere', '/broken', '/long']) {
      const { headers } = await ask(path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.equal(headers['cache-control'], 'no-store', path);
      assert.match(String(headers['content-security-policy']), /default-src 'none'/, path);
      assert.equal(headers['x-frame-options'], 'DENY', path);
    }
  });

  test('HTTP is read-only: everything but GET and HEAD is 405', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const reply = await ask('/metrics', { method });
      assert.equal(reply.status, 405, method);
      assert.equal(reply.headers.allow, 'GET, HEAD');
    }
  });

  test('HEAD has the headers of GET and no body', async () => {
    const reply = await ask('/metrics', { method: 'HEAD' });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-length'], '9');
    assert.equal(reply.body, '');
  });

  test('a body is never read: the connection ends', async () => {
    const reply = await ask('/metrics', { method: 'POST', body: 'x'.repeat(1000) });
    assert.equal(reply.headers.connection, 'close');
  });

  test('a bug in a route is a 500 without its text', async () => {
    const reply = await ask('/broken');
    assert.equal(reply.status, 500);
    assert.equal(reply.body, 'internal error\n');
    assert.deepEqual(new Set(errors), new Set(['/broken']));
  });

  test('unknown and hostile paths are 404 or 400', async () => {
    for (const path of [
      '/metrics/',
      '/../etc/passwd',
      '//evil/metrics',
      '/%00',
      '/constructor',
      '/__proto__',
    ]) {
      assert.equal((await ask(path)).status, 404, path);
    }
    assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(
      await raw('GET http://evil/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 404 /,
    );
    assert.match(
      await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`),
      /^HTTP\/1\.1 4\d\d /,
    );
  });

  test('a port that another program has is a failure that says so', async () => {
    const second = createHttpServer({
      clock: systemClock,
      listen: { addr: '127.0.0.1', port },
      routes: watch,
    });
    const started = await second.start();
    assert.deepEqual(started, {
      ok: false,
      failure: {
        code: 'listen-failed',
        retry: 'no',
        message: `cannot listen on 127.0.0.1:${port}: another program has this port`,
      },
    });
    await second.stop();
  });
});

test('only the routes that it was given are served', async () => {
  const small = createHttpServer({
    clock: systemClock,
    listen: { addr: '127.0.0.1', port: 0 },
    routes: watch,
  });
  const started = await small.start();
  assert.ok(started.ok);
  port = started.value.port;
  assert.equal((await ask('/')).status, 404);
  assert.equal((await ask('/healthz')).status, 200);
  await small.stop();
});

test('a client that holds its connection does not hold the stop', async () => {
  const held = createHttpServer({
    clock: systemClock,
    listen: { addr: '127.0.0.1', port: 0 },
    routes: watch,
  });
  const started = await held.start();
  assert.ok(started.ok);
  const socket = connect(started.value.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await held.stop();
  await closed;
  assert.ok(socket.destroyed);
});
