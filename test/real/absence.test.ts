/** A config that a real agent cannot read looks exactly like a deletion: mended within the grace it costs nothing. */
import assert from 'node:assert/strict';
import { askTcp } from '../../src/sim/world-traffic.js';
import { pause } from '../../src/sim/world-wait.js';
import {
  type RealWorld,
  realTest,
  serviceConfig,
  shareRealWorld,
  startJanitor,
  whenAgent,
} from '../support/real-world.js';
import { binds, eventually } from '../support/world.js';

const world = shareRealWorld();
const graceMs = 15_000;
const path = 'ns1/svc/web';
const server = '_8080._tcp.web.ns1.svc';

const whenListed = (real: RealWorld, wanted: boolean): Promise<void> =>
  whenAgent(real, ({ services }) => services !== undefined && path in services.config === wanted);

async function serve(t: Parameters<typeof startJanitor>[0]) {
  const real = await world();
  const port = real.ports.take();
  const config = serviceConfig(await real.backend(path), { igw_gobtw_bind: `8080/tcp-127.0.0.1:${port}` });
  await real.agent.writeConfig(path, config);
  await real.agent.writeConfig('other', serviceConfig('127.0.0.1', { igw_gobtw_bind: '8080/tcp' }));
  await startJanitor(t, real, { 'delete-grace': `${graceMs}ms` }).ready();
  await eventually(async () => assert.equal((await binds(real))[server], `127.0.0.1:${port}`), 20_000);
  await eventually(async () => assert.equal((await askTcp(port)).ok, true), 20_000);
  return { real, port, config };
}

realTest('a syntax error that is mended within the grace costs nothing', 110_000, async (t) => {
  const { real, port, config } = await serve(t);
  // The list has to stand still for the grace once before any absence counts: the guard must not be what saves the service.
  await pause(graceMs + 3000);
  const writes = real.writes();
  await real.agent.writeConfig(path, `${config}\nthis line is no config\n`);
  await whenListed(real, false);
  await pause(graceMs / 2);
  await real.agent.writeConfig(path, config);
  await whenListed(real, true);
  await pause(graceMs + 3000);
  assert.deepEqual(real.writes(), writes);
  assert.equal((await askTcp(port)).ok, true);
});

realTest('a service whose file is removed goes after the grace, not before', 110_000, async (t) => {
  const { real } = await serve(t);
  const writes = real.writes();
  const removedAt = performance.now();
  await real.agent.writeConfig(path, null);
  await whenListed(real, false);
  await eventually(async () => assert.equal(server in (await binds(real)), false), graceMs * 2);
  const waitedMs = performance.now() - removedAt;
  console.log(`# gone ${(waitedMs / 1000).toFixed(1)} s after its file, grace ${graceMs / 1000} s`);
  assert.ok(waitedMs > graceMs, `after ${waitedMs} ms`);
  assert.deepEqual(real.writes(), { posts: writes.posts, deletes: writes.deletes + 1 });
  assert.ok('_8080._tcp.other.root.svc' in (await binds(real)));
});
