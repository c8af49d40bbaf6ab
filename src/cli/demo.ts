/**
 * `gobtw-janitor demo`: a little cluster on loopback with a janitor that serves it. A person types commands and sees table
 * and traffic follow; with `--check` it tries everything by itself. Needs neither privileges nor a free fixed port.
 */
import { createInterface } from 'node:readline';
import { sleep, systemClock } from '../clock.js';
import { runChecks } from './demo-check.js';
import { helpText, runCommand } from './demo-commands.js';
import { openStage, type Stage } from './demo-stage.js';
import { drawTable, tryLines } from './demo-table.js';
import { onSignals } from './signals.js';

const WATCH_MS = 300;

export interface DemoIo {
  readonly stdin: NodeJS.ReadStream;
  /** One or more whole lines. */
  readonly print: (text: string) => void;
  readonly columns: () => number;
}

/** Runs until `quit`, the end of a terminal's input, or a signal. Exit code 0; with `check` 1 when a check failed. */
export async function runDemo(options: { readonly check: boolean }, io: DemoIo): Promise<number> {
  const stage = await openStage();
  try {
    if (options.check) return await checkAll(stage, io);
    await play(stage, io);
    return 0;
  } finally {
    await stage.stop();
  }
}

async function checkAll(stage: Stage, io: DemoIo): Promise<number> {
  const startedAt = systemClock.now();
  const failed = await runChecks(stage, systemClock, io.print);
  const seconds = ((systemClock.now() - startedAt) / 1000).toFixed(0);
  io.print(failed === 0 ? `all checks passed in ${seconds} s` : `${failed} checks FAILED`);
  return failed === 0 ? 0 : 1;
}

async function play(stage: Stage, io: DemoIo): Promise<void> {
  io.print('A cluster of services, its gateway and a janitor, all on loopback. Type help for the commands.');
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const offSignals = onSignals({ stop: end });
  const screen = createScreen(stage, io);
  const lines = createInterface({ input: io.stdin, terminal: false });
  // Without a terminal the end of the input is no wish to stop: `demo < /dev/null &` runs until it is killed.
  lines.on('close', () => io.stdin.isTTY && end());
  let running = Promise.resolve();
  lines.on('line', (line) => {
    running = running.then(() => answer(line));
  });

  async function answer(line: string): Promise<void> {
    const result = await runCommand(stage, line);
    if (result.kind === 'quit') end();
    else if (result.kind === 'table') await screen.draw(true);
    else if (result.text !== '') io.print(result.text);
  }

  await screen.draw(true);
  for (const line of tryLines(stage.rows())) io.print(`  ${line}`);
  io.print(`  curl http://${stage.address() ?? ''}/metrics`);
  io.print(helpText(stage));
  while (!ended.signal.aborted) {
    await sleep(systemClock, WATCH_MS, ended.signal);
    await screen.draw(false);
  }
  lines.close();
  offSignals();
  await running;
}

/** Prints the table when it differs from what was printed last and has stood still for one look. */
function createScreen(stage: Stage, io: DemoIo) {
  let printed = '';
  let looked = '';
  return {
    async draw(always: boolean): Promise<void> {
      const table = await drawTable(stage, io.columns());
      const steady = table === looked;
      looked = table;
      if (!always && (table === printed || !steady)) return;
      printed = table;
      io.print(`\n${table}\n`);
    },
  };
}
