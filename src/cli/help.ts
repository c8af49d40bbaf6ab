/** The help: what this is, the verbs in order of use, examples, exit codes, then every setting by group. */
import type { Command } from 'commander';
import { groups } from '../settings/row.js';
import { rows } from '../settings/table.js';
import type { Io } from './io.js';
import { renderTable, wrapText } from './render-table.js';
import { verbDocs } from './verbs.js';

const widest = 110;
const pipeWidth = 100;

const examples: readonly (readonly [string, string])[] = [
  ['gobtw-janitor demo', 'see it work, without a cluster'],
  ["gobtw-janitor validate 'igw_gobtw_bind=443/tcp'", 'is this right, and what does it mean?'],
  ['gobtw-janitor validate --service ns1/svc/web', 'and what that service has?'],
  ['gobtw-janitor plan --gateway igw', 'what would it do here, now?'],
  ['gobtw-janitor run --gateway igw', 'serve what names this host, or igw'],
  ['gobtw-janitor run --policy observe', 'watch only, as a warm standby'],
  ['gobtw-janitor status', 'what is exposed, where, and why not'],
  ['gobtw-janitor explain shop/svc/api', 'why is it not reachable?'],
  ['gobtw-janitor pause shop/svc/api --for 30m', 'hands off this service for a while'],
  ['GOBTW_JANITOR_RATE=500 gobtw-janitor run', 'settings from the environment'],
];

const exitCodes: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'failed; explain: something is broken'],
  ['2', 'plan found changes pending'],
  ['64', 'wrong usage, explained on standard error'],
];

export function rootHelp(io: Io): string {
  const title = titleOf(io);
  const width = Math.min(io.columns ?? pipeWidth, widest);
  const table = (lines: readonly (readonly string[])[]): string =>
    renderTable(lines, { width, overflow: 'wrap', indent: 2 });
  const settings = Object.entries(groups).map(([group, groupTitle]) => {
    const lines = rows.flatMap(([, row]) => {
      if (row.group !== group || row.secret === true) return [];
      const short = row.short === undefined ? '' : `-${row.short}, `;
      const flag = `${short}--${row.flag}${row.argument === null ? '' : ` ${row.argument}`}`;
      const notes = [...(row.shown === 'none' || row.shown === 'no' ? [] : [row.shown])];
      return [[flag, notes.length === 0 ? row.doc : `${row.doc} (${notes.join('; ')})`]];
    });
    return `${title(groupTitle)}\n${table(lines)}`;
  });
  const intro =
    'Keeps a GoBetween load balancer equal to what the services of an OpenSVC cluster ask for in their igw_gobtw_* keywords.';
  const hint =
    'Each setting is also a variable: --req-timeout is GOBTW_JANITOR_REQ_TIMEOUT. A flag beats its variable. Defaults are in parentheses. The password of the API comes from a file or from GOBTW_JANITOR_GOBETWEEN_PASSWORD.';
  return (
    [
      `${title(`gobtw-janitor ${io.version}`)}\n${wrapText(intro, width).join('\n')}`,
      `${title('Usage')}\n  gobtw-janitor <verb> [settings]\n  gobtw-janitor <verb> --help`,
      `${title('Verbs, in order of use')}\n${table(Object.entries(verbDocs))}`,
      `${title('Examples')}\n${table(examples)}`,
      `${title('Exit codes')}\n${table(exitCodes)}`,
      `${title('Settings')}\n${wrapText(hint, width - 2)
        .map((line) => `  ${line}`)
        .join('\n')}`,
      ...settings,
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

export function verbHelp(io: Io, command: Command): string {
  const title = titleOf(io);
  const width = Math.min(io.columns ?? pipeWidth, widest);
  const options = command.options.map((option) => [option.flags, option.description]);
  const operands = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  const aliases = command.aliases();
  return (
    [
      `${title('Usage')}\n  gobtw-janitor ${command.name()}${operands.join('')}${options.length > 0 ? ' [options]' : ''} [settings]`,
      wrapText(
        `${command.description()}${aliases.length > 0 ? ` (also: ${aliases.join(', ')})` : ''}`,
        width,
      ).join('\n'),
      ...(options.length > 0
        ? [`${title('Options')}\n${renderTable(options, { width, overflow: 'wrap', indent: 2 })}`]
        : []),
      'The settings are those of gobtw-janitor --help; they may stand before or after the verb.',
    ].join('\n\n') + '\n'
  );
}

function titleOf(io: Io): (text: string) => string {
  return (text) => (io.colour ? `\u001b[1m${text}\u001b[0m` : text);
}
