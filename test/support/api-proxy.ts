/**
 * A man in the middle of GoBetween's API: it notes every request, and a test may change, hold, cut or invent what goes
 * through. Works in front of the stand-in and of the real one alike.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Answers one call: `forward` passes it on, with another body if wanted. null: the hook has answered, or broken, the
 * connection itself.
 */
export type ApiHook = (
  call: ApiCall,
  forward: (body?: string) => Promise<ApiAnswer>,
  raw: ServerResponse,
) => Promise<ApiAnswer | null>;

export interface ApiProxy {
  readonly url: string;
  /** Every call since the start, in order of arrival. */
  readonly calls: readonly ApiCall[];
  count(method: string, path?: RegExp): number;
  /**
   * How many of them GoBetween carried out. After a DELETE its listener closes a little later than the answer comes, so a
   * POST to the same place may be refused at first and is repeated (gobetween-rest.md §4).
   */
  done(method: string): number;
  /** What happens to calls from now on; without one they pass unchanged. */
  hook: ApiHook | undefined;
}

/** Stands between a janitor and the API at `target` until the test ends. */
export async function startApiProxy(t: TestContext, target: string): Promise<ApiProxy> {
  const calls: ApiCall[] = [];
  const done: string[] = [];
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = { method: incoming.method ?? '', path: incoming.url ?? '', body: await textOf(incoming) };
    calls.push(call);
    const pass = (body?: string): Promise<ApiAnswer> => forward(target, { ...call, body: body ?? call.body });
    const answer = proxy.hook === undefined ? await pass() : await proxy.hook(call, pass, outgoing);
    if (answer === null || outgoing.headersSent) return;
    if (answer.status === 200) done.push(call.method);
    outgoing.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8' });
    outgoing.end(answer.body);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const proxy: ApiProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    count: (method, path = /./) =>
      calls.filter((call) => call.method === method && path.test(call.path)).length,
    done: (method) => done.filter((each) => each === method).length,
    hook: undefined,
  };
  return proxy;
}

function forward(target: string, call: ApiCall): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const headers = call.body === '' ? {} : { 'content-length': Buffer.byteLength(call.body) };
    const sent = request(
      `${target}${call.path}`,
      { method: call.method, headers, agent: false },
      (answer) => {
        textOf(answer).then((body) => resolve({ status: answer.statusCode ?? 502, body }), reject);
      },
    );
    sent.on('error', reject);
    sent.end(call.body);
  });
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
