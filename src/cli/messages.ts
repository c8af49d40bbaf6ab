/** What the command line says about itself: wrong usage and notices. One clear line each (SPEC §10). */
import { visible } from './render-table.js';

const name = 'gobtw-janitor';

/** For standard error, with its line end. */
export function usageLine(message: string): string {
  return `${name}: ${visible(message)}\n`;
}

/** Commander's `error: unknown option '--ratee'\n(Did you mean --rate?)` as one line that says where to look. */
export function parserLine(message: string): string {
  const text = message
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace('unknown command', 'unknown verb');
  return usageLine(`${text.replace(/\.$/, '')}; see ${name} --help`);
}

export function noticeLine(notice: string): string {
  return usageLine(`note: ${notice}`);
}
