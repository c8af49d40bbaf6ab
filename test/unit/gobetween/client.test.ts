import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import { timeRequests } from '../../../src/effects.js';
import { type ClientOptions, classifyRefusal, createClient } from '../../../src/gobetween/client.js';
import type { Balancer, Outcome } from '../../../src/gobetween/outcome.js';
import { type Asked, startScripted } from '../../support/http-script.js';
import { eventually } from '../../support/world.js';

type Use = (client: Balancer, asked: readonly Asked[], connections: () => number) => Promise<void>;

async function withAnswer(
  answer: (response: ServerResponse, asked: Asked) => void,
  use: Use,
  options: Partial<ClientOptions> = {},
): Promise<void> {
  const server = await startScripted(answer);
  const client = createClient({
    url: server.url,
    clock: systemClock,
    reqTimeoutMs: 2000,
    concurrency: 4,
    ...options,
  });
  try {
    await use(client, server.asked, server.connections);
  } finally {
    await client.close();
    await server.close();
  }
}

const reply = (status: number, body: string) => (response: ServerResponse) => {
  response.writeHead(status).end(body);
};

describe('what the replies of GoBetween mean', () => {
  const refusals: [string, Outcome][] = [
    ['Server with this name already exists: a', 'exists'],
    ['listen tcp 127.0.0.1:21900: bind: address already in use', 'port-busy'],
    [
      'Could not start listening UDP: Failed to create listening udp socket: listen udp 127.0.0.1:21901: bind: address already in use',
      'port-busy',
    ],
    ['listen tcp 192.0.2.1:80: bind: cannot assign requested address', 'no-address'],
    [
      'Could not start listening UDP: Failed to create listening udp socket: listen udp 192.0.2.1:53: bind: cannot assign requested address',
      'no-address',
    ],
    ['listen tcp 0.0.0.0:80: bind: permission denied', 'denied'],
    ['open /etc/x.pem: permission denied', 'file-error'],
    ['open /nonexistent/c: no such file or directory', 'file-error'],
    ['open : no such file or directory', 'file-error'],
    ['read /etc: is a directory', 'file-error'],
    ['open /x/listen tcp 1: bind: address already in use', 'file-error'],
    ['open /x.pem: too many open files', 'no-files'],
    ['listen tcp 127.0.0.1:1024: socket: too many open files', 'no-files'],
    ['tls: failed to find any PEM data in certificate input', 'file-error'],
    ['Bad access rule format: allow bind: address already in use', 'invalid'],
    ['Cant use ping healthcheck with udp server', 'invalid'],
    ['listen tcp: address 70000: invalid port', 'invalid'],
    [
      'udp protocol requires to specify at least one of (client|backend)_idle_timeout, udp.max_requests, udp.max_responses',
      'invalid',
    ],
  ];
  for (const [text, outcome] of refusals) {
    test(`409 ${text.slice(0, 70)} is ${outcome}`, async () => {
      assert.equal(classifyRefusal(text), outcome);
      await withAnswer(reply(409, JSON.stringify(text)), async (client) => {
        assert.deepEqual(await client.create('a', '{}'), { outcome, detail: text });
      });
    });
  }

  test('400, 404, 301, 401 and 502', async () => {
    const expected: [number, string, Outcome][] = [
      [400, '"EOF"', 'invalid'],
      [404, '404 page not found', 'invalid'],
      [301, '<a href="/servers">', 'invalid'],
      [401, '', 'unauthorized'],
      [502, 'bad gateway', 'unreachable'],
    ];
    for (const [status, body, outcome] of expected) {
      await withAnswer(reply(status, body), async (client) => {
        assert.equal((await client.create('a', '{}')).outcome, outcome, `HTTP ${status}`);
      });
    }
  });

  test('answers that are read', async () => {
    const bodies: Record<string, string> = {
      '/': '{"pid":42,"startTime":"2026-01-01T00:00:00.1Z","version":""}',
      '/servers': '{"a":{"bind":"x"}}',
      '/servers/a': '{"bind":"x"}',
      '/servers/none': 'null',
      '/servers/a/stats': '{"active_connections":3,"rx_second":7,"tx_second":9,"backends":[]}',
      '/servers/none/stats': 'null',
    };
    const answer = (response: ServerResponse, asked: Asked): void => {
      response.end(asked.method === 'GET' ? bodies[asked.url] : 'null');
    };
    await withAnswer(answer, async (client, asked) => {
      const ok = <T>(value: T) => ({ outcome: 'ok', value, detail: '' });
      assert.deepEqual(await client.status(), ok({ pid: 42, startTime: '2026-01-01T00:00:00.1Z' }));
      const list = await client.list();
      assert.equal(Buffer.from(list.value ?? []).toString(), '{"a":{"bind":"x"}}');
      assert.deepEqual(await client.get('a'), ok('{"bind":"x"}'));
      assert.deepEqual(await client.get('none'), ok('null'));
      assert.deepEqual(
        await client.stats('a'),
        ok({ activeConnections: 3, rxSecond: 7, txSecond: 9, backends: [] }),
      );
      assert.deepEqual(await client.stats('none'), ok(null));
      assert.deepEqual(await client.create('a', '{"x":1}'), ok(null));
      assert.deepEqual(await client.remove('a'), ok(null));
      assert.deepEqual(
        asked.slice(-2).map(({ method, url, body }) => ({ method, url, body })),
        [
          { method: 'POST', url: '/servers/a', body: '{"x":1}' },
          { method: 'DELETE', url: '/servers/a', body: '' },
        ],
      );
      assert.ok(asked.every(({ url }) => url !== '/dump'));
    });
  });

  test('a 200 that is not GoBetween speaking is no success', async () => {
    await withAnswer(reply(200, '<html>'), async (client) => {
      assert.equal((await client.status()).outcome, 'invalid');
      assert.equal((await client.stats('a')).outcome, 'invalid');
    });
    await withAnswer(reply(200, '[1]'), async (client) => {
      assert.equal((await client.status()).outcome, 'invalid');
    });
  });
});

