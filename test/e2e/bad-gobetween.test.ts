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
const answers: readonly (readonly [what: string, hook: ApiHook])[] = [
  ['an answer of 65 MiB', body(200, ' '.repeat(TOO_LARGE))],
  ['text that is no JSON', body(200, '<html>It works!</html>')],
  ['nothing', body(200, '')],
  ['null', body(200, 'null')],
  ['a list', body(200, '[1,2,3]')],
  ['servers of another shape', body(200, '{"web":5,"_80._tcp.web.root.svc":null,"__proto__":{"bind":7}}')],
  ['nesting without end', body(200, `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)],
  ['a refusal of the login', body(401, '')],
  ['a gateway in between', body(502, 'Bad Gateway')],
  ['a teapot', body(418, '"short and stout"')],
  ['a conflict that it does not explain', body(409, '"because"')],
  [
    'a connection that breaks',
    (_call, _forward, raw) => {
      raw.socket?.destroy();
      return Promise.resolve(null);
    },
  ],
  [
    'an answer that is cut',
    (_call, _forward, raw) => {
      raw.writeHead(200, { 'content-length': '5000' });
      raw.write('{"_80._tcp.web.root.svc":{"bind"');
      setTimeout(() => raw.socket?.destroy(), 20);
      return Promise.resolve(null);
    },
  ],
  ['no answer', () => new Promise(() => undefined)],
];

describe('bad answers of GoBetween', () => {
  test('to reads: nothing is lost, nothing crashes, and it goes on by itself', async (t) => {
    const { world, api, http, add, janitor, before, writes } = await behindProxy(t);
    let created = 0;
    for (const [what, hook] of answers) {
      await t.test(what, async () => {
        const reads = api.count('GET');
        api.hook = (call, forward, raw) => (call.method === 'GET' ? hook(call, forward, raw) : forward());
        await eventually(() => assert.ok(api.count('GET') >= reads + 3), 10_000);
        assert.equal(janitor.child.exitCode, null, janitor.stderr());
        api.hook = undefined;
        const name = `new${(created += 1)}`;
        add(name);
        await eventually(async () => assert.ok(serverName(http, name) in (await binds(world))), 15_000);
        assert.deepEqual(world.writes(), { posts: writes.posts + created, deletes: writes.deletes });
      });
    }
    const now = await binds(world);
    for (const [name, bind] of Object.entries(before)) assert.equal(now[name], bind);
    assert.doesNotMatch(janitor.stderr(), /\bat .*\.js:\d+/, 'no stack was printed');
    assert.equal((await janitor.stop()).code, 0);
  });

  test('to writes: the change is made in the end, once, and others are not touched', async (t) => {
    const { world, api, http, add, janitor, before } = await behindProxy(t);
    let created = 0;
    for (const [what, hook] of answers) {
      await t.test(what, async () => {
        created += 1;
        let lies = 2;
        api.hook = (call, forward, raw) =>
          call.method === 'POST' && lies-- > 0 ? hook(call, forward, raw) : forward();
        const name = `new${created}`;
        add(name);
        const served = async (): Promise<void> => assert.ok(serverName(http, name) in (await binds(world)));
        if (what.startsWith('a teapot') || what.startsWith('a conflict')) {
          // a refusal is an answer: it is named, and tried again when the wish changes
          await eventually(async () => assert.equal(await janitor.problems('refused'), 1));
          api.hook = undefined;
          world.cluster.set(name, 'env.igw_gobtw_balance', 'leastconn');
        }
        await eventually(served, 20_000); // a refused login is tried again after 5 and 10 s, with jitter
        api.hook = undefined;
        await janitor.synced(15_000);
        assert.equal(await janitor.problems('refused'), 0);
      });
    }
    const now = await binds(world);
    for (const [name, bind] of Object.entries(before)) assert.equal(now[name], bind);
    assert.equal(world.writes().deletes, 0);
    assert.equal((await janitor.stop()).code, 0);
  });
});
