/** The dashboard for whoever is on call: in sync, how late, what is wrong, who must act. */
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, figure, lines, own, row, rows } from './panel.js';

export function overview(): DashboardBuilder {
  return dashboard(
    'gobtw-janitor-overview',
    'GoBetween janitor: gateway overview',
    'Is the gateway in sync, how late is it, what is not exposed and why.',
  )
    .withRow(row('In sync?'))
    .withPanel(
      figure(
        {
          title: 'In sync',
          description:
            '1 when GoBetween has everything that the services may have. Words that wait for a port or are wrong are no debt.',
          unit: 'short',
          queries: [{ expr: `min(gobtw_janitor_synced{${own}})`, legend: '' }],
        },
        { goodAbove: true },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Oldest unserved change',
          description:
            'Age of the oldest change that GoBetween does not have yet. More than a minute is late.',
          unit: 's',
          queries: [{ expr: `max(gobtw_janitor_oldest_unserved_seconds{${own}})`, legend: '' }],
        },
        { yellow: 10, red: 60 },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Since the last sync',
          description: 'Time since GoBetween last had everything.',
          unit: 's',
          queries: [{ expr: `time() - max(gobtw_janitor_last_sync_timestamp_seconds{${own}})`, legend: '' }],
        },
        { yellow: 60, red: 900 },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'GoBetween',
          description: '1 when GoBetween answers the janitor.',
          unit: 'short',
          queries: [{ expr: `min(gobtw_janitor_gobetween_up{${own}})`, legend: '' }],
        },
        { goodAbove: true },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Agent and its events',
          description: "1 when the agent's list can be read and its events arrive.",
          unit: 'short',
          queries: [
            {
              expr: `min(gobtw_janitor_agent_up{${own}} * gobtw_janitor_event_stream_connected{${own}})`,
              legend: '',
            },
          ],
        },
        { goodAbove: true },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Held and invalid',
          description:
            'Words that no server serves: they wait for a port, or are wrong. Their owners must act.',
          unit: 'short',
          queries: [{ expr: `sum(gobtw_janitor_servers{state=~"held|invalid",${own}})`, legend: '' }],
        },
        { yellow: 1 },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Pauses',
          description:
            'Pauses that an operator ordered and that are in force; a pause of everything is one. `gobtw-janitor status` says which.',
          unit: 'short',
          queries: [{ expr: `sum(gobtw_janitor_pauses{${own}})`, legend: '' }],
        },
        { yellow: 1 },
      ),
    )
    .withRow(row('What is wrong, and who must act'))
    .withPanel(
      rows({
        title: 'Services in trouble',
        description:
          'At most 100, the oldest first. `gobtw-janitor explain SERVICE` says what is wrong and how to mend it.',
        unit: 'short',
        queries: [{ expr: `gobtw_janitor_trouble_info{${own}}`, legend: '' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Problems in force',
        description: 'By code; `gobtw-janitor explain CODE` says what each means.',
        unit: 'short',
        queries: [{ expr: `sum by (code) (gobtw_janitor_problems{${own}}) > 0`, legend: '{{code}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Servers by state',
        description: 'held and invalid are words without a server; foreign is not ours and never touched.',
        unit: 'short',
        queries: [{ expr: `sum by (state) (gobtw_janitor_servers{${own}})`, legend: '{{state}}' }],
      }),
    )
    .withRow(row('How late?'))
    .withPanel(
      lines({
        title: 'Lag of changes',
        description:
          'From the first sign of a change until GoBetween has all of it. Exemplars carry the round.',
        unit: 's',
        queries: [0.5, 0.9, 0.99].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(gobtw_janitor_lag_seconds_bucket{${own}}[$__rate_interval])))`,
          legend: `p${quantile * 100}`,
        })),
      }),
    )
    .withPanel(
      lines({
        title: 'Changes of servers',
        description: 'What was done, and why. Replacements and deletions cut the connections of that server.',
        unit: 'ops',
        queries: [
          {
            expr: `sum by (kind, reason) (rate(gobtw_janitor_changes_total{result="applied",${own}}[$__rate_interval])) > 0`,
            legend: '{{kind}}: {{reason}}',
          },
        ],
      }),
    )
    .withRow(row('What clients notice'))
    .withPanel(
      lines({
        title: 'Connections dropped',
        description:
          'Client connections that were open when their server was replaced or deleted, by reason.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (reason) (increase(gobtw_janitor_dropped_connections_total{${own}}[$__rate_interval]))`,
            legend: '{{reason}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Drift',
        description: 'Servers that somebody else changed, found and mended. It should be zero.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (kind) (increase(gobtw_janitor_drift_found_total{${own}}[$__rate_interval]))`,
            legend: 'found {{kind}}',
          },
          {
            expr: `sum by (kind) (increase(gobtw_janitor_drift_mended_total{${own}}[$__rate_interval]))`,
            legend: 'mended {{kind}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Ports of the range',
        description:
          'Where words without a port of their own are placed. Quarantined ones are used by other programs.',
        unit: 'short',
        queries: [
          { expr: `sum by (proto, state) (gobtw_janitor_ports{${own}})`, legend: '{{proto}} {{state}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Restarts of GoBetween',
        description: 'Each cuts every connection; the janitor pushes everything again.',
        unit: 'short',
        queries: [
          {
            expr: `sum(increase(gobtw_janitor_gobetween_restarts_total{${own}}[$__rate_interval]))`,
            legend: 'restarts',
          },
        ],
      }),
    );
}
