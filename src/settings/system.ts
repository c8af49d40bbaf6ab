/** What the settings ask of the machine: files, cores, and whether a person is looking. Injected, so that tests decide. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { bad, good, type Parsed } from './values.js';

export interface System {
  /** The text of a small file, or half a sentence of what is wrong with it. */
  readFile(path: string): Parsed<string>;
  readonly cores: number;
  /** Standard error, where logs go, is a terminal. */
  readonly terminal: boolean;
}

export const realSystem: System = {
  readFile(path) {
    try {
      return good(readFileSync(path, 'utf8'));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      return bad(`cannot be read (${reasons[code] ?? code})`);
    }
  },
  cores: availableParallelism(),
  terminal: process.stderr.isTTY === true,
};

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};
