/** A world for one test: the stand-in GoBetween, or the real one when GOBETWEEN_BIN names it. Stopped with the test. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Writes } from '../../src/sim/world-balancer.js';
import { startWorld, type World, type WorldOptions } from '../../src/sim/world.js';
import { pause } from '../../src/sim/world-wait.js';

export async function openWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({ gobetweenBin: process.env['GOBETWEEN_BIN'] || undefined, ...options });
  t.after(() => world.stop());
  return world;
}

/** Generous: it costs nothing where things work, and the machine may be busy. */
const EVENTUALLY_MS = 60_000;

/** Runs the assertions of `look` until they hold; after `withinMs` they fail the test. */
export async function eventually(look: () => unknown, withinMs = EVENTUALLY_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      await look();
      return;
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await pause(50);
  }
}

/** What GoBetween serves, as `name -> bind`. */
export async function binds(world: Pick<World, 'servers'>): Promise<Readonly<Record<string, string>>> {
  const servers = await world.servers();
  return Object.fromEntries(Object.entries(servers).map(([name, { bind }]) => [name, bind]));
}

/** The port of the only server whose name begins so. */
export async function portOf(world: Pick<World, 'servers'>, prefix: string): Promise<number> {
  const found = Object.entries(await binds(world)).filter(([name]) => name.startsWith(prefix));
  assert.equal(found.length, 1, `servers ${prefix}*: ${JSON.stringify(found)}`);
  const bind = found[0]?.[1] ?? '';
  return Number(bind.slice(bind.lastIndexOf(':') + 1));
}

/** The name of the server for one exposed port: `_8080._tcp.web.root.svc`. */
export function serverName(expose: string, service: string, namespace = 'root'): string {
  return `_${expose.replace('/', '._')}.${service}.${namespace}.svc`;
}

/** Tries for a POST whose port a DELETE freed just now. */
export const CLOSE_RACE_TRIES = 6;

/**
 * Since `before` there was one creation, after as many removals, one of which freed its port: the listener closes a little
 * later than GoBetween answers the DELETE, so the POST may be refused and is repeated (gobetween-rest.md §4).
 */
export function assertReplacedOnce(world: Pick<World, 'writes'>, before: Writes, removals = 1): void {
  const { posts, deletes } = world.writes();
  assert.equal(deletes - before.deletes, removals, 'DELETEs');
  assert.ok(
    posts > before.posts && posts <= before.posts + CLOSE_RACE_TRIES,
    `${posts - before.posts} POSTs`,
  );
}
