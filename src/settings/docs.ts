/** README's table of settings, made from the settings table; a test fails while README says anything else. */
import { groups, variables } from './row.js';
import { rows } from './table.js';

/** Markdown, one table for each group: flag, variable, default, meaning. */
export function settingsTable(): string {
  return Object.entries(groups)
    .map(([group, title]) => {
      const lines = rows.flatMap(([, row]) => {
        if (row.group !== group) return [];
        const flag = [`--${row.flag}`, row.argument].filter((part) => part !== null).join(' ');
        const short = row.short === undefined ? '' : `, \`-${row.short}\``;
        const shown = row.secret === true ? '' : `\`${flag}\`${short}`;
        const names = variables(row).map((name) => `\`${name}\``);
        return [[shown, names.join(', '), row.shown, row.doc].map(cell).join('|')];
      });
      return [`**${title}**`, '', '| Flag | Variable | Default | Meaning |', '|---|---|---|---|']
        .concat(lines.map((line) => `|${line}|`))
        .join('\n');
    })
    .join('\n\n');
}

const cell = (text: string): string =>
  text === '' ? ' ' : ` ${text.replaceAll('|', '\\|').replaceAll('<', '&lt;')} `;
