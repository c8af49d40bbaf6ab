import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { askTcp } from '../../src/sim/world-traffic.js';
import { pause } from '../../src/sim/world-wait.js';
import { startAgentProxy } from '../support/agent-proxy.js';
import { staysSilent, startJanitor } from '../support/janitor.js';
import { assertReplacedOnce, binds, eventually, openWorld, serverName } from '../support/world.js';

async function open(t: TestContext, dns: readonly string[]) {
  const world = await openWorld(t);
  world.cluster.setDns(dns);
  const http = `${world.ports.take()}/tcp`;
  const add = (name: string, env: Readonly<Record<string, string>> = {}): number => {
    const port = world.ports.take();
    world.addService(name, { bind: `${http}-127.0.0.1:${port}`, expose: [http], instances: 1, env });
    return port;
  };
  const lookupOf = async (name: string): Promise<unknown> => {
    const server = (await world.servers())[serverName(http, name)];
    return (server?.['discovery'] as { srv_lookup_server?: unknown } | undefined)?.srv_lookup_server;
  };
  const start = (flags: Readonly<Record<string, string>> = {}) =>
    startJanitor(t, world, { 'delete-grace': '1s', ...flags });
  return { world, http, add, lookupOf, start };
}

describe("the cluster's DNS", () => {
  test('an empty list: new servers are held and named, and served when it fills', async (t) => {
    const { world, http, add, start } = await open(t, []);
    const port = add('web');
    add('own', { igw_gobtw_discovery_srv_lookup_server: `127.0.0.1:${world.dns.port}` });
    const janitor = start();
    await eventually(async () =>
      assert.deepEqual(Object.keys(await binds(world)), [serverName(http, 'own')]),
    );
    await eventually(async () => assert.equal(await janitor.problems('no-dns'), 1));
    await eventually(() => assert.match(janitor.raised('no-dns')[0]?.msg ?? '', /^web: .*cluster\.dns/));
    await staysSilent(world, 500);
    world.cluster.setDns(['127.0.0.1']);
    await eventually(async () => assert.ok(serverName(http, 'web') in (await binds(world))));
    await eventually(async () => assert.equal((await askTcp(port)).ok, true));
    assert.equal(await janitor.problems('no-dns'), 0);
  });

  test('a list that empties: servers that exist stay, also through a restart', async (t) => {
    const { world, http, add, start } = await open(t, ['127.0.0.1']);
    for (const name of ['web', 'api']) add(name);
    const agent = await startAgentProxy(t, world.socketPath);
    const janitor = start({ socket: agent.socketPath });
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 2));
    await janitor.synced();
    const [before, writes] = [await world.servers(), world.writes()];
    const clusterReads = (): number =>
      agent.requests.filter(({ options }) => options?.['path'] === 'cluster').length;
    const reads = clusterReads();
    world.cluster.setDns([]);
    await eventually(() => assert.ok(clusterReads() > reads, 'the list was read again'));
    await pause(200);
    add('late');
    await eventually(async () => assert.equal(await janitor.problems('no-dns'), 1));
    world.cluster.set('web', 'env.unrelated', 'edit');
    await staysSilent(world, 2000);
    await janitor.stop();
    const next = start();
    await next.synced();
    await staysSilent(world, 1500);
    assert.deepEqual(world.writes(), writes);
    assert.deepEqual(await world.servers(), before);
    assert.equal(serverName(http, 'late') in (await binds(world)), false);
  });

  test('the first of the list is down at the start: one that answers is taken', async (t) => {
    const { world, add, lookupOf, start } = await open(t, ['127.0.0.99', '127.0.0.1']);
    const port = add('web');
    const janitor = start();
    await janitor.synced();
    assert.equal(await lookupOf('web'), `127.0.0.1:${world.dns.port}`);
    await eventually(async () => assert.equal((await askTcp(port)).ok, true));
    assert.deepEqual(world.writes(), { posts: 1, deletes: 0 });
  });

  test('none of the list answers at a first start: the first is taken, and stays when it comes back', async (t) => {
    const { world, add, lookupOf, start } = await open(t, ['127.0.0.1', '127.0.0.99']);
    world.dns.setMode('silent');
    const port = add('web');
    const janitor = start();
    await janitor.synced();
    assert.equal(await lookupOf('web'), `127.0.0.1:${world.dns.port}`);
    world.dns.setMode('ok');
    await eventually(async () => assert.equal((await askTcp(port)).ok, true));
    assert.deepEqual(world.writes(), { posts: 1, deletes: 0 });
  });

  test('the DNS of the list goes down, in every way: 0 POST, 0 DELETE, and traffic goes on', async (t) => {
    const { world, add, start } = await open(t, ['127.0.0.1', '127.0.0.99']);
    const port = add('web');
    const janitor = start();
    await eventually(async () => assert.equal((await askTcp(port)).ok, true));
    await janitor.synced();
    const writes = world.writes();
    for (const mode of ['silent', 'servfail', 'refused', 'empty'] as const) {
      world.dns.setMode(mode);
      world.cluster.set('web', 'env.unrelated', mode);
      await staysSilent(world, 1200);
    }
    world.dns.setMode('ok');
    assert.deepEqual(world.writes(), writes);
    await eventually(async () => assert.equal((await askTcp(port)).ok, true));
  });

  test('the DNS in use leaves the list: its servers are replaced once', async (t) => {
    const { world, add, lookupOf, start } = await open(t, ['127.0.0.98', '127.0.0.99']);
    const port = add('web');
    const janitor = start();
    await janitor.synced();
    const writes = world.writes();
    world.cluster.setDns(['127.0.0.99', '127.0.0.1']);
    await eventually(async () => assert.equal(await lookupOf('web'), `127.0.0.1:${world.dns.port}`));
    await eventually(async () => assert.equal((await askTcp(port)).ok, true));
    assertReplacedOnce(world, writes);
    assert.equal(
      await janitor.metric('gobtw_janitor_changes_total{kind="replace",reason="dns",result="applied"}'),
      1,
    );
  });
});
