import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.js';
import { ok } from '../../../src/errors.js';
import { readAnswer } from '../../../src/source/lsnr-answers.js';
import { createLsnrSource } from '../../../src/source/lsnr.js';
import { createInlineCompute } from '../../../src/worker/compute.js';
import type { Source } from '../../../src/source/source.js';
import { keyOf } from '../../support/cluster-lists.js';
import { reply, startLsnrServer, type LsnrServer, type SeenRequest } from '../../support/lsnr-server.js';

async function agent(
  t: TestContext,
  answer: (request: SeenRequest, socket: Socket) => void,
  options: { timeoutMs?: number; maxBytes?: number } = {},
): Promise<{ source: Source; server: LsnrServer }> {
  const server = await startLsnrServer(answer);
  const source = createLsnrSource({
    readStatus: createInlineCompute().readStatus,
    clock: systemClock,
    random: { next: () => 0 },
    locate: async () => ok(server.path),
    timeoutMs: 2000,
    ...options,
  });
  t.after(async () => {
    await source.close();
    await server.close();
  });
  return { source, server };
}

const code = (result: { ok: boolean; failure?: { code: string } }): string =>
  result.ok ? 'ok' : (result.failure?.code ?? '');
const web = keyOf('ns1/svc/web');

describe('requests', () => {
  test('a raw config: object_config, node ANY, display path, unwrapped, without metadata', async (t) => {
    const { source, server } = await agent(t, (_, socket) =>
      reply(socket, { nodes: { n1: { env: { a: '1' }, metadata: { name: 'svc1' } } }, status: 0 }),
    );
    assert.deepEqual(
      await source.config(keyOf('svc1'), { evaluate: false, node: 'n1' }),
      ok({ text: '{"env":{"a":"1"}}' }),
    );
    assert.deepEqual(server.requests, [
      {
        action: 'object_config',
        method: 'GET',
        node: 'ANY',
        options: { path: 'svc1', format: 'json', evaluate: false },
      },
    ]);
    assert.equal(server.halfClosed, false, 'MUST NOT half-close');
  });

  test('what our own node has is asked of it, not of ANY, which knows no object before its status', async (t) => {
    const config = { 'ns1/svc/web': { csum: 'c1', scope: ['n1'] } };
    const status = {
      cluster: { name: 'clu1', nodes: ['n1', 'n2'] },
      monitor: {
        nodes: {
          n1: { services: { config, status: {} } },
          n2: { services: { config: { 'ns1/svc/far': { csum: 'c2', scope: ['n2'] } } } },
        },
        services: {},
      },
    };
    let known = true;
    const { source, server } = await agent(t, ({ action, node }, socket) => {
      if (action === 'whoami') return reply(socket, { nodes: { n1: {} }, status: 0 });
      if (action === 'daemon_status') return reply(socket, status);
      if (node === undefined)
        return reply(socket, known ? { env: { here: '1' } } : { status: '1', error: "'x'" });
      return reply(socket, { nodes: { n2: { env: { there: '1' } } }, status: 0 });
    });
    const read = (key: string) => source.config(keyOf(key), { evaluate: false, node: 'n1' });
    await source.nodeName();
    await source.list();
    assert.deepEqual(await read('ns1/svc/web'), ok({ text: '{"env":{"here":"1"}}' }));
    assert.deepEqual(await read('ns1/svc/far'), ok({ text: '{"env":{"there":"1"}}' }));
    known = false;
    assert.deepEqual(await read('ns1/svc/web'), ok({ text: '{"env":{"there":"1"}}' }), 'it moved meanwhile');
    const nodes = server.requests.filter(({ action }) => action === 'object_config').map(({ node }) => node);
    assert.deepEqual(nodes, [undefined, 'ANY', undefined, 'ANY']);
  });

  test('an evaluated config plays our node', async (t) => {
    const { source, server } = await agent(t, (_, socket) =>
      reply(socket, { nodes: { n2: { env: {} } }, status: 0 }),
    );
    await source.config(web, { evaluate: true, node: 'n1' });
    assert.deepEqual(server.requests[0]?.options, {
      path: 'ns1/svc/web',
      format: 'json',
      evaluate: true,
      impersonate: 'n1',
    });
  });

  test('MUST NOT let the cluster’s secret out: the DNS list is all that is taken, and `node` is not sent', async (t) => {
    const { source, server } = await agent(t, (_, socket) =>
      reply(socket, { cluster: { secret: 'S3CRET', dns: ['10.0.0.1', '10.0.0.2'] }, metadata: {} }),
    );
    const answer = await source.clusterConfig();
    assert.deepEqual(answer, ok({ dns: ['10.0.0.1', '10.0.0.2'] }));
    assert.equal(JSON.stringify(answer).includes('S3CRET'), false);
    assert.equal(server.requests[0]?.node, undefined);
  });

  test('nor in a failure: an answer that is cut, or no JSON', async (t) => {
    for (const bytes of ['{"cluster": {"secret": "S3CRET"', '{"cluster": {"secret": "S3CRET"]\0']) {
      const { source } = await agent(t, (_, socket) => socket.end(bytes));
      assert.equal(JSON.stringify(await source.clusterConfig()).includes('S3CRET'), false);
    }
  });

  test('our node’s name is the one that answers whoami', async (t) => {
    const { source, server } = await agent(t, (_, socket) =>
      reply(socket, { nodes: { n7: { name: 'root' } }, status: 0 }),
    );
    assert.deepEqual(await source.nodeName(), ok('n7'));
    assert.deepEqual(server.requests, [{ action: 'whoami', method: 'GET', node: 'ANY' }]);
  });

  test('an agent that gives no name', async (t) => {
    const { source } = await agent(t, (_, socket) => reply(socket, { name: 'root' }));
    assert.equal(code(await source.nodeName()), 'agent-no-name');
  });

  test('setBind sends one keyword and believes only ret 0', async (t) => {
    let data: unknown = { out: '', err: '', ret: 0 };
    const { source, server } = await agent(t, (_, socket) =>
      reply(socket, { nodes: { n1: { status: 0, data } }, status: 0 }),
    );
    assert.deepEqual(await source.setBind(web, '80/tcp-0.0.0.0:1024'), ok(undefined));
    assert.deepEqual(server.requests[0], {
      action: 'object_action',
      method: 'POST',
      node: 'ANY',
      options: {
        path: 'ns1/svc/web',
        action: 'set',
        options: { kw: ['env.igw_gobtw_bind=80/tcp-0.0.0.0:1024'] },
      },
    });
    data = { out: '', err: 'no such option', ret: 1 };
    const failed = await source.setBind(web, 'x');
    assert.ok(
      !failed.ok && failed.failure.code === 'agent-set-failed' && failed.failure.message === 'no such option',
    );
    data = { pid: 6027, session_id: 'x' };
    assert.equal(code(await source.setBind(web, 'x')), 'agent-set-failed');
  });
});

