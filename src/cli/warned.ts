/** Warnings for `plan` and `apply`: what is served all the same, but hardly as it was meant, and what the gateway itself lacks. */
import type { Problem } from '../model/problem.js';
import { problemOwner } from '../telemetry/problem-line.js';
import type { Io } from './io.js';
import { renderTable } from './render-table.js';

/** A table with its title; empty when there is nothing. Problems of services are among the rows that are left. */
export function renderWarnings(problems: readonly Problem[], io: Io): string {
  const shown = problems.filter(({ key, severity }) => severity === 'warning' || key === null);
  if (shown.length === 0) return '';
  const cells = shown.map((problem) => [
    problemOwner(problem),
    problem.place === '' ? '-' : problem.place,
    warningText(problem),
  ]);
  const head = ['SERVICE', 'WHERE', 'WARNING'];
  return `\nTo look at:\n${renderTable(cells, { head, width: io.columns, overflow: 'wrap' })}\n`;
}

/** `not-exposed: no expose line …; write expose = …`. */
export function warningText({ code, message, mend }: Problem): string {
  return `${code}: ${message}${mend === '' ? '' : `; ${mend}`}`;
}
