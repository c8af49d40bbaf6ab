/** For each alert, samples under which it fires and samples under which it does not: one value a minute, promtool's notation. */

export interface AlertCase {
  readonly alert: string;
  /** Series and their values over 40 minutes. */
  readonly fires: Readonly<Record<string, string>>;
  readonly calm: Readonly<Record<string, string>>;
  /** Labels of the alert beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

const own = { job: 'gobtw-janitor', instance: 'gw1:8889', cluster: 'c1' };
const scraped = 'job="gobtw-janitor",instance="gw1:8889",cluster="c1"';

function series(name: string, more = ''): string {
  return `${name}{${more === '' ? '' : `${more},`}${scraped}}`;
}

/** One series that is bad, or good; `code` is its label, if it has one. */
function gauge(
  alert: string,
  metric: string,
  bad: string,
  good: string,
  summary: string,
  code = '',
): AlertCase {
  const name = series(metric, code === '' ? '' : `code="${code}"`);
  const labels = code === '' ? own : { ...own, code };
  return { alert, fires: { [name]: bad }, calm: { [name]: good }, labels, summary };
}

const buckets = (fast: string, slow: string): Readonly<Record<string, string>> => ({
  [series('gobtw_janitor_lag_seconds_bucket', 'le="1"')]: fast,
  [series('gobtw_janitor_lag_seconds_bucket', 'le="10"')]: slow,
  [series('gobtw_janitor_lag_seconds_bucket', 'le="+Inf"')]: slow,
});
const ports = (free: number, used: number): Readonly<Record<string, string>> => ({
  [series('gobtw_janitor_ports', 'proto="tcp",state="free"')]: `${free}x40`,
  [series('gobtw_janitor_ports', 'proto="tcp",state="used"')]: `${used}x40`,
});

export const alertCases: readonly AlertCase[] = [
  {
    alert: 'GobtwJanitorDown',
    fires: { [series('up')]: '0x40' },
    calm: { [series('up')]: '0x40', 'up{job="gobtw-janitor",instance="gw2:8889",cluster="c1"}': '1x40' },
    labels: { cluster: 'c1' },
    summary: 'No janitor answers',
  },
  {
    alert: 'GobtwJanitorDown',
    fires: { 'up{job="other"}': '1x40' },
    calm: { [series('up')]: '1x40' },
    labels: { job: 'gobtw-janitor' },
    summary: 'No janitor answers',
  },
  gauge(
    'GobtwJanitorHeldBack',
    'gobtw_janitor_pauses',
    '1x40',
    '0x40',
    'An operator holds changes back at gw1:8889',
  ),
  gauge(
    ...(['GobtwJanitorGoBetweenDown', 'gobtw_janitor_gobetween_up', '0x40', '1x40'] as const),
    'GoBetween does not answer the janitor at gw1:8889',
  ),
  gauge(
    ...([
      'GobtwJanitorGoBetweenRestarted',
      'gobtw_janitor_gobetween_restarts_total',
      '0x28 1x11',
      '7x40',
    ] as const),
    'GoBetween behind gw1:8889 restarted',
  ),
  gauge(
    ...(['GobtwJanitorAgentDown', 'gobtw_janitor_agent_up', '0x40', '1x40'] as const),
    'The OpenSVC agent does not answer the janitor at gw1:8889',
  ),
  {
    alert: 'GobtwJanitorEventsDown',
    fires: {
      [series('gobtw_janitor_event_stream_connected')]: '0x40',
      [series('gobtw_janitor_agent_up')]: '1x40',
    },
    calm: {
      [series('gobtw_janitor_event_stream_connected')]: '0x40',
      [series('gobtw_janitor_agent_up')]: '0x40',
    },
    labels: own,
    summary: "The agent's events do not reach the janitor at gw1:8889",
  },
  gauge(
    ...(['GobtwJanitorLate', 'gobtw_janitor_oldest_unserved_seconds', '90x40', '0x20 59x19'] as const),
    'A change waits for 1m 30s at gw1:8889',
  ),
  gauge(
    ...(['GobtwJanitorNotInSync', 'gobtw_janitor_synced', '0x40', '0x20 1 0x19'] as const),
    'GoBetween behind gw1:8889 was not in sync for 15 minutes',
  ),
  {
    alert: 'GobtwJanitorSlow',
    fires: buckets('0+1x40', '0+10x40'),
    calm: buckets('0+10x40', '0+10x40'),
    labels: { instance: 'gw1:8889', cluster: 'c1' },
    summary: 'One change of a hundred takes 9.9s at gw1:8889',
  },
  {
    alert: 'GobtwJanitorDrift',
    fires: {
      [series('gobtw_janitor_drift_found_total', 'kind="missing"')]: '0+1x40',
      [series('gobtw_janitor_drift_found_total', 'kind="mutated"')]: '0x40',
    },
    calm: {
      [series('gobtw_janitor_drift_found_total', 'kind="missing"')]: '0x38 2x2',
      [series('gobtw_janitor_drift_found_total', 'kind="mutated"')]: '5x40',
    },
    labels: own,
    summary: 'Somebody else changes servers of gw1:8889',
  },
  {
    alert: 'GobtwJanitorServiceInTrouble',
    fires: { [series('gobtw_janitor_trouble_info', 'service="shop/svc/web",code="port-conflict"')]: '1x40' },
    calm: {
      [series('gobtw_janitor_trouble_info', 'service="shop/svc/web",code="port-conflict"')]: '1x20 _x20',
    },
    labels: { ...own, service: 'shop/svc/web', code: 'port-conflict' },
    summary: 'shop/svc/web is not exposed as it asks: port-conflict',
  },
  gauge(
    ...(['GobtwJanitorManyInTrouble', 'gobtw_janitor_trouble_truncated', '1x40', '0x40'] as const),
    'More than 100 services of gw1:8889 are in trouble',
  ),
  {
    alert: 'GobtwJanitorPortsScarce',
    fires: ports(4, 96),
    calm: ports(6, 94),
    labels: { ...own, proto: 'tcp', state: 'free' },
    summary: 'Less than 5 % of the tcp ports of gw1:8889 are free',
  },
  {
    alert: 'GobtwJanitorConnectionsDropped',
    fires: { [series('gobtw_janitor_dropped_connections_total', 'reason="edited"')]: '0+20x40' },
    calm: {
      [series('gobtw_janitor_dropped_connections_total', 'reason="edited"')]: '0+9x40',
      [series('gobtw_janitor_dropped_connections_total', 'reason="announced"')]: '0+500x40',
    },
    labels: { instance: 'gw1:8889', cluster: 'c1', reason: 'edited' },
    summary: '200 client connections were dropped at gw1:8889: edited',
  },
  gauge(
    ...(['GobtwJanitorFlapping', 'gobtw_janitor_problems', '2x40', '0x40'] as const),
    '2 servers of gw1:8889 are changed again and again',
    'flapping',
  ),
  gauge(
    ...(['GobtwJanitorListShrunk', 'gobtw_janitor_problems', '1x40', '1x20 0x19'] as const),
    'Many services vanished from the list that gw1:8889 follows',
    'list-shrunk',
  ),
  gauge(
    ...(['GobtwJanitorWorkersLost', 'gobtw_janitor_worker_replaced_total', '0x28 2x11', '3x40'] as const),
    'Worker threads of gw1:8889 crashed or hung',
  ),
  gauge(
    ...(['GobtwJanitorBug', 'gobtw_janitor_problems', '1x40', '0x40'] as const),
    'The janitor at gw1:8889 has met a bug of its own',
    'internal-error',
  ),
  gauge(
    ...(['GobtwJanitorLoopBlocked', 'nodejs_eventloop_lag_p99_seconds', '0.5x40', '0.05x40'] as const),
    'The main loop of gw1:8889 is blocked for 500ms at a time',
  ),
];