describe('what leaves', () => {
  test('names are one encoded path segment; those that no path can carry are not sent', async () => {
    await withAnswer(reply(200, 'null'), async (client, asked) => {
      await client.remove('_80._tcp.web.ns.svc@0.0.0.0:80 %?#é');
      assert.equal(asked[0]?.url, '/servers/_80._tcp.web.ns.svc%400.0.0.0%3A80%20%25%3F%23%C3%A9');
      for (const name of ['', '.', '..', 'a/b', '\ud800']) {
        assert.equal((await client.remove(name)).outcome, 'invalid', JSON.stringify(name));
      }
      assert.equal(asked.length, 1);
    });
  });

  test('basic auth goes with every request, and is in no answer', async () => {
    await withAnswer(
      reply(401, ''),
      async (client, asked) => {
        const answer = await client.list();
        assert.equal(
          asked[0]?.headers.authorization,
          `Basic ${Buffer.from('admin:s3cret').toString('base64')}`,
        );
        assert.ok(!JSON.stringify(answer).includes('s3cret'));
      },
      { user: 'admin', password: 's3cret' },
    );
  });

  test('connections are kept and used again', async () => {
    await withAnswer(reply(200, 'null'), async (client, asked, connections) => {
      for (let i = 0; i < 30; i++) await client.remove('a');
      assert.equal(asked.length, 30);
      // A second one may open while the first still reads the end of an answer.
      assert.ok(connections() <= 2, `${connections()} connections`);
    });
  });

  test('a request is counted with what it came to', async () => {
    const counted: string[] = [];
    await withAnswer(reply(409, '"Server with this name already exists: a"'), async (client) => {
      const timed = timeRequests(client, systemClock, (operation, outcome, ms) => {
        assert.ok(ms >= 0);
        counted.push(`${operation} ${outcome}`);
      });
      await timed.create('a', '{}');
      await timed.stats('a');
      assert.deepEqual(counted, ['create exists', 'stats exists']);
    });
  });
});

