/** `--state-dir` with the built program: what it saves between two starts, and what a spoiled file costs. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pause } from '../../src/sim/world-wait.js';
import { YOUNG_MS } from '../../src/source/config-cache.js';
import { flagsFor, type Program, startProgram } from '../support/process.js';
import { binds, eventually, openWorld } from '../support/world.js';

const SERVICES = 50;

test('a second start reads nothing, a third with a cut file everything; no listener is touched', async (t) => {
  const world = await openWorld(t);
  const directory = mkdtempSync(join(tmpdir(), 'gobtw-state-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const http = `${world.ports.take()}/tcp`;
  for (let i = 0; i < SERVICES; i += 1)
    world.addService(`s${i}`, { bind: http, expose: [http], instances: 0 });
  const listen = `127.0.0.1:${world.ports.take()}`;
  const flags = { listen, 'state-dir': join(directory, 'state'), 'write-back': 'off', 'log-level': 'info' };
  const file = join(directory, 'state', 'state.ndjson');

  /** Until it is ready; returns the configs that it read on the way: the cluster's own is not counted. */
  async function start(): Promise<{ program: Program; reads: number }> {
    const before = world.agent.count('object_config');
    const program = startProgram(t, ['run', ...flagsFor(world, flags)]);
    await eventually(async () => assert.equal((await fetch(`http://${listen}/readyz`)).status, 200));
    return { program, reads: world.agent.count('object_config') - before - 1 };
  }
  async function stop({ signal, exited }: Program): Promise<void> {
    signal('SIGTERM');
    assert.equal((await exited).code, 0);
  }

  const cold = await start();
  assert.equal(cold.reads, SERVICES);
  await eventually(async () => assert.equal(Object.keys(await binds(world)).length, SERVICES));
  await pause(YOUNG_MS + 1000);
  await stop(cold.program);
  const before = await binds(world);
  const writes = world.writes();
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const warm = await start();
  assert.equal(warm.reads, 0);
  assert.match(warm.program.stderr(), /warm start from/);
  await stop(warm.program);

  truncateSync(file, statSync(file).size - 1);
  const again = await start();
  assert.equal(again.reads, SERVICES);
  const lines = again.program.stderr().split('\n');
  assert.equal(lines.filter((line) => line.includes(file)).length, 1);
  assert.match(again.program.stderr(), /set aside as .*state\.ndjson\.bad/);
  assert.ok(existsSync(`${file}.bad`));
  await stop(again.program);

  assert.deepEqual(await binds(world), before);
  assert.deepEqual(world.writes(), writes);
});
