/**
 * `status`: what the running janitor serves, what it does not, and why; of all services or of one. Invariant: what needs
 * somebody is always shown; what merely works is counted when it is much.
 */
import type { Exposure } from '../operator/exposures.js';
import type { GatewayView } from '../operator/gateway.js';
import type { ExposureState } from '../plan/exposure.js';
import type { Settings } from '../settings/settings.js';
import type { Io } from './io.js';
import { createJanitorClient } from './janitor-client.js';
import { usageLine } from './messages.js';
import { painter } from './paint.js';
import { renderTable } from './render-table.js';
import type { Verbs } from './verbs.js';

/** More rows than this are not shown unasked when they only work. */
const fewRows = 40;
const calm: ReadonlySet<ExposureState> = new Set(['serving', 'elsewhere', 'slave']);

export function createStatus(io: Io): Verbs['status'] {
  return async (settings: Settings, { service, output, all }) => {
    const client = createJanitorClient(settings);
    const gateway = await client.get<GatewayView>('/api/v1/gateway');
    if (!gateway.ok) {
      io.err(usageLine(gateway.failure.message));
      return 1;
    }
    const path =
      service === null ? '/api/v1/exposures' : `/api/v1/service?path=${encodeURIComponent(service)}`;
    const answer = await client.get<{ exposures: readonly Exposure[] }>(path);
    if (!answer.ok) {
      io.err(usageLine(answer.failure.message));
      return 1;
    }
    if (output === 'json') {
      io.out(`${JSON.stringify({ gateway: gateway.value, exposures: answer.value.exposures }, null, 2)}\n`);
      return 0;
    }
    io.out(renderStatus(gateway.value, answer.value.exposures, all || service !== null, io));
    return 0;
  };
}

function renderStatus(
  gateway: GatewayView,
  exposures: readonly Exposure[],
  all: boolean,
  io: Pick<Io, 'columns' | 'colour'>,
): string {
  const paint = painter(io.colour);
  const { cluster, node, line, health, orders } = gateway;
  const place = [cluster, node ?? ''].filter((part) => part !== '').join('/');
  const tint = health === 'in-sync' ? paint.good : health.endsWith('-down') ? paint.bad : paint.wait;
  const lines = [`${place === '' ? '' : `${place}: `}${tint(line)}`];
  if (orders.policySince !== null)
    lines.push(`policy ${orders.policy}, set by an operator at ${orders.policySince}`);
  for (const { service, until } of orders.pauses)
    lines.push(`${service ?? 'everything'} is paused by an operator until ${until}`);
  // Slaves ask for nothing here: their scaler does.
  const own = all ? exposures : exposures.filter(({ state }) => state !== 'slave');
  const shown =
    all || own.length <= fewRows
      ? own
      : own.filter(({ state, warnings }) => !calm.has(state) || warnings.length > 0);
  const rows = [...shown]
    .sort(byNeed)
    .map((row) => [
      row.service,
      row.word === '' ? (row.server ?? '-') : row.word,
      row.listen === null ? '-' : `${row.listen}/${row.proto}`,
      row.state,
      row.why !== '' ? row.why : row.warnings.join(', '),
    ]);
  const hidden = own.length - shown.length;
  const rest = hidden === 0 ? [] : [`${hidden} more work as they should (status --all shows them)`];
  const head = ['SERVICE', 'ASKS FOR', 'LISTENS ON', 'STATE', 'WHY'];
  const table =
    rows.length === 0
      ? []
      : ['', renderTable(rows, { head, width: io.columns, overflow: 'wrap', paint: paint.bold })];
  const none = own.length === 0 ? ['nothing asks for an exposure here'] : [];
  return `${[...lines, ...none, ...table, ...rest].join('\n')}\n`;
}

const order: readonly ExposureState[] = [
  'spoiled',
  'held',
  'pending',
  'kept',
  'serving',
  'elsewhere',
  'slave',
];

function byNeed(a: Exposure, b: Exposure): number {
  const need = order.indexOf(a.state) - order.indexOf(b.state);
  return need !== 0 ? need : a.service < b.service ? -1 : Number(a.service > b.service);
}
