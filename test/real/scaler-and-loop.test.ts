/** A scaler of a real agent is served as its parent; a reference loop is reported and the agent stays idle. */
import assert from 'node:assert/strict';
import { askTcp } from '../../src/sim/world-traffic.js';
import { pause } from '../../src/sim/world-wait.js';
import { realTest, serviceConfig, shareRealWorld, startJanitor } from '../support/real-world.js';
import { binds, eventually } from '../support/world.js';

const slaves = ['0.scaled', '1.scaled', '2.scaled'];
const world = shareRealWorld({ hosts: slaves });
const scaled = '_8080._tcp.scaled.root.svc';

realTest('a scaler is served as its parent, and `scale` changes its backends', 90_000, async (t) => {
  const real = await world();
  const { agent } = real;
  const janitor = startJanitor(t, real);
  await janitor.ready();
  for (const slave of slaves) await real.backend(slave);
  const port = real.ports.take();
  const env = { igw_gobtw_bind: `8080/tcp-127.0.0.1:${port}`, igw_gobtw_discovery_interval: '1s' };
  const liveBackends = async (): Promise<readonly string[]> => {
    const shown = await real.backends(scaled);
    return shown.map(({ host }) => host).sort();
  };
  const addresses = (count: number): readonly string[] =>
    slaves.slice(0, count).map((slave) => real.address(slave));

  // Each slave resolves its own name, so each has an address of its own.
  await agent.writeConfig('scaled', serviceConfig('{name}', env, { scale: '2' }));
  await eventually(async () => assert.deepEqual(await liveBackends(), addresses(2)), 40_000);
  const { services } = (await agent.status()).monitor.nodes['n1'] ?? {};
  assert.ok('0.scaled' in (services?.config ?? {}) && '1.scaled' in (services?.config ?? {}));
  assert.match(await agent.readConfig('0.scaled'), /igw_gobtw_bind/, 'a slave carries the keyword too');
  assert.deepEqual(Object.keys(await binds(real)), [scaled]);
  const who = new Set<string>();
  await eventually(async () => {
    const reply = await askTcp(port);
    if (reply.ok) who.add(reply.who);
    assert.equal(who.size, 2);
  }, 20_000);

  const writes = real.writes();
  await agent.om('scaled', 'scale', '--to', '3', '--local');
  await eventually(async () => assert.deepEqual(await liveBackends(), addresses(3)), 40_000);
  await agent.om('scaled', 'scale', '--to', '1', '--local');
  await eventually(async () => assert.equal((await liveBackends()).length, 1), 40_000);
  assert.deepEqual(Object.keys(await binds(real)), [scaled]);
  assert.deepEqual(real.writes(), writes, 'GoBetween follows the records itself');

  // By now the agent's copy of the scaler's config claims to be a slave: a fresh reader must not believe it.
  const config = { path: 'scaled', format: 'json', evaluate: false };
  const told = await agent.request({ action: 'object_config', method: 'GET', options: config });
  console.log(`# the agent on the scaler itself: ${JSON.stringify((told as { DEFAULT?: object }).DEFAULT)}`);
  janitor.signal('SIGTERM');
  await janitor.exited;
  await startJanitor(t, real).ready();
  await pause(1000);
  assert.deepEqual(real.writes(), writes);
});

realTest('a reference loop is reported, and the agent stays idle', 90_000, async (t) => {
  const real = await world();
  const { agent } = real;
  const janitor = startJanitor(t, real);
  await janitor.ready();
  const port = real.ports.take();
  const loop = { igw_gobtw_bind: `8080/tcp-127.0.0.1:{env.a}`, a: '{env.b}', b: '{env.a}' };
  const config = serviceConfig(await real.backend('ns1/svc/loop'), { ...loop, b: `${port}` });
  await agent.writeConfig('ns1/svc/loop', config);
  const name = '_8080._tcp.loop.ns1.svc';
  await eventually(async () => assert.equal((await binds(real))[name], `127.0.0.1:${port}`), 20_000);
  await eventually(async () => assert.equal((await askTcp(port)).ok, true), 20_000);
  const writes = real.writes();

  await agent.writeConfig('ns1/svc/loop', config.replace(`b = ${port}`, 'b = {env.a}'));
  const line = await janitor.line(/reference-loop/, 20_000);
  assert.match(line, /ns1\/svc\/loop/);
  assert.equal(await janitor.problems('reference-loop'), 1);
  assert.ok((await load(agent.cpuSeconds)) < 0.2, 'the agent spins');
  assert.equal((await askTcp(port)).ok, true, 'what was served stays');

  janitor.signal('SIGHUP');
  await pause(3000);
  assert.deepEqual(real.writes(), writes);
  assert.ok((await load(agent.cpuSeconds)) < 0.2, 'the agent spins after a resync');

  // The control: what the janitor must never ask for does spin this agent, for ever.
  const options = { path: 'ns1/svc/loop', format: 'json', evaluate: true };
  await agent
    .request({ action: 'object_config', method: 'GET', node: 'ANY', options }, 1000)
    .catch(() => undefined);
  assert.ok(
    (await load(agent.cpuSeconds)) > 0.3,
    'an evaluation of this config is harmless: the test proves nothing',
  );
});

/** Processor time per time over four seconds; 1 is one whole core. */
async function load(cpuSeconds: () => number): Promise<number> {
  const [startedAt, before] = [performance.now(), cpuSeconds()];
  await pause(4000);
  const found = (cpuSeconds() - before) / ((performance.now() - startedAt) / 1000);
  console.log(`# the agent used ${found.toFixed(2)} of a core`);
  return found;
}
