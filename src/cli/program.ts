/**
 * The command line: verbs, settings as options, help and exit codes. Settings may stand before or after the verb; each
 * usage error is one clear line on standard error and exit 64 (SPEC §10). The verbs themselves live beside this file.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { type Given, notices, parseSettings, type Settings } from '../settings/settings.js';
import { rows } from '../settings/table.js';
import { completionScript, type Shell, shells } from './completion.js';
import { rootHelp, verbHelp } from './help.js';
import type { Io } from './io.js';
import { noticeLine, parserLine, usageLine } from './messages.js';
import { defaultPause } from './order.js';
import { type ExitCode, type Output, type VerbName, type Verbs, verbDocs, verbOptions } from './verbs.js';

/** Parses `args` (without node and script), calls the verb and answers the exit code. */
export async function runProgram(args: readonly string[], verbs: Verbs, io: Io): Promise<ExitCode> {
  if (args.length === 0) {
    io.err(rootHelp(io));
    return 64;
  }
  try {
    const { program, exitCode } = createProgram(verbs, io);
    await program.parseAsync(withVerb(args, verbs, io), { from: 'user' });
    return exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    io.err(error.code === 'commander.help' ? rootHelp(io) : parserLine(error.message));
    return 64;
  }
}

/** Settings alone mean `run`: the command line of the former janitor goes on working. */
function withVerb(args: readonly string[], verbs: Verbs, io: Io): readonly string[] {
  const scan = createProgram(verbs, io).program;
  const { operands, unknown } = scan.parseOptions([...args]);
  if (scan.getOptionValue('version') === true) return ['version'];
  return operands.length === 0 && unknown.length === 0 ? ['run', ...args] : args;
}

/** The commander program; `exitCode` is that of the verb which ran. */
function createProgram(
  verbs: Verbs,
  io: Io,
): { readonly program: Command; readonly exitCode: () => ExitCode } {
  let code: ExitCode = 0;
  const program = new Command('gobtw-janitor');
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: () => undefined,
      getOutHasColors: () => io.colour,
    })
    .configureHelp({
      formatHelp: (command) => (command === program ? rootHelp(io) : verbHelp(io, command)),
    })
    .helpCommand('help [verb]', 'shows the help of a verb')
    .helpOption('-h, --help', 'shows this help')
    .addOption(new Option('-V, --version', 'prints the version'));
  for (const option of settingOptions()) program.addOption(option);

  function verb(name: VerbName): Command {
    const command = program
      .command(name)
      .description(verbDocs[name])
      .helpOption('-h, --help', 'shows this help')
      .allowExcessArguments(false);
    for (const { flag, doc, argument } of verbOptions[name] ?? []) {
      const option = new Option(`${flag}${argument === null ? '' : ` <${argument}>`}`, doc);
      if (flag === '--output') option.choices(['text', 'json']).default('text');
      command.addOption(option);
    }
    return command;
  }

  /** Runs the verb with valid settings; else says what is wrong. */
  async function call<V extends keyof Verbs>(
    name: V,
    act: (verb: Verbs[V], settings: Settings) => Promise<ExitCode>,
  ): Promise<void> {
    const parsed = parseSettings(givenOf(program), io.env);
    if (!parsed.ok) {
      for (const error of parsed.errors) io.err(usageLine(error));
      code = 64;
      return;
    }
    for (const notice of notices(parsed.settings)) io.err(noticeLine(notice));
    code = await act(verbs[name], parsed.settings);
  }

  verb('demo').action((options: { check?: boolean }) =>
    call('demo', (act, settings) => act(settings, { check: options.check === true })),
  );
  verb('validate')
    .argument('[keyword=value...]', 'keywords of an [env] section')
    .action((keywords: string[], options: { service?: string; file?: string; output: Output }) =>
      call('validate', (act, settings) => {
        const { service = null, file = null, output } = options;
        return act(settings, { service, file, keywords, output });
      }),
    );
  verb('plan')
    .alias('diff')
    .action(({ output, refresh = false }: { output: Output; refresh?: boolean }) =>
      call('plan', (act, settings) => act(settings, { output, refresh })),
    );
  verb('apply').action(({ refresh = false }: { refresh?: boolean }) =>
    call('apply', (act, settings) => act(settings, { refresh })),
  );
  verb('run').action(() => call('run', (act, settings) => act(settings)));
  verb('status')
    .argument('[service]', 'path of one service')
    .action((service: string | undefined, { output, all = false }: { output: Output; all?: boolean }) =>
      call('status', (act, settings) => act(settings, { service: service ?? null, output, all })),
    );
  verb('explain')
    .argument('<subject>', 'path of a service, name of a server, port, or code of a message')
    .action((subject: string, { output, try: tries }: { output: Output; try: boolean }) =>
      call('explain', (act, settings) => act(settings, { subject, output, tries })),
    );
  verb('watch').action(({ output }: { output: Output }) =>
    call('watch', (act, settings) => act(settings, { output })),
  );
  verb('pause')
    .argument('[service]', 'path of one service; everything without it')
    .action((service: string | undefined, { for: forText = defaultPause }: { for?: string }) =>
      call('pause', (act, settings) => act(settings, { service: service ?? null, forText })),
    );
  verb('resume')
    .argument('[service]', 'path of one service; every pause without it')
    .action((service: string | undefined) =>
      call('resume', (act, settings) => act(settings, { service: service ?? null })),
    );
  verb('policy')
    .addArgument(new Argument('<policy>', 'the policy').choices(['sync', 'upsert-only', 'observe']))
    .action((to: string) => call('policy', (act, settings) => act(settings, { to })));
  verb('resync').action(() => call('resync', (act, settings) => act(settings)));
  verb('confirm-deletes').action(() => call('confirm-deletes', (act, settings) => act(settings)));
  verb('support-bundle').action(({ file = 'gobtw-janitor-support.json.gz' }: { file?: string }) =>
    call('support-bundle', (act, settings) => act(settings, { file })),
  );
  verb('completion')
    .addArgument(new Argument('<shell>', 'whose').choices([...shells]))
    .action((shell: Shell) => io.out(completionScript(shell)));
  verb('version').action(() => io.out(`gobtw-janitor ${io.version}\n`));
  return { program, exitCode: () => code };
}

/** One option for each row of the settings table. Values stay text: the table validates them. */
function settingOptions(): readonly Option[] {
  return rows.flatMap(([, row]) => {
    if (row.secret === true) return [];
    const short = row.short === undefined ? '' : `-${row.short}, `;
    const argument = row.argument === null ? '' : ` <${row.argument}>`;
    const option = new Option(`${short}--${row.flag}${argument}`, row.doc);
    if (row.repeatable === true) {
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    }
    return [option];
  });
}

function givenOf(program: Command): Given {
  const byFlag = new Map(program.options.map((option) => [option.long, option.attributeName()]));
  return Object.fromEntries(
    rows.map(([, row]) => {
      const attribute = byFlag.get(`--${row.flag}`);
      return [
        row.flag,
        attribute === undefined ? undefined : (program.getOptionValue(attribute) as Given[string]),
      ];
    }),
  );
}