describe('failures are values', () => {
  const config = (source: Source): ReturnType<Source['config']> =>
    source.config(web, { evaluate: false, node: 'n1' });

  test('the recorded shapes of errors, wrapped or not', () => {
    const shapes: readonly (readonly [unknown, string])[] = [
      [{ error: 'unknown service', status: 1 }, 'unknown-object'],
      [{ status: '1', error: "'ns1/svc/web'", traceback: 'x' }, 'unknown-object'],
      [{ status: 404, error: 'ns1/svc/web not found' }, 'unknown-object'],
      [
        { nodes: { n2: { status: 501, error: 'handler GET x is not supported' } }, status: 501 },
        'agent-error',
      ],
      [
        { nodes: { n2: { nodes: { n2: { error: 'unknown service', status: 1 } }, status: 1 } }, status: 1 },
        'unknown-object',
      ],
      [{ nodes: { n1: { env: {} }, n2: { status: 500, error: 'x' } }, status: 500 }, 'agent-error'],
      [{ status: '1', error: 'nosuch#1.foo not found in the keywords dictionary' }, 'agent-error'],
    ];
    for (const [body, expected] of shapes)
      assert.equal(code(readAnswer(JSON.stringify(body), true)), expected, JSON.stringify(body));
  });

  test('sections named nodes, error or status are no wrapper and no error', () => {
    const inner = { nodes: { a: 'b' }, error: { c: 'd' }, status: { e: 'f' }, env: {} };
    const answer = readAnswer(JSON.stringify({ nodes: { n1: inner }, status: 0 }), true);
    assert.deepEqual(answer, ok({ body: inner, node: 'n1' }));
  });

  test('closed without an answer, cut in the middle, empty', async (t) => {
    for (const bytes of ['', '{"nodes":', '\0']) {
      const { source } = await agent(t, (_, socket) => socket.end(bytes));
      assert.equal(code(await config(source)), 'agent-closed', JSON.stringify(bytes));
    }
  });

  test('no answer in time', async (t) => {
    const { source, server } = await agent(t, () => undefined, { timeoutMs: 30 });
    assert.equal(code(await config(source)), 'agent-timeout');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(server.open.size, 0, 'the connection is given up too');
  });

  test('an answer over the cap', async (t) => {
    const { source } = await agent(t, (_, socket) => socket.end(`"${'x'.repeat(5000)}"\0`), {
      maxBytes: 1000,
    });
    assert.equal(code(await config(source)), 'agent-too-large');
  });

  test('no JSON, and JSON that is no config', async (t) => {
    for (const [bytes, expected] of [
      ['nonsense\0', 'agent-not-json'],
      ['{"nodes":{"n1":[]},"status":0}\0', 'agent-not-config'],
      ['{"nodes":{},"status":0}\0', 'agent-not-config'],
      ['null\0', 'agent-not-config'],
    ] as const) {
      const { source } = await agent(t, (_, socket) => socket.end(bytes));
      assert.equal(code(await config(source)), expected, bytes);
    }
  });

  test('nobody listens', async (t) => {
    const { source, server } = await agent(t, () => undefined);
    await server.close();
    assert.equal(code(await config(source)), 'agent-unreachable');
    assert.equal(code(await source.list()), 'agent-unreachable');
  });

  test('close ends what is in flight', async (t) => {
    const { source, server } = await agent(t, () => void source.close());
    assert.equal(code(await config(source)), 'agent-closed');
    assert.equal(code(await config(source)), 'agent-closed');
    assert.equal(server.requests.length, 1);
  });
});
