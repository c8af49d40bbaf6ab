/** A world in which a careless match of names would do harm. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { World } from '../../src/sim/world.js';
import { startJanitor } from './janitor.js';
import { binds, eventually, openWorld } from './world.js';

/** `web` and services that a careless match would take for it. */
export const NEIGHBOURS = [
  ['web2', 'root'],
  ['web-api', 'root'],
  ['web.v2', 'root'],
  ['aweb', 'root'],
  ['web', 'shop'],
  ['web', 'web'],
] as const;

export interface Scene {
  readonly world: World;
  readonly http: string;
  readonly web: string;
  readonly before: Readonly<Record<string, string>>;
}

/** Names that only resemble ours. */
export const FOREIGN = [
  'web',
  '_web',
  '_80._tcp.web',
  '80._tcp.web.root.svc',
  'my-_80._tcp.web.root.svc',
  '_http._tcp.web.root.svc',
];

/** A janitor that serves `web` and its neighbours, beside foreign servers. */
export async function populateNeighbours(t: TestContext, flags: Readonly<Record<string, string>> = {}) {
  const world = await openWorld(t);
  const http = `${world.ports.take()}/tcp`;
  const add = (name: string, namespace: string): string =>
    world.addService(name, {
      namespace,
      bind: `${http}-127.0.0.1:${world.ports.take()}`,
      expose: [http],
      instances: 1,
    });
  const web = add('web', 'root');
  for (const [name, namespace] of NEIGHBOURS) add(name, namespace);
  for (const name of FOREIGN) {
    await world.addForeign(name, {
      protocol: 'tcp',
      bind: `127.0.0.1:${world.ports.take()}`,
      discovery: { kind: 'static', static_list: ['127.0.0.1:1'] },
    });
  }
  const janitor = startJanitor(t, world, flags);
  const all = NEIGHBOURS.length + 1 + FOREIGN.length;
  await eventually(async () => assert.equal(Object.keys(await binds(world)).length, all));
  await janitor.synced();
  const scene: Scene = { world, http, web, before: await binds(world) };
  return { ...scene, janitor };
}