describe('no answer', () => {
  const clientAt = (port: number, reqTimeoutMs = 500): Balancer =>
    createClient({ url: `http://127.0.0.1:${port}`, clock: systemClock, reqTimeoutMs, concurrency: 2 });

  test('refused is unreachable', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const client = clientAt(port);
    assert.equal((await client.status()).outcome, 'unreachable');
    assert.equal((await client.create('a', '{}')).outcome, 'unreachable');
    await client.close();
  });

  test('closed after the request is closed, and a POST is not sent twice', async () => {
    let posts = 0;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        if (data.toString('latin1').startsWith('POST')) posts += 1;
        socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = clientAt((server.address() as AddressInfo).port);
    assert.equal((await client.create('a', '{}')).outcome, 'closed');
    assert.equal(posts, 1);
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test('silence is a timeout, and the next request works', async () => {
    let silent = true;
    await withAnswer(
      (response) => {
        if (!silent) response.end('null');
      },
      async (client) => {
        assert.equal((await client.remove('a')).outcome, 'timeout');
        silent = false;
        assert.equal((await client.remove('a')).outcome, 'ok');
      },
      { reqTimeoutMs: 100 },
    );
  });

  test('an answer that stops half way is a timeout', async () => {
    await withAnswer(
      (response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"a":');
      },
      async (client) => {
        assert.equal((await client.get('a')).outcome, 'timeout');
      },
      { reqTimeoutMs: 100 },
    );
  });

  test('a list above 64 MiB is too large', async () => {
    const mib = Buffer.alloc(1024 * 1024, 0x20);
    await withAnswer(
      (response) => {
        response.writeHead(200);
        let sent = 0;
        const more = (): void => {
          if (response.destroyed) return;
          if (sent++ > 66) response.end();
          else response.write(mib, more);
        };
        more();
      },
      async (client) => {
        assert.equal((await client.list()).outcome, 'too-large');
      },
    );
  });

  test('every call of a hung GoBetween ends', async () => {
    await withAnswer(
      () => undefined,
      async (client) => {
        const all = await Promise.all([
          client.status(),
          ...Array.from({ length: 20 }, (_, i) => client.create(`n${i}`, '{}')),
        ]);
        assert.deepEqual(new Set(all.map(({ outcome }) => outcome)), new Set(['timeout']));
      },
      { reqTimeoutMs: 150 },
    );
  });
});

describe('time-outs come from the Clock', () => {
  test('a list may take longer than a request: 10 s between bytes', async () => {
    const timers: number[] = [];
    const clock = {
      ...systemClock,
      after(ms: number, fn: () => void) {
        timers.push(ms);
        return systemClock.after(ms, fn);
      },
    };
    await withAnswer(
      reply(200, '{}'),
      async (client) => {
        await client.list();
        assert.deepEqual(timers.slice(0, 2), [60_000, 10_000]);
        timers.length = 0;
        await client.get('a');
        assert.deepEqual(timers, [2000], 'a request has one time-out for all of it');
      },
      { clock },
    );
  });
});

test('a kept connection that ends is told', async () => {
  const server = await startScripted(reply(200, '{"pid":1,"startTime":"t"}'));
  const client = createClient({ url: server.url, clock: systemClock, reqTimeoutMs: 2000, concurrency: 4 });
  let isCut = false;
  client.whenCut?.(() => {
    isCut = true;
  });
  assert.equal((await client.status()).outcome, 'ok');
  assert.equal(isCut, false);
  await server.close();
  await eventually(() => assert.equal(isCut, true), 10_000);
  await client.close();
});
