/**
 * `demo`: a little cluster on loopback with a janitor that serves it. A person types commands and sees table and traffic
 * follow; with `--check` it tries everything by itself. Needs neither privileges nor a port that may be taken.
 */
import { createInterface } from 'node:readline';
import { sleep, systemClock } from '../clock.js';
import { runChecks } from './demo-check.js';
import { helpText, runCommand } from './demo-commands.js';
import { openStage, type Stage } from './demo-stage.js';
import { countLive, drawTable, tryLines } from './demo-table.js';
import type { Io } from './io.js';
import { onSignals } from './signals.js';
import type { Verbs } from './verbs.js';

const WATCH_MS = 300;
const FIRST_TABLE_MS = 6000;

export interface DemoInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

/** The verb. The settings of the command line do not count: the demo must not reach a real gateway. */
export function createDemo(io: Io, stdin: DemoInput): Verbs['demo'] {
  return async (_settings, { check }) => {
    const ended = new AbortController();
    const offSignals = onSignals(io, { stop: () => ended.abort() });
    const stage = await openStage(io.version);
    try {
      if (check) return await checkAll(stage, io, ended.signal);
      await play(stage, io, stdin, ended);
      return 0;
    } finally {
      await stage.stop();
      offSignals();
    }
  };
}

async function checkAll(stage: Stage, io: Io, ended: AbortSignal): Promise<0 | 1> {
  const startedAt = systemClock.now();
  const failed = await runChecks(stage, { clock: systemClock, ended, print: (line) => io.out(`${line}\n`) });
  const seconds = ((systemClock.now() - startedAt) / 1000).toFixed(0);
  if (ended.aborted) io.out('stopped before the end\n');
  else io.out(failed === 0 ? `all checks passed in ${seconds} s\n` : `${failed} checks FAILED\n`);
  return failed === 0 && !ended.aborted ? 0 : 1;
}

async function play(stage: Stage, io: Io, stdin: DemoInput, ended: AbortController): Promise<void> {
  io.out('A cluster of services, its gateway and a janitor, all on loopback.\n');
  await untilServing(stage, ended.signal);
  const screen = createScreen(stage, io);
  await screen.draw(true);
  io.out(`\n${tryText(stage)}\n\n${helpText(stage, io.columns)}\n`);
  const lines = createInterface({ input: stdin, terminal: false });
  // Without a terminal the end of the input is no wish to stop: `demo < /dev/null &` runs until it is killed.
  lines.on('close', () => stdin.isTTY === true && ended.abort());
  let answered = Promise.resolve();
  lines.on('line', (line) => {
    answered = answered.then(() => answer(line));
  });

  async function answer(line: string): Promise<void> {
    const result = await runCommand(stage, line, io.columns);
    if (result.kind === 'quit') ended.abort();
    else if (result.kind === 'table') await screen.draw(true);
    else if (result.text !== '') io.out(`${result.text}\n`);
  }

  while (!ended.signal.aborted) {
    await sleep(systemClock, WATCH_MS, ended.signal);
    await screen.draw(false);
  }
  lines.close();
  await answered;
}

/** The first table is worth waiting for: servers in place, and backends found for them. */
async function untilServing(stage: Stage, ended: AbortSignal): Promise<void> {
  const deadline = systemClock.now() + FIRST_TABLE_MS;
  while (!ended.aborted && systemClock.now() < deadline) {
    const rows = stage.rows();
    const counts = await Promise.all(rows.map((row) => countLive(stage, row)));
    if (!rows.some(({ state }) => state === 'pending') && !counts.includes(0)) return;
    await sleep(systemClock, WATCH_MS, ended);
  }
}

function tryText(stage: Stage): string {
  const address = stage.address() ?? '';
  const lines = [
    ...tryLines(stage.rows()),
    `curl ${address}/metrics`,
    `gobtw-janitor status --control ${stage.control}`,
    `gobtw-janitor pause web --for 1m --control ${stage.control}`,
  ];
  return [
    `the status page: ${address}/`,
    'try from another terminal:',
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}

/** Prints the table when it differs from what was printed last and has stood still for one look. */
function createScreen(stage: Stage, io: Io) {
  let printed = '';
  let looked = '';
  return {
    async draw(always: boolean): Promise<void> {
      const table = await drawTable(stage, io.columns);
      const steady = table === looked;
      looked = table;
      if (!always && (table === printed || !steady)) return;
      printed = table;
      io.out(`\n${table}\n`);
    },
  };
}
