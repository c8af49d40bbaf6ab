/** `completion`: a script for bash, zsh or fish, made from the verbs and settings of this version. */
import { problemDocs } from '../model/problem-docs.js';
import { rows } from '../settings/table.js';
import { type VerbName, verbDocs, verbOptions } from './verbs.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const name = 'gobtw-janitor';

interface Flag {
  readonly flag: string;
  readonly doc: string;
  /** What may follow; null: it takes nothing. */
  readonly argument: string | null;
}

const settings: readonly Flag[] = rows
  .map(([, row]) => row)
  .filter(({ secret }) => secret !== true)
  .map(({ flag, doc, argument }) => ({ flag: `--${flag}`, doc, argument }));
const verbs = Object.entries(verbDocs) as [VerbName, string][];
/** Words that may follow a verb. */
const operands: Partial<Readonly<Record<VerbName, readonly string[]>>> = {
  explain: Object.keys(problemDocs),
  policy: ['sync', 'upsert-only', 'observe'],
  completion: shells,
};

export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}

function optionsOf(verb: VerbName): readonly Flag[] {
  return [
    ...(verbOptions[verb] ?? []),
    ...settings,
    { flag: '--help', doc: 'shows the help', argument: null },
  ];
}

function bash(): string {
  const cases = verbs.map(([verb]) => {
    const words = [...(operands[verb] ?? []), ...optionsOf(verb).map(({ flag }) => flag)];
    return `    ${verb}) words="${words.join(' ')}" ;;`;
  });
  return `# bash completion of ${name}: source <(${name} completion bash)
_gobtw_janitor() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" verb="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      ${verbs.map(([verb]) => verb).join('|')}) verb="$word"; break ;;
    esac
  done
  case "$prev" in
${choices()
  .map(
    ({ flag, values }) => `    ${flag}) COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$cur")); return ;;`,
  )
  .join('\n')}
    ${files().join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$verb" in
${cases.join('\n')}
    *) words="${[...verbs.map(([verb]) => verb), ...settings.map(({ flag }) => flag), '--help', '--version'].join(' ')}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _gobtw_janitor ${name}
`;
}

function zsh(): string {
  const quote = (text: string): string => text.replaceAll(/[[\]:'"\\]/g, ' ');
  const spec = ({ flag, doc, argument }: Flag): string =>
    `'${flag}[${quote(doc)}]${argument === null ? '' : `:${quote(argument)}:${valuesOf(flag)}`}'`;
  const valuesOf = (flag: string): string => {
    const choice = choices().find((each) => each.flag === flag);
    if (choice !== undefined) return `(${choice.values.join(' ')})`;
    return files().includes(flag) ? '_files' : ' ';
  };
  const cases = verbs.map(([verb]) => {
    const words = operands[verb];
    const args = [
      ...optionsOf(verb).map(spec),
      ...(words === undefined ? [] : [`'1:operand:(${words.join(' ')})'`]),
    ];
    return `      ${verb}) _arguments ${args.join(' ')} ;;`;
  });
  return `#compdef ${name}
# zsh completion of ${name}: ${name} completion zsh > "\${fpath[1]}/_${name}"
_gobtw_janitor() {
  local line state
  _arguments -C ${settings.map(spec).join(' ')} '1:verb:->verb' '*::rest:->rest'
  case $state in
    verb)
      local -a verbs=(${verbs.map(([verb, doc]) => `'${verb}:${quote(doc)}'`).join(' ')})
      _describe verb verbs ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
}
compdef _gobtw_janitor ${name}
`;
}

function fish(): string {
  const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, ' ')}'`;
  const long = (flag: string): string => flag.replace(/^--/, '');
  const none = `not __fish_seen_subcommand_from ${verbs.map(([verb]) => verb).join(' ')}`;
  const lines = [
    ...verbs.map(([verb, doc]) => `complete -c ${name} -f -n ${quote(none)} -a ${verb} -d ${quote(doc)}`),
    ...settings.map(({ flag, doc, argument }) => {
      const choice = choices().find((each) => each.flag === flag);
      const value =
        argument === null
          ? ''
          : choice !== undefined
            ? ` -x -a ${quote(choice.values.join(' '))}`
            : files().includes(flag)
              ? ' -r -F'
              : ' -x';
      return `complete -c ${name} -l ${long(flag)}${value} -d ${quote(doc)}`;
    }),
    ...verbs.flatMap(([verb]) =>
      (verbOptions[verb] ?? []).map(
        ({ flag, doc, argument }) =>
          `complete -c ${name} -n ${quote(`__fish_seen_subcommand_from ${verb}`)} -l ${long(flag)}${argument === null ? '' : ' -r'} -d ${quote(doc)}`,
      ),
    ),
    ...Object.entries(operands).map(
      ([verb, words]) =>
        `complete -c ${name} -f -n ${quote(`__fish_seen_subcommand_from ${verb}`)} -a ${quote(words.join(' '))}`,
    ),
  ];
  return `# fish completion of ${name}: ${name} completion fish > ~/.config/fish/completions/${name}.fish\n${lines.join('\n')}\n`;
}

/** Flags whose value is one of a few words. */
function choices(): readonly { readonly flag: string; readonly values: readonly string[] }[] {
  return [
    { flag: '--output', values: ['text', 'json'] },
    { flag: '--policy', values: ['sync', 'upsert-only', 'observe'] },
    { flag: '--write-back', values: ['on', 'off'] },
    { flag: '--log-level', values: ['error', 'warn', 'info', 'debug'] },
    { flag: '--log-format', values: ['json', 'pretty'] },
  ];
}

/** Flags whose value is a path. */
function files(): readonly string[] {
  const paths = settings.filter(
    ({ argument }) => argument === 'PATH' || argument === 'FILE' || argument === 'DIR',
  );
  return ['--file', ...paths.map(({ flag }) => flag)];
}
