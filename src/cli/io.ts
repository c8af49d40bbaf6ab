/** What the command line reads and writes: injected, so that tests need no terminal. */
import { readFileSync } from 'node:fs';
import type { Environment } from '../settings/settings.js';
import { visible } from './render-table.js';

export interface Io {
  /** Results. */
  out(text: string): void;
  /** Messages for people. */
  err(text: string): void;
  /** How far long work is, on one line that is written over; null: away with it. Nothing where nobody looks. */
  progress(text: string | null): void;
  readonly env: Environment;
  /** Columns to fit results into; null when they go to a pipe or a file. */
  readonly columns: number | null;
  /** Whether results may be coloured. */
  readonly colour: boolean;
  readonly version: string;
  /** Calls `fn` at each such signal, until the returned function is called. */
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', fn: () => void): () => void;
}

/** The io of this process. NO_COLOR, FORCE_COLOR and COLUMNS are honoured; a closed pipe ends the program quietly. */
export function processIo(): Io {
  const { env, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    progress(text) {
      if (stderr.isTTY === true) stderr.write(`\r\u001b[K${text === null ? '' : visible(text)}`);
    },
    env,
    columns: columnsOf(env, stdout.isTTY === true ? stdout.columns : null),
    colour: colourOf(env, stdout.isTTY === true),
    version: manifest.version,
    onSignal(signal, fn) {
      process.on(signal, fn);
      return () => void process.off(signal, fn);
    },
  };
}

/** COLUMNS when it is a sensible number, else what the terminal says. */
export function columnsOf(env: Environment, terminal: number | null): number | null {
  const asked = /^\d{2,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : 0;
  return asked >= 20 ? asked : terminal;
}

/** https://no-color.org: NO_COLOR, when not empty, wins; FORCE_COLOR colours a pipe too. */
export function colourOf(env: Environment, terminal: boolean): boolean {
  if ((env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb') return false;
  const forced = env.FORCE_COLOR ?? '';
  return forced === '' ? terminal : forced !== '0' && forced !== 'false';
}
