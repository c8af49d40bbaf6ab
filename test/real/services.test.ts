/** Services of a real agent come, change and go in a real GoBetween, and their backends answer through it. */
import assert from 'node:assert/strict';
import { askTcp } from '../../src/sim/world-traffic.js';
import {
  type Janitor,
  type RealWorld,
  realTest,
  serviceConfig,
  shareRealWorld,
  startJanitor,
  whenAgent,
} from '../support/real-world.js';
import { binds, eventually } from '../support/world.js';

const world = shareRealWorld();
const server = (name: string): string => `_8080._tcp.${name}.ns1.svc`;

/** The backend that answers on a port of the gateway. */
async function whoAnswers(port: number): Promise<string> {
  const reply = await askTcp(port);
  return reply.ok ? reply.service : reply.why;
}

/** A service `ns1/svc/<name>` from its file, with a backend of ours; resolves when GoBetween has it. */
async function addService(real: RealWorld, name: string, bind: string): Promise<string> {
  const path = `ns1/svc/${name}`;
  await real.agent.writeConfig(path, serviceConfig(await real.backend(path), { igw_gobtw_bind: bind }));
  await eventually(
    async () => assert.ok(server(name) in (await binds(real)), `${name} is not served`),
    20_000,
  );
  // Until then the agent refuses to delete it.
  await whenAgent(real, ({ services }) => services?.status[path]?.monitor?.status === 'idle');
  return path;
}

const portIn = (bind: string): number => Number(bind.slice(bind.lastIndexOf(':') + 1));

async function bindInFile(real: RealWorld, path: string): Promise<string | undefined> {
  return /^igw_gobtw_bind\s*=\s*(.*)$/m.exec(await real.agent.readConfig(path))?.[1];
}

async function open(t: Parameters<typeof startJanitor>[0]): Promise<{ real: RealWorld; janitor: Janitor }> {
  const real = await world();
  const janitor = startJanitor(t, real);
  await janitor.ready();
  return { real, janitor };
}

realTest(
  'a new service is served, and its allocated port is written back and read back',
  60_000,
  async (t) => {
    const { real, janitor } = await open(t);
    const path = 'ns1/svc/web';
    const address = await real.backend(path);
    const config = {
      DEFAULT: { nodes: 'n1', orchestrate: 'start' },
      'ip#1': { type: 'host', ipname: address, ipdev: 'lo', netmask: '32', expose: '8080/tcp' },
      env: { igw_gobtw_bind: '8080/tcp' },
    };
    await real.agent.request({ action: 'create', options: { data: { [path]: config }, provision: false } });
    await eventually(async () => assert.ok(server('web') in (await binds(real))), 20_000);
    const bind = (await binds(real))[server('web')] ?? '';
    const port = portIn(bind);
    assert.ok(port >= real.ports.range.from && port <= real.ports.range.to, bind);
    await eventually(async () => assert.equal(await whoAnswers(port), path), 20_000);

    await eventually(
      async () => assert.equal(await bindInFile(real, path), `8080/tcp-0.0.0.0:${port}`),
      20_000,
    );
    assert.match(
      await real.agent.om(path, 'get', '--kw', 'env.igw_gobtw_bind'),
      new RegExp(`8080/tcp-0\\.0\\.0\\.0:${port}`),
    );
    // What was written comes back as a change of the config, and changes nothing.
    await eventually(async () => {
      const series = 'gobtw_janitor_write_backs_total{result="written"}';
      assert.equal((await janitor.metrics()).get(series), 1);
    });
    const { csum } = (await real.agent.status()).monitor.nodes['n1']?.services?.config[path] ?? {};
    assert.ok(csum !== undefined);
    janitor.signal('SIGTERM');
    assert.equal((await janitor.exited).code, 0);
    const again = startJanitor(t, real);
    await again.ready();
    assert.deepEqual(await binds(real), { [server('web')]: bind });
    assert.deepEqual(real.writes(), { posts: 1, deletes: 0 });
  },
);

realTest('what `om set` changes by hand is followed', 60_000, async (t) => {
  const { real } = await open(t);
  const [one, two] = [real.ports.take(), real.ports.take()];
  const path = await addService(real, 'byhand', `8080/tcp-127.0.0.1:${one}`);
  await eventually(async () => assert.equal(await whoAnswers(one), path), 20_000);
  const before = real.writes();

  await real.agent.om(path, 'set', '--kw', `env.igw_gobtw_bind=8080/tcp-127.0.0.1:${two}`);
  await eventually(
    async () => assert.equal((await binds(real))[server('byhand')], `127.0.0.1:${two}`),
    20_000,
  );
  await eventually(async () => assert.equal(await whoAnswers(two), path), 20_000);
  assert.equal(await whoAnswers(one), 'ECONNREFUSED');
  assert.deepEqual(real.writes(), { posts: before.posts + 1, deletes: before.deletes + 1 });

  await real.agent.om(path, 'set', '--kw', 'env.igw_gobtw_balance=leastconn', '--kw', 'env.unrelated=text');
  await eventually(
    async () => assert.equal((await real.servers())[server('byhand')]?.['balance'], 'leastconn'),
    20_000,
  );
  assert.deepEqual(real.writes(), { posts: before.posts + 2, deletes: before.deletes + 2 });
});

realTest('a deletion that the agent announces removes at once, and only that service', 60_000, async (t) => {
  const { real } = await open(t);
  const [one, two] = [real.ports.take(), real.ports.take()];
  const path = await addService(real, 'gone', `8080/tcp-127.0.0.1:${one}`);
  const byCommand = await addService(real, 'gone3', `8080/tcp-127.0.0.1:${two}`);
  await addService(real, 'gone2', `8080/tcp-127.0.0.1:${real.ports.take()}`);
  const before = real.writes();
  const left = new Map(Object.entries(await binds(real)));

  // The grace is five minutes here: nothing but the announcement can remove a server now.
  const options = { path, global_expect: 'deleted' };
  const answer = await real.agent.request({ action: 'object_monitor', method: 'POST', options });
  assert.equal((answer as { status: number }).status, 0);
  left.delete(server('gone'));
  await eventually(async () => assert.deepEqual(await binds(real), Object.fromEntries(left)), 20_000);
  assert.equal(await whoAnswers(one), 'ECONNREFUSED');
  await real.agent.om(byCommand, 'purge');
  left.delete(server('gone3'));
  await eventually(async () => assert.deepEqual(await binds(real), Object.fromEntries(left)), 30_000);
  assert.deepEqual(real.writes(), { posts: before.posts, deletes: before.deletes + 2 });
});
