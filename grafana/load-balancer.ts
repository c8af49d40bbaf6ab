/**
 * The dashboard of what flows: GoBetween's own metrics, joined with the janitor's by the name of the server, which is the name
 * of its SRV record: `_<port>._<proto>.<service>.<namespace>.svc`.
 */
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, figure, lines, own, row, rows } from './panel.js';

/** Ours by name; GoBetween is scraped as a job of its own, so only the cluster can be chosen. */
const ours = 'server=~"_[0-9]+\\\\._(tcp|udp)\\\\..+",cluster=~"$cluster"';
const top = (expr: string): string => `topk(10, ${expr})`;

/** The service that a server is for, as a label. */
function byService(expr: string): string {
  return `label_replace(${expr}, "service", "$2/$1", "server", "_[0-9]+\\\\._[a-z]+\\\\.([^.]+)\\\\.([^.]+)\\\\.svc.*")`;
}

/** `web` and `shop/svc/api`, as the janitor shows services, in the words of names: `root/web` and `shop/api`. */
function asInNames(expr: string): string {
  const root = `label_replace(${expr}, "service", "root/svc/$1", "service", "([^/]+)")`;
  return `label_replace(${root}, "service", "$1/$2", "service", "([^/]+)/[^/]+/([^/]+)")`;
}

export function loadBalancer(): DashboardBuilder {
  return dashboard(
    'gobtw-janitor-load-balancer',
    'GoBetween janitor: load balancer',
    "Traffic, connections and backends of the exposed services, from GoBetween's own metrics.",
  )
    .withRow(row('Now'))
    .withPanel(
      figure({
        title: 'Servers in GoBetween',
        description: 'As the janitor sees them.',
        unit: 'short',
        queries: [{ expr: `sum(gobtw_janitor_servers_observed{${own}})`, legend: '' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Servers that report',
        description: "As GoBetween's own metrics show them; it should be the same number.",
        unit: 'short',
        queries: [{ expr: `count(gobetween_server_active_connections{${ours}})`, legend: '' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Client connections',
        description: 'Open now, on all servers of ours.',
        unit: 'short',
        queries: [{ expr: `sum(gobetween_server_active_connections{${ours}})`, legend: '' }],
      }),
    )
    .withPanel(
      figure(
        {
          title: 'Servers without a live backend',
          description:
            'Their clients are refused, although they are exposed: look at the service, and at its SRV record.',
          unit: 'short',
          queries: [
            {
              expr: `count(max by (server) (gobetween_backend_live{${ours}}) == 0) or vector(0)`,
              legend: '',
            },
          ],
        },
        { red: 1 },
      ),
    )
    .withRow(row('Traffic'))
    .withPanel(
      lines({
        title: 'Received, the busiest',
        description: 'Bytes a second from clients, by server.',
        unit: 'Bps',
        queries: [{ expr: top(`gobetween_server_rx_second{${ours}}`), legend: '{{server}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Sent, the busiest',
        description: 'Bytes a second to clients, by server.',
        unit: 'Bps',
        queries: [{ expr: top(`gobetween_server_tx_second{${ours}}`), legend: '{{server}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Client connections, the most',
        description: 'Open now, by server.',
        unit: 'short',
        queries: [{ expr: top(`gobetween_server_active_connections{${ours}}`), legend: '{{server}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Client connections by service',
        description: 'All servers of a service together.',
        unit: 'short',
        queries: [
          {
            expr: top(`sum by (service) (${byService(`gobetween_server_active_connections{${ours}}`)})`),
            legend: '{{service}}',
          },
        ],
      }),
    )
    .withRow(row('Backends'))
    .withPanel(
      lines({
        title: 'Refused by backends',
        description: 'Connections that a backend did not take, since its server was made.',
        unit: 'short',
        queries: [
          {
            expr: top(`gobetween_backend_refused_connections{${ours}} > 0`),
            legend: '{{server}} {{host}}:{{port}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Live backends, the fewest',
        description: 'By server; 0 is an outage of that service.',
        unit: 'short',
        queries: [
          { expr: `bottomk(10, sum by (server) (gobetween_backend_live{${ours}}))`, legend: '{{server}}' },
        ],
      }),
    )
    .withPanel(
      rows({
        title: 'Services in trouble, with their connections',
        description: 'What clients still hold on the servers of services that are not exposed as they ask.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (service) (${byService(`gobetween_server_active_connections{${ours}}`)}) * on (service) group_right () max by (service, code) (${asInNames(`gobtw_janitor_trouble_info{${own}}`)})`,
            legend: '',
          },
        ],
      }),
    );
}
