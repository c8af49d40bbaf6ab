/** Where a service of the demo listens. */
import type { Stage } from './demo-stage.js';
import { listenPort } from './demo-table.js';

export function portOf(stage: Stage, path: string, proto: 'tcp' | 'udp'): number | null {
  const row = stage.rowsOf(path).find((candidate) => candidate.server !== null && candidate.proto === proto);
  return row === undefined ? null : listenPort(row);
}
