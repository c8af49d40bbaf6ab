/**
 * The verbs of the command line, as the program calls them: settings are parsed and valid by then. A verb that is
 * absent is not part of this version, and the program says so.
 */
import type { Settings } from '../settings/settings.js';

/** 0 done; 1 failed; 2 `plan` found changes pending; 64 wrong usage (SPEC §10). */
export type ExitCode = 0 | 1 | 2 | 64;
export type Output = 'text' | 'json';

export interface ValidateOptions {
  /** Path of a service. */
  readonly service: string | null;
  /** Path of a config file; `-` is standard input. */
  readonly file: string | null;
  /** `keyword=value`. */
  readonly keywords: readonly string[];
  readonly output: Output;
}

export interface Verbs {
  readonly demo?: (settings: Settings, options: { readonly check: boolean }) => Promise<ExitCode>;
  readonly validate?: (settings: Settings, options: ValidateOptions) => Promise<ExitCode>;
  readonly plan?: (
    settings: Settings,
    options: { readonly output: Output; readonly refresh: boolean },
  ) => Promise<ExitCode>;
  readonly apply?: (settings: Settings, options: { readonly refresh: boolean }) => Promise<ExitCode>;
  readonly run?: (settings: Settings) => Promise<ExitCode>;
  readonly status?: (
    settings: Settings,
    options: { readonly service: string | null; readonly output: Output },
  ) => Promise<ExitCode>;
  readonly explain?: (settings: Settings, options: { readonly subject: string }) => Promise<ExitCode>;
}

export type VerbName = keyof Verbs | 'version';

/** In order of use, with one line each for the help. */
export const verbDocs = {
  demo: 'a whole small cluster in this process, changing before your eyes; needs nothing, touches nothing',
  validate: 'says what is wrong with a service, a config file or keywords, and what they would expose',
  plan: 'shows what would change in GoBetween, and why; changes nothing',
  apply: 'makes those changes once and ends; never deletes what is merely absent',
  run: 'keeps GoBetween equal to what the services ask for, until it is stopped',
  status: 'what is served, what is not, and why; of one service or of all',
  explain: 'why one service, server or port is as it is',
  version: 'prints the version',
} as const satisfies Record<VerbName, string>;
