import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import type { HealthReport } from '../../../src/telemetry/health.js';
import { createHttpServer, indexRoute, watchRoutes } from '../../../src/telemetry/http.js';

let ready: HealthReport = { ok: false, reasons: { list: 'the list is not complete' } };
const watch = watchRoutes({
  expose: async (accept) => ({ contentType: accept ?? 'text/plain', body: 'metric 1\n' }),
  liveness: () => ({ ok: true, reasons: {} }),
  readiness: () => ready,
});
const errors: string[] = [];
const server = createHttpServer({
  clock: systemClock,
  listen: { addr: '127.0.0.1', port: 0 },
  routes: new Map([
    ...watch,
    ['/', indexRoute([...watch.keys()])],
    ['/broken', () => assert.fail('broken route')],
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

  test('the index names the paths', async () => {
    assert.match((await ask('/')).body, /\/metrics\n\/healthz\n\/readyz\n$/);
  });

  test('strict headers on every answer', async () => {
    for (const path of ['/', '/metrics', '/nowhere', '/broken']) {
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
