/** A janitor process against a world: its metrics, its problems and its log, in the words that tests use. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { World } from '../../src/sim/world.js';
import { pause } from '../../src/sim/world-wait.js';
import { flagsFor, type Program, readMetrics, startProgram } from './process.js';
import { eventually } from './world.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Janitor extends Program {
  /** One sample of /metrics by its full name with labels; 0 where there is none. */
  metric(name: string): Promise<number>;
  /** Problems and warnings of a code in force. */
  problems(code: string): Promise<number>;
  /** Ready, in sync, and nothing left to do. */
  synced(): Promise<void>;
  /** Log lines so far. */
  log(): readonly LogLine[];
  /** Lines that a problem wrote when it came. */
  raised(code: string): readonly LogLine[];
  /** SIGTERM; resolves with the exit code and how long it took. */
  stop(): Promise<{ readonly code: number | null; readonly ms: number }>;
}

/** Times that make tests quick: a sweep each second, a short wait for quiet. */
const LIVELY = { sweep: '1s', 'quiet-wait': '200ms' } as const;

export function startJanitor(
  t: TestContext,
  world: World,
  flags: Readonly<Record<string, string>> = {},
): Janitor {
  const listen = `127.0.0.1:${world.ports.take()}`;
  const program = startProgram(t, ['run', ...flagsFor(world, { ...LIVELY, listen, ...flags })]);
  const metric = async (name: string): Promise<number> => (await readMetrics(listen)).get(name) ?? 0;
  const log = (): readonly LogLine[] =>
    program
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  return {
    ...program,
    metric,
    problems: (code) => metric(`gobtw_janitor_problems{code="${code}"}`),
    async synced() {
      await eventually(async () => {
        assert.equal(program.child.exitCode, null, program.stderr());
        assert.equal((await fetch(`http://${listen}/readyz`)).status, 200);
        assert.equal(await metric('gobtw_janitor_synced'), 1);
      });
    },
    log,
    raised: (code) => log().filter((line) => line['code'] === code && line['transition'] === 'raised'),
    async stop() {
      const startedAt = performance.now();
      program.signal('SIGTERM');
      const { code } = await program.exited;
      return { code, ms: performance.now() - startedAt };
    },
  };
}

/** No POST and no DELETE for `ms`, whatever `during` does meanwhile. */
export async function staysSilent(world: World, ms: number): Promise<void> {
  const before = world.writes();
  await pause(ms);
  assert.deepEqual(world.writes(), before, 'calls that changed GoBetween');
}
