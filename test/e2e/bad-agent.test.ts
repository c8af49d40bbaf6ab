import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { ConfigFailure } from '../../src/sim/agent/flaws.js';
import { pause } from '../../src/sim/world-wait.js';
import { type AgentHook, startAgentProxy } from '../support/agent-proxy.js';
import { startJanitor } from '../support/janitor.js';
import { binds, eventually, openWorld, serverName } from '../support/world.js';

const MIB = 1024 * 1024;
const TOO_LARGE = 65 * MIB;

/** Three services, served by a janitor that hears the agent through a proxy. */
async function behindProxy(t: TestContext, flags: Readonly<Record<string, string>> = {}) {
  const world = await openWorld(t);
  const proxy = await startAgentProxy(t, world.socketPath);
  const http = `${world.ports.take()}/tcp`;
  const paths = ['web', 'api', 'blog'].map((name) =>
    world.addService(name, { bind: `${http}-127.0.0.1:${world.ports.take()}`, expose: [http], instances: 1 }),
  );
  const janitor = startJanitor(t, world, {
    socket: proxy.socketPath,
    'agent-timeout': '2s',
    'delete-grace': '1s',
    ...flags,
  });
  await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
  await janitor.synced();
  await eventually(() => assert.equal(proxy.streams(), 1));
  return { world, proxy, http, paths, janitor, before: await binds(world), writes: world.writes() };
}

type Scene = Awaited<ReturnType<typeof behindProxy>>;

/** A service that comes now is served: the janitor hears again, and made no other call. */
async function stillFollows({ world, http, before, writes, janitor }: Scene, turn: number): Promise<void> {
  assert.equal(janitor.child.exitCode, null, janitor.stderr());
  const name = `new${turn}`;
  world.addService(name, { bind: `${http}-127.0.0.1:${world.ports.take()}`, expose: [http], instances: 1 });
  await eventually(async () => assert.ok(serverName(http, name) in (await binds(world))));
  assert.deepEqual(world.writes(), { posts: writes.posts + turn + 1, deletes: writes.deletes });
  const now = await binds(world);
  for (const [server, bind] of Object.entries(before)) assert.equal(now[server], bind);
}

const patch = (data: unknown, id = 1_000_000): string =>
  `${JSON.stringify({ kind: 'patch', id, ts: 1, data })}\0`;
const CONFIG = ['monitor', 'nodes', 'gw1', 'services', 'config'];

/** What may come along the stream, and the gap that it counts as, if any. */
const frames: readonly (readonly [what: string, gap: string | null, bytes: () => string | Buffer])[] = [
  ['a frame of 65 MiB', 'over-cap', () => Buffer.alloc(TOO_LARGE, 'x')],
  ['bytes that are no text', 'not-json', () => Buffer.from([0xff, 0xfe, 0x80, 0xc3, 0x28, 0])],
  ['half a frame and the end of another', 'not-json', () => '{"kind":"patch","id":3,\0"ts":1}\0'],
  ['null', null, () => 'null\0'],
  ['numbers and lists', null, () => '5\0[]\0"x"\0true\0{}\0'],
  ['a patch of another shape', null, () => patch({ a: 1 }) + patch([1, null, [], [[]], [{}], [null, 1]])],
  [
    'paths of another shape',
    null,
    () =>
      patch([
        [[[], {}, null, Number.MAX_VALUE], 1],
        [['monitor', 'nodes', { a: 1 }], 1],
      ]),
  ],
  [
    'paths nested without end',
    null,
    () => `{"kind":"patch","id":1000002,"data":[[[${'['.repeat(50_000)}${']'.repeat(50_000)}],1]]}\0`,
  ],
  [
    'values nested without end',
    null,
    () =>
      `{"kind":"patch","id":1000003,"data":[[["monitor"],${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}]]}\0`,
  ],
  [
    'services with names that hurt',
    null,
    () =>
      patch(
        [
          [[...CONFIG, '__proto__', 'csum'], 'x'],
          [[...CONFIG, '../../etc/passwd'], { csum: 1 }],
        ],
        1_000_004,
      ),
  ],
  ['an id that goes back', 'restarted', () => patch([], 2)],
  ['a refusal', 'refused', () => '{"status":403,"error":"no"}\0'],
];

