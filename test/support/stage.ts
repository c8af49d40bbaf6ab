/**
 * A world, its services and a janitor that serves them, for tests of what the agent's flaws do to the servers. Services
 * have no instance (backends are not the point) and each an explicit port of its own.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Writes } from '../../src/sim/world-balancer.js';
import type { ServiceSpec } from '../../src/sim/world-service.js';
import type { World, WorldOptions } from '../../src/sim/world.js';
import { pause } from '../../src/sim/world-wait.js';
import { flagsFor, type Program, readMetrics, startProgram } from './process.js';
import { binds, eventually, openWorld } from './world.js';

/** `--delete-grace` of these tests. */
export const GRACE_MS = 800;

export interface Stage {
  readonly world: World;
  /** The exposed word that every service binds. */
  readonly http: string;
  /** Name of the server of a root service. */
  server(service: string): string;
  /** Adds a service; without `bind` it gets an explicit port. Returns its path. */
  add(name: string, spec?: Partial<ServiceSpec>): string;
  /** Starts a janitor and waits until it is ready and has served everything. */
  serve(flags?: Readonly<Record<string, string>>): Promise<Program>;
  /** Starts a janitor and does not wait. */
  start(flags?: Readonly<Record<string, string>>): Program;
  /** Gives an existing service another explicit port; returns a check that waits until it is served there. */
  move(path: string): () => Promise<void>;
  /** Waits until exactly these root services have a server. */
  servesOnly(...services: readonly string[]): Promise<void>;
  /** Waits until so many problems of `code` are in force. */
  problems(code: string, count: number): Promise<void>;
  /** One sample; 0 where there is none. */
  metric(name: string): Promise<number>;
  /** Status of /readyz or /healthz. */
  status(page: 'readyz' | 'healthz'): Promise<number>;
  /** Runs `during`; afterwards GoBetween has the same servers and got no call that changes anything. */
  untouched(during: () => unknown): Promise<void>;
}

export async function openStage(t: TestContext, options: WorldOptions = {}): Promise<Stage> {
  const world = await openWorld(t, options);
  const http = `${world.ports.take()}/tcp`;
  const page = `127.0.0.1:${world.ports.take()}`;
  const server = (service: string): string => `_${http.replace('/', '._')}.${service}.root.svc`;
  const status: Stage['status'] = async (path) => (await fetch(`http://${page}/${path}`)).status;
  const seen = async (): Promise<{ binds: object; writes: Writes }> => ({
    binds: await binds(world),
    writes: world.writes(),
  });

  const start: Stage['start'] = (flags = {}) =>
    startProgram(t, [
      'run',
      ...flagsFor(world, {
        listen: page,
        sweep: '1s',
        'quiet-wait': '100ms',
        'delete-grace': `${GRACE_MS}ms`,
        'log-level': 'warn',
        ...flags,
      }),
    ]);

  return {
    world,
    http,
    server,
    status,
    start,
    add: (name, spec = {}) =>
      world.addService(name, {
        expose: [http],
        instances: 0,
        ...spec,
        bind: spec.bind ?? `${http}-127.0.0.1:${world.ports.take()}`,
        env: { igw_gobtw_discovery_interval: '30s', ...spec.env },
      }),
    async serve(flags) {
      const janitor = start(flags);
      await eventually(async () => {
        assert.equal(janitor.child.exitCode, null, janitor.stderr());
        assert.equal(await status('readyz'), 200);
      });
      const wanted = world.services().filter((path) => world.bindOf(path) !== undefined).length;
      await eventually(async () => assert.equal(Object.keys(await binds(world)).length, wanted));
      return janitor;
    },
    move(path) {
      const port = world.ports.take();
      world.setBind(path, `${http}-127.0.0.1:${port}`);
      return () =>
        eventually(async () => assert.equal((await binds(world))[server(path)], `127.0.0.1:${port}`));
    },
    servesOnly: (...services) =>
      eventually(async () =>
        assert.deepEqual(Object.keys(await binds(world)).sort(), services.map(server).sort()),
      ),
    async metric(name) {
      return (await readMetrics(page)).get(name) ?? 0;
    },
    problems: (code, count) =>
      eventually(async () =>
        assert.equal((await readMetrics(page)).get(`gobtw_janitor_problems{code="${code}"}`) ?? 0, count),
      ),
    async untouched(during) {
      const before = await seen();
      await during();
      assert.deepEqual(await seen(), before);
    },
  };
}

/** Long enough for a deletion by absence, if one were believed. */
export const severalGraces = (): Promise<void> => pause(3 * GRACE_MS);

/** The same while the agent answers: as many lists as it takes, each with its time, and then the deletion itself. */
export async function severalLists(world: World): Promise<void> {
  const lists = world.agent.count('daemon_status');
  await pause(2 * GRACE_MS);
  await eventually(() => assert.ok(world.agent.count('daemon_status') >= lists + 2));
  await pause(600);
}
