/** What a pass left as it was, and why: for `plan` and `apply`. */
import type { ExposureRow } from '../plan/exposure.js';
import type { Io } from './io.js';
import { renderTable } from './render-table.js';

/** A table with its title; empty when nothing was left. */
export function renderLeft(rows: readonly ExposureRow[], io: Io): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => [
    row.service,
    row.word === '' ? (row.server ?? '-') : row.word,
    row.listen === null ? '-' : `${row.listen}/${row.proto}`,
    `${row.state}: ${row.why}`,
  ]);
  const head = ['SERVICE', 'WORD OR SERVER', 'LISTENS ON', 'STATE'];
  return `\nLeft as it is:\n${renderTable(cells, { head, width: io.columns, overflow: 'wrap' })}\n`;
}