describe('bad frames and answers of the agent', () => {
  test('whatever comes along the stream: counted, nothing lost, and the next change is followed', async (t) => {
    const scene = await behindProxy(t);
    const { proxy, janitor } = scene;
    for (const [turn, [what, gap, bytes]] of frames.entries()) {
      await t.test(what, async () => {
        const count = (): Promise<number> =>
          janitor.metric(`gobtw_janitor_event_gaps_total{reason="${gap ?? ''}"}`);
        const gaps = gap === null ? 0 : await count();
        await eventually(() => assert.equal(proxy.streams(), 1));
        proxy.inject(bytes());
        if (gap !== null) await eventually(async () => assert.ok((await count()) > gaps, `no gap ${gap}`));
        await stillFollows(scene, turn);
      });
    }
    await t.test('streams that are cut, again and again', async () => {
      for (let i = 0; i < 5; i += 1) {
        proxy.cutStreams();
        await pause(150);
      }
      await stillFollows(scene, frames.length);
    });
    assert.doesNotMatch(janitor.stderr(), /\bat .*\.js:\d+/, 'no stack was printed');
    assert.equal((await janitor.stop()).code, 0);
  });

  test('whatever the list says: nothing is deleted, nothing crashes', async (t) => {
    const scene = await behindProxy(t);
    const { world, proxy, janitor, before, writes } = scene;
    const lists: readonly (readonly [what: string, outcome: string, body: string | Buffer])[] = [
      ['65 MiB', 'too-large', Buffer.alloc(TOO_LARGE, ' ')],
      ['cut in the middle', 'closed', '{"cluster":{"name":"demo","nodes":["gw1"'],
      ['nothing', 'closed', ''],
      ['not JSON', 'not-json', '<html>502</html>\0'],
      ['null', 'not-status', 'null\0'],
      ['a list', 'not-status', '[]\0'],
      ['nothing in it', 'not-status', '{}\0'],
      ['an error', 'error', '{"status":1,"error":"internal","traceback":"x"}\0'],
      ['nobody there', 'ok', '{"cluster":{"name":"demo","nodes":[]},"monitor":{"nodes":{},"services":{}}}\0'],
      [
        'other types',
        'ok',
        '{"cluster":{"name":5,"nodes":"gw1"},"monitor":{"nodes":[1,2],"services":"x"}}\0',
      ],
      [
        'nodes of other types',
        'ok',
        '{"cluster":{"name":"demo","nodes":["gw1","gw2"]},"monitor":{"nodes":{"gw1":null,"gw2":7},"services":null}}\0',
      ],
      [
        'another cluster',
        'ok',
        '{"cluster":{"name":"else","nodes":["x"]},"monitor":{"nodes":{"x":{"monitor":{"status":"idle"},"services":{"config":{},"status":{}}}},"services":{}}}\0',
      ],
      [
        'nested without end',
        'ok',
        `{"cluster":{"name":"demo","nodes":["gw1"]},"monitor":${'{"nodes":'.repeat(30_000)}1${'}'.repeat(30_000)}}\0`,
      ],
    ];
    for (const [what, outcome, body] of lists) {
      const seen = (): Promise<number> =>
        janitor.metric(`gobtw_janitor_agent_requests_total{action="daemon_status",outcome="${outcome}"}`);
      await t.test(`${what}: ${outcome}`, async () => {
        const asked = proxy.count('daemon_status');
        const hook: AgentHook = async (request, forward) =>
          request.action === 'daemon_status' ? body : `${await forward()}\0`;
        proxy.hook = hook;
        const before = await seen();
        proxy.cutStreams(); // asks for a list
        await eventually(() => assert.ok(proxy.count('daemon_status') >= asked + 2));
        assert.equal(janitor.child.exitCode, null, janitor.stderr());
        assert.deepEqual(world.writes(), writes);
        await eventually(async () => assert.ok((await seen()) > before, 'a metric counts it'));
        proxy.hook = undefined;
      });
    }
    await janitor.synced();
    assert.deepEqual(await binds(world), before);
    await stillFollows(scene, 0);
    assert.doesNotMatch(janitor.stderr(), /\bat .*\.js:\d+/, 'no stack was printed');
  });

  test('whatever a config read says: its own service alone is held back, and named', async (t) => {
    const scene = await behindProxy(t);
    const { world, proxy, paths, janitor, writes } = scene;
    const bad = paths[1] ?? '';
    let turn = 0;
    const unreadable = async (what: string, begin: () => void, end: () => void): Promise<void> => {
      await t.test(what, async () => {
        begin();
        world.cluster.set(bad, 'env.touched', what);
        await eventually(async () => assert.equal(await janitor.problems('config-unreadable'), 1));
        await eventually(() => assert.equal(janitor.raised('config-unreadable').length, turn + 1));
        assert.match(janitor.raised('config-unreadable').at(-1)?.msg ?? '', /^api: /);
        await stillFollows(scene, turn);
        turn += 1;
        end();
        world.cluster.set(bad, 'env.touched', `${what} no more`);
        await eventually(async () => assert.equal(await janitor.problems('config-unreadable'), 0));
      });
    };
    const failures: readonly ConfigFailure[] = [
      'key-error',
      'unknown-service',
      'internal',
      'forbidden',
      'closed',
      'cut',
      'silent',
    ];
    for (const failure of failures) {
      const set = world.agent.flaws.configFailures;
      await unreadable(
        failure,
        () => set.set(bad, failure),
        () => set.delete(bad),
      );
    }
    const answers: readonly (readonly [string, string | Buffer])[] = [
      ['an answer of 65 MiB', Buffer.alloc(TOO_LARGE, 'x')],
      ['an answer that is null', '{"status":0,"nodes":{"gw1":null}}\0'],
      ['sections that are none', '{"status":0,"nodes":{"gw1":{"env":"text","DEFAULT":[1]}}}\0'],
      [
        'sections nested without end',
        `{"status":0,"nodes":{"gw1":{"env":${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}}}\0`,
      ],
    ];
    for (const [what, body] of answers) {
      await unreadable(
        what,
        () => {
          proxy.hook = async (request, forward) =>
            request.action === 'object_config' && request.options?.['path'] === bad
              ? body
              : `${await forward()}\0`;
        },
        () => {
          proxy.hook = undefined;
        },
      );
    }
    assert.deepEqual(world.writes(), { posts: writes.posts + turn, deletes: writes.deletes });
    await janitor.synced();
  });
});
