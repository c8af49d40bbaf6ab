/**
 * Everything of one run: an agent, a GoBetween and a janitor, each in a process of its own, in a folder that goes with them.
 * Invariant: whatever fails, no process and no file is left.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fixture } from './fixture.js';
import type { JanitorProcess } from './janitor-process.js';
import { until } from './machine-clock.js';
import { type Remote, startRemote } from './remote.js';
import type { AgentProcess } from './stand-ins/agent-process.js';
import type { GobetweenProcess } from './stand-ins/gobetween-process.js';

export interface Stage {
  readonly fixture: Fixture;
  readonly statusBytes: number;
  readonly agent: Remote<AgentProcess>;
  readonly gobetween: Remote<GobetweenProcess>;
  readonly gobetweenUrl: string;
  readonly folder: string;
  /** A janitor in a process of its own, not started yet. */
  janitor(): Remote<JanitorProcess>;
  /** The flags that find the agent and GoBetween, with others that win. */
  flags(more?: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
}

export interface StageOptions {
  readonly services: number;
  /** How many of them have their servers in GoBetween already. */
  readonly present: number;
  readonly addr?: string;
  readonly firstPort?: number;
}

/** Runs `play` on a stage. */
export async function onStage<T>(options: StageOptions, play: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'igw-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const remotes: { end(): Promise<void> }[] = [];
  const own = <R extends { end(): Promise<void> }>(remote: R): R => {
    remotes.push(remote);
    return remote;
  };
  try {
    const agent = own(startRemote<AgentProcess>('./stand-ins/agent-process.js'));
    const gobetween = own(startRemote<GobetweenProcess>('./stand-ins/gobetween-process.js'));
    const socketPath = join(folder, 'lsnr.sock');
    const { services, present, addr = '0.0.0.0', firstPort = 10_000 } = options;
    const wanted = { services, addr, firstPort };
    const { dnsPort, statusBytes } = await agent.call('start', { socketPath, fixture: wanted });
    const { url } = await gobetween.call('start');
    const fixture = { ...wanted, dnsPort };
    if (present > 0) await gobetween.call('fill', { fixture, count: present });
    return await play({
      fixture,
      statusBytes,
      agent,
      gobetween,
      gobetweenUrl: url,
      folder,
      janitor: () => own(startRemote<JanitorProcess>('./janitor-process.js', ['--expose-gc'])),
      flags: (more = {}) => ({
        socket: socketPath,
        gobetween: url,
        hostname: 'n1',
        listen: '127.0.0.1:0',
        control: 'off',
        'log-format': 'json',
        ...more,
      }),
    });
  } finally {
    await Promise.all(remotes.map((remote) => remote.end()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** A janitor that has seen both sides, follows the stream and has nothing left to do. */
export async function settledJanitor(
  stage: Stage,
  flags: Readonly<Record<string, string>>,
): Promise<Remote<JanitorProcess>> {
  const janitor = stage.janitor();
  await janitor.call('start', stage.flags(flags));
  await janitor.call('planned');
  await janitor.call('settled');
  await until('the janitor follows the events', async () => (await stage.agent.call('subscribers')) > 0);
  return janitor;
}
