/** `validate`: the settings are valid when this runs; it shows which of them were given and what they came to. */
import type { Settings } from '../settings.js';
import { table } from '../settings-table.js';
import type { Io } from './io.js';
import { renderTable } from './render-table.js';
import type { Verbs } from './verbs.js';

export function createValidate(io: Io): NonNullable<Verbs['validate']> {
  return async (settings) => {
    io.out(
      `The settings are valid. GoBetween is ${settings.gobetweenUrl}; the policy is ${settings.policy}.\n`,
    );
    if (settings.given.length > 0) {
      const lines = settings.given.map((name) => [`--${table[name].flag}`, shown(settings, name)]);
      const options = { width: io.columns, overflow: 'cut', head: ['SETTING', 'VALUE'] } as const;
      io.out(`${renderTable(lines, options)}\n`);
    }
    return 0;
  };
}

function shown(settings: Settings, name: Settings['given'][number]): string {
  if (name === 'gobetweenPassword' || name === 'gobetweenPasswordFile') return '(hidden)';
  if (name === 'gobetweenCa') return '(read)';
  if (name === 'gobetween' || name === 'addr' || name === 'port') return settings.gobetweenUrl;
  const value = settings[name];
  if (value === null) return 'off';
  if (name.endsWith('Ms') && typeof value === 'number') return `${value} ms`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
