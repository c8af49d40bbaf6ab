/**
 * The demo's stage: a world, its cast, and a janitor in this process that can be started again. Everything that the
 * session and the checks look at or do goes through here.
 */
import { dirname, join } from 'node:path';
import type { App } from '../app-handle.js';
import { createApp } from '../app.js';
import { createRealPorts } from '../effects.js';
import type { Problem } from '../model/problem.js';
import type { ExposureRow } from '../plan/exposure.js';
import { parseSettings, type Settings } from '../settings/settings.js';
import { startWorld, type World } from '../sim/world.js';
import { type Cast, createCast } from './demo-cast.js';

export interface Stage {
  readonly world: World;
  readonly cast: Cast;
  /** A free port to suggest in examples. */
  readonly spare: number;
  rows(): readonly ExposureRow[];
  /** What the janitor warns of now. */
  warnings(): readonly Problem[];
  rowsOf(path: string): readonly ExposureRow[];
  /** Root of the janitor's own pages. */
  address(): string | null;
  /** Path of its control socket. */
  readonly control: string;
  /** Resolves when the janitor has nothing to do. */
  settled(): Promise<void>;
  restartJanitor(): Promise<void>;
  stop(): Promise<void>;
}

/** Nobody who watches wants to wait for what is prudent on a real gateway. */
const LIVELY_FLAGS = {
  sweep: '2s',
  'delete-grace': '3s',
  'quiet-wait': '500ms',
  'log-level': 'error',
} as const;

/** Starts world, cast and janitor; resolves after the janitor's first plan. */
export async function openStage(version: string): Promise<Stage> {
  const world = await startWorld();
  try {
    const cast = await createCast(world);
    const settings = settingsOf(world);
    let app = await startJanitor(settings, version);
    return {
      world,
      cast,
      spare: world.ports.take(),
      control: controlOf(world),
      rows: () => app.exposure(),
      warnings: () => app.problems().filter(({ severity }) => severity === 'warning'),
      rowsOf: (path) => app.exposure().filter(({ service }) => service === path),
      address: () => app.address(),
      settled: () => app.settled(),
      async restartJanitor() {
        await app.stop();
        app = await startJanitor(settings, version);
      },
      async stop() {
        await app.stop();
        await world.stop();
      },
    };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function startJanitor(settings: Settings, version: string): Promise<App> {
  const app = createApp(settings, createRealPorts(settings), version);
  const started = await app.start();
  if (!started.ok) throw new Error(started.failure.message);
  await app.planned();
  return app;
}

function controlOf(world: World): string {
  return join(dirname(world.socketPath), 'janitor.sock');
}

/** The user's own variables do not count: the demo must not reach a real gateway. */
function settingsOf(world: World): Settings {
  const parsed = parseSettings({ ...world.flags, ...LIVELY_FLAGS, control: controlOf(world) }, {});
  if (!parsed.ok) throw new Error(`the demo's own settings are wrong: ${parsed.errors.join('; ')}`);
  return parsed.settings;
}
