/**
 * The verbs of the command line, as the program calls them: settings are parsed and valid by then. Invariant: help,
 * completion and parser are made from the tables here.
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
  readonly demo: (settings: Settings, options: { readonly check: boolean }) => Promise<ExitCode>;
  readonly validate: (settings: Settings, options: ValidateOptions) => Promise<ExitCode>;
  readonly plan: (
    settings: Settings,
    options: { readonly output: Output; readonly refresh: boolean },
  ) => Promise<ExitCode>;
  readonly apply: (settings: Settings, options: { readonly refresh: boolean }) => Promise<ExitCode>;
  readonly run: (settings: Settings) => Promise<ExitCode>;
  readonly status: (
    settings: Settings,
    options: { readonly service: string | null; readonly output: Output; readonly all: boolean },
  ) => Promise<ExitCode>;
  readonly explain: (
    settings: Settings,
    options: { readonly subject: string; readonly output: Output; readonly tries: boolean },
  ) => Promise<ExitCode>;
  readonly watch: (settings: Settings, options: { readonly output: Output }) => Promise<ExitCode>;
  readonly pause: (
    settings: Settings,
    options: { readonly service: string | null; readonly forText: string },
  ) => Promise<ExitCode>;
  readonly resume: (settings: Settings, options: { readonly service: string | null }) => Promise<ExitCode>;
  readonly policy: (settings: Settings, options: { readonly to: string }) => Promise<ExitCode>;
  readonly resync: (settings: Settings) => Promise<ExitCode>;
  readonly 'confirm-deletes': (settings: Settings) => Promise<ExitCode>;
  readonly 'support-bundle': (settings: Settings, options: { readonly file: string }) => Promise<ExitCode>;
}

export type VerbName = keyof Verbs | 'completion' | 'version';

/** In order of use, with one line each for the help. */
export const verbDocs = {
  demo: 'a whole small cluster in this process, changing before your eyes; needs nothing, touches nothing',
  validate: 'says what is wrong with a service, a config file or keywords, and what they would expose',
  plan: 'shows what would change in GoBetween, why, and how many connections it would drop; changes nothing',
  apply: 'makes those changes once and ends; never deletes what is merely absent',
  run: 'keeps GoBetween equal to what the services ask for, until it is stopped',
  status: 'what the running janitor serves, what it does not, and why; of one service or of all',
  explain: 'where the chain from keyword to backend breaks, and how to mend it; or what a code means',
  watch: 'what the running janitor does, line by line',
  pause: 'the running janitor changes nothing for a while, for one service or for all; servers stay',
  resume: 'ends a pause',
  policy: 'the running janitor follows another policy, until it is restarted',
  resync: 'the running janitor looks at the whole cluster and at GoBetween again',
  'confirm-deletes': 'services that are missing from the list are really gone: their servers may go',
  'support-bundle':
    'everything that helps to understand this gateway from afar, without secrets, in one file',
  completion: 'prints a completion script for bash, zsh or fish',
  version: 'prints the version',
} as const satisfies Record<VerbName, string>;

interface VerbOption {
  readonly flag: string;
  readonly doc: string;
  /** null: a switch. */
  readonly argument: string | null;
}

const outputOption: VerbOption = { flag: '--output', doc: 'text or json', argument: 'format' };
const refreshOption: VerbOption = {
  flag: '--refresh',
  doc: 'replaces servers that an earlier version made with other defaults',
  argument: null,
};

/** What a verb takes beside the settings. */
export const verbOptions: Partial<Readonly<Record<VerbName, readonly VerbOption[]>>> = {
  demo: [
    {
      flag: '--check',
      doc: 'runs it to its end without a person, and fails if anything did not work',
      argument: null,
    },
  ],
  validate: [
    {
      flag: '--service',
      doc: 'a service of the cluster; with --file or keywords: whose they are',
      argument: 'path',
    },
    { flag: '--file', doc: "a service's config file, or - for standard input", argument: 'file' },
    outputOption,
  ],
  plan: [outputOption, refreshOption],
  apply: [refreshOption],
  status: [
    outputOption,
    { flag: '--all', doc: 'also what merely works, however much it is', argument: null },
  ],
  explain: [outputOption, { flag: '--no-try', doc: 'does not connect to the listener', argument: null }],
  watch: [outputOption],
  pause: [{ flag: '--for', doc: 'when it ends by itself (1h by default)', argument: 'duration' }],
  'support-bundle': [
    {
      flag: '--file',
      doc: 'where to write it, compressed if it ends with .gz; - is standard output',
      argument: 'file',
    },
  ],
};
