/** The dashboard for whoever asks which stage is slow: events, reads, rounds, worker threads, requests, main loop. */
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, lines, own, row } from './panel.js';

const rate = (metric: string, labels = ''): string => `rate(${metric}{${labels}${own}}[$__rate_interval])`;
const p99 = (metric: string, by: string): string =>
  `histogram_quantile(0.99, sum by (le, ${by}) (${rate(`${metric}_bucket`)}))`;

export function pipeline(): DashboardBuilder {
  return dashboard(
    'gobtw-janitor-pipeline',
    'GoBetween janitor: pipeline',
    'Which stage is slow: events, reads, rounds, worker threads, requests, main loop.',
  )
    .withRow(row('From the agent'))
    .withPanel(
      lines({
        title: 'Events',
        description: "The agent's events by what became of them; most should be irrelevant.",
        unit: 'ops',
        queries: [
          {
            expr: `sum by (kind, outcome) (${rate('gobtw_janitor_events_total')})`,
            legend: '{{kind}} {{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Gaps in the events',
        description: 'Times that events may have been missed; each is followed by a list of everything.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (reason) (increase(gobtw_janitor_event_gaps_total{${own}}[$__rate_interval]))`,
            legend: '{{reason}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Requests to the agent: p99',
        description: 'Agents serve 75 to 300 reads a second; a slow agent delays changes, and nothing else.',
        unit: 's',
        queries: [{ expr: p99('gobtw_janitor_agent_request_seconds', 'action'), legend: '{{action}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Requests to the agent that failed',
        description: 'By what they came to.',
        unit: 'ops',
        queries: [
          {
            expr: `sum by (action, outcome) (${rate('gobtw_janitor_agent_requests_total', 'outcome!="ok",')})`,
            legend: '{{action}} {{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Configs wanted',
        description: 'Read from the agent, or known by their checksum.',
        unit: 'ops',
        queries: [
          { expr: `sum by (origin) (${rate('gobtw_janitor_config_reads_total')})`, legend: '{{origin}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Cache of configs',
        description: 'Bounded at 64 MiB, the least recently used out first.',
        unit: 'bytes',
        queries: [{ expr: `sum(gobtw_janitor_config_cache_bytes{${own}})`, legend: 'size' }],
      }),
    )
    .withRow(row('Queues and rounds'))
    .withPanel(
      lines({
        title: 'Waiting',
        description: 'Services in each queue: reads wait for the agent, reconcile for a round.',
        unit: 'short',
        queries: [{ expr: `sum by (name) (workqueue_depth{${own}})`, legend: '{{name}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Time in the queue: p99',
        description: 'From ready to taken.',
        unit: 's',
        queries: [{ expr: p99('workqueue_queue_duration_seconds', 'name'), legend: '{{name}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Rounds',
        description: 'Rounds, and the services in them.',
        unit: 'ops',
        queries: [
          { expr: `sum(${rate('gobtw_janitor_round_keys_count')})`, legend: 'rounds' },
          { expr: `sum(${rate('gobtw_janitor_round_keys_sum')})`, legend: 'services' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'A round by phase: p99',
        description: 'compile and render may run on worker threads, arbitrate and plan on the main one.',
        unit: 's',
        queries: [{ expr: p99('gobtw_janitor_round_duration_seconds', 'phase'), legend: '{{phase}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Superseded and retried',
        description:
          'Wishes that were overtaken before any call, and services that were put back after a failure.',
        unit: 'ops',
        queries: [
          { expr: `sum(${rate('gobtw_janitor_superseded_total')})`, legend: 'superseded' },
          { expr: `sum by (name) (${rate('workqueue_retries_total')})`, legend: 'retried: {{name}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Work in progress',
        description: 'Age of the oldest; a read without an answer for 5 s gives its place to another.',
        unit: 's',
        queries: [
          { expr: `max by (name) (workqueue_longest_running_processor_seconds{${own}})`, legend: '{{name}}' },
        ],
      }),
    )
    .withRow(row('To GoBetween'))
    .withPanel(
      lines({
        title: 'Requests to GoBetween: p99',
        description: 'By what is asked; a list of 20,000 servers takes longer than the others.',
        unit: 's',
        queries: [{ expr: p99('gobtw_janitor_api_request_seconds', 'op'), legend: '{{op}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Requests to GoBetween that failed',
        description: 'By what they came to; port-busy is retried.',
        unit: 'ops',
        queries: [
          {
            expr: `sum by (op, outcome) (${rate('gobtw_janitor_api_requests_total', 'outcome!="ok",')})`,
            legend: '{{op}} {{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'In flight, at most',
        description: 'Adapted to what GoBetween makes of it, 1 to --concurrency.',
        unit: 'short',
        queries: [
          { expr: `max by (instance) (gobtw_janitor_api_concurrency{${own}})`, legend: '{{instance}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Ports written back',
        description: 'Allocated ports that were written into their services.',
        unit: 'ops',
        queries: [
          { expr: `sum by (result) (${rate('gobtw_janitor_write_backs_total')})`, legend: '{{result}}' },
        ],
      }),
    )
    .withRow(row('The process'))
    .withPanel(
      lines({
        title: 'Main loop delay',
        description: 'How long the main thread keeps others waiting.',
        unit: 's',
        queries: [
          { expr: `max(nodejs_eventloop_lag_p50_seconds{job="gobtw-janitor",${own}})`, legend: 'p50' },
          { expr: `max(nodejs_eventloop_lag_p99_seconds{job="gobtw-janitor",${own}})`, legend: 'p99' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Worker threads',
        description:
          'Share of the time in which they work, and seconds that jobs waited for one in each second.',
        unit: 'percentunit',
        queries: [
          { expr: `max(gobtw_janitor_worker_utilisation{${own}})`, legend: 'busy' },
          { expr: `sum(${rate('gobtw_janitor_worker_wait_seconds_total')})`, legend: 'waiting' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Worker threads replaced',
        description: 'Threads that crashed or hung; it should be zero.',
        unit: 'short',
        queries: [
          {
            expr: `sum(increase(gobtw_janitor_worker_replaced_total{${own}}[$__rate_interval]))`,
            legend: 'replaced',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Memory',
        description: 'Of the process with all its threads.',
        unit: 'bytes',
        queries: [
          { expr: `max(process_resident_memory_bytes{job="gobtw-janitor",${own}})`, legend: 'resident' },
          {
            expr: `max(nodejs_heap_size_used_bytes{job="gobtw-janitor",${own}})`,
            legend: 'heap of the main thread',
          },
        ],
      }),
    );
}
