import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { type ApiHook, startApiProxy } from '../support/api-proxy.js';
import { startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld, serverName } from '../support/world.js';

const TOO_LARGE = 65 * 1024 * 1024;

async function behindProxy(t: TestContext) {
  const world = await openWorld(t);
  const api = await startApiProxy(t, world.gobetweenUrl);
  const http = `${world.ports.take()}/tcp`;
  const add = (name: string): string =>
    world.addService(name, { bind: `${http}-127.0.0.1:${world.ports.take()}`, expose: [http], instances: 1 });
  for (const name of ['web', 'api', 'blog']) add(name);
  const janitor = startJanitor(t, world, { gobetween: api.url, 'req-timeout': '1' });
  await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
  await janitor.synced();
  return { world, api, http, add, janitor, before: await binds(world), writes: world.writes() };
}

const body =
  (status: number, text: string): ApiHook =>
  () =>
    Promise.resolve({ status, body: text });

/** How an API may answer that is not well, or not GoBetween's. */
const answers: readonly (readonly [what: string, outcome: string, hook: ApiHook])[] = [
  ['an answer of 65 MiB', 'too-large', body(200, ' '.repeat(TOO_LARGE))],
  ['text that is no JSON', 'invalid', body(200, '<html>It works!</html>')],
  ['nothing', 'invalid', body(200, '')],
  ['null', 'invalid', body(200, 'null')],
  ['a list', 'invalid', body(200, '[1,2,3]')],
  [
    'servers of another shape',
    'invalid',
    body(200, '{"web":5,"_80._tcp.web.root.svc":null,"__proto__":{"bind":7}}'),
  ],
  ['nesting without end', 'invalid', body(200, `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)],
  ['a refusal of the login', 'unauthorized', body(401, '')],
  ['a gateway in between', 'unreachable', body(502, 'Bad Gateway')],
  ['a teapot', 'invalid', body(418, '"short and stout"')],
  ['a conflict that it does not explain', 'invalid', body(409, '"because"')],
  [
    'a connection that breaks',
    'closed',
    (_call, _forward, raw) => {
      raw.socket?.destroy();
      return Promise.resolve(null);
    },
  ],
  [
    'an answer that is cut',
    'closed',
    (_call, _forward, raw) => {
      raw.writeHead(200, { 'content-length': '5000' });
      raw.write('{"_80._tcp.web.root.svc":{"bind"');
      setTimeout(() => raw.socket?.destroy(), 20);
      return Promise.resolve(null);
    },
  ],
  ['no answer', 'timeout', () => new Promise(() => undefined)],
];

/** In several worlds at a time: most of it is waiting. */
const WORLDS = 3;
const shares = Array.from({ length: WORLDS }, (_, i) => answers.filter((_answer, j) => j % WORLDS === i));

describe('bad answers of GoBetween', () => {
  test('to reads: counted, nothing is lost, nothing crashes, and it goes on by itself', {
    concurrency: WORLDS,
  }, async (t) => {
    await Promise.all(
      shares.map(async (share) => {
        const { world, api, http, add, janitor, before, writes } = await behindProxy(t);
        for (const [i, [what, outcome, hook]] of share.entries()) {
          await t.test(`${what}: ${outcome}`, async () => {
            const count = (): Promise<number> =>
              janitor.metric(`gobtw_janitor_api_requests_total{op="status",outcome="${outcome}"}`);
            const seen = await count();
            api.hook = (call, forward, raw) => (call.method === 'GET' ? hook(call, forward, raw) : forward());
            await eventually(async () => assert.ok((await count()) > seen + 1));
            assert.equal(janitor.child.exitCode, null, janitor.stderr());
            api.hook = undefined;
            add(`new${i}`);
            await eventually(async () => assert.ok(serverName(http, `new${i}`) in (await binds(world))));
            assert.deepEqual(world.writes(), { posts: writes.posts + i + 1, deletes: writes.deletes });
          });
        }
        const now = await binds(world);
        for (const [name, bind] of Object.entries(before)) assert.equal(now[name], bind);
        assert.doesNotMatch(janitor.stderr(), /\bat .*\.js:\d+/, 'no stack was printed');
        assert.equal((await janitor.stop()).code, 0);
      }),
    );
  });

  test('to writes: the change is made in the end, and others are not touched', {
    concurrency: WORLDS,
  }, async (t) => {
    await Promise.all(
      shares.map(async (share) => {
        const { world, api, http, add, janitor, before } = await behindProxy(t);
        for (const [i, [what, , hook]] of share.entries()) {
          await t.test(what, async () => {
            // a refused login is tried again after 5 s only
            let lies = what === 'a refusal of the login' ? 1 : 2;
            api.hook = (call, forward, raw) =>
              call.method === 'POST' && lies-- > 0 ? hook(call, forward, raw) : forward();
            const path = add(`new${i}`);
            if (what === 'a teapot' || what.startsWith('a conflict')) {
              // a refusal is an answer: it is named, and tried again when the wish changes
              await eventually(async () => assert.equal(await janitor.problems('refused'), 1));
              api.hook = undefined;
              world.cluster.set(path, 'env.igw_gobtw_balance', 'leastconn');
            }
            await eventually(async () => assert.ok(serverName(http, `new${i}`) in (await binds(world))));
            api.hook = undefined;
            await janitor.synced();
            assert.equal(await janitor.problems('refused'), 0);
          });
        }
        const now = await binds(world);
        for (const [name, bind] of Object.entries(before)) assert.equal(now[name], bind);
        assert.equal(world.writes().deletes, 0);
        assert.equal((await janitor.stop()).code, 0);
      }),
    );
  });
});
