/** What the demo shows: a row for each exposure with the backends that GoBetween knows, and how to try it. */
import type { ExposureRow } from '../plan/exposure.js';
import type { ShownBackend } from '../sim/world-rest.js';
import { problemOwner } from '../telemetry/problem-line.js';
import type { Stage } from './demo-stage.js';
import { renderTable } from './render-table.js';
import { warningText } from './warned.js';

/** The table as text, and below it why a row is not as it should be. Backends are counted in GoBetween, so the table shows what traffic would meet. */
export async function drawTable(stage: Stage, columns: number | null): Promise<string> {
  const rows = stage.rows().filter(({ state }) => state !== 'slave');
  const counted = await Promise.all(rows.map((row) => countBackends(stage, row)));
  const cells = rows.map((row, index) => [
    row.service,
    row.word,
    row.listen === null ? '-' : `${row.listen}/${row.proto}`,
    counted[index] ?? '-',
    row.state,
  ]);
  const head = ['SERVICE', 'ASKS FOR', 'LISTENS ON', 'BACKENDS', 'STATE'];
  const served = new Set(rows.filter(({ state }) => state === 'serving').map(({ service }) => service));
  const warnings = stage.warnings().filter((problem) => served.has(problemOwner(problem)));
  const notes = [
    ...rows.filter(({ why }) => why !== '').map((row) => [`${row.service}:`, row.why]),
    ...warnings.map((problem) => [`${problemOwner(problem)}:`, warningText(problem)]),
  ];
  return [
    renderTable(cells, { head, width: columns, overflow: 'wrap' }),
    renderTable(notes, { width: columns, overflow: 'wrap', indent: 2 }),
  ].join('\n');
}

/** `2 live`, or `1 of 2 live`; `-` where no server serves the row. */
async function countBackends(stage: Stage, row: ExposureRow): Promise<string> {
  const backends = await backendsOf(stage, row);
  if (backends === null) return '-';
  const live = backends.filter((backend) => backend.live).length;
  return live === backends.length ? `${live} live` : `${live} of ${backends.length} live`;
}

/** Backends that GoBetween would send traffic to; null where no server serves the row. */
export async function countLive(stage: Stage, row: ExposureRow): Promise<number | null> {
  const backends = await backendsOf(stage, row);
  return backends === null ? null : backends.filter(({ live }) => live).length;
}

async function backendsOf(stage: Stage, row: ExposureRow): Promise<readonly ShownBackend[] | null> {
  if (row.server === null || (row.state !== 'serving' && row.state !== 'kept')) return null;
  try {
    return await stage.world.backends(row.server);
  } catch {
    return null; // GoBetween is down, or just lost the server
  }
}

/** One line to paste for each exposure that serves. */
export function tryLines(rows: readonly ExposureRow[]): readonly string[] {
  return rows.flatMap((row) => {
    const port = listenPort(row);
    if (row.state !== 'serving' || port === null) return [];
    return row.proto === 'tcp'
      ? [`curl http://127.0.0.1:${port}/`]
      : [`echo hello | nc -u -w 1 127.0.0.1 ${port}`];
  });
}

export function listenPort({ listen }: ExposureRow): number | null {
  const port = Number(listen?.slice(listen.lastIndexOf(':') + 1));
  return Number.isInteger(port) && port > 0 ? port : null;
}
