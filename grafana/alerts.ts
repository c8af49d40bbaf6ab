/**
 * The alert rules: one table, from which alerts.yml and RUNBOOK.md are written. Invariants: each can fire and be calm, which
 * `test/grafana` shows with promtool; none fires for a service owner's mistake with more than `info`.
 */
import type { Alert } from './alert.js';

const who = '{{ $labels.instance }}';
const journal = 'Read the log of the failover service: `journalctl -u gobtw-janitor` or its container.';
const ready =
  'Ask it: `gobtw-janitor status` says in one line how the gateway is, `curl -s http://127.0.0.1:8889/readyz` what a start still waits for.';

export const alerts: readonly Alert[] = [
  {
    name: 'GobtwJanitorDown',
    severity: 'critical',
    expr: 'max by (cluster) (up{job="gobtw-janitor"}) == 0 or absent(up{job="gobtw-janitor"})',
    for: '2m',
    summary: 'No janitor answers',
    description:
      'What GoBetween serves goes on. No change of a service reaches it, and nothing comes back if it restarts.',
    meaning:
      'Prometheus reaches no janitor of the cluster on any node. GoBetween keeps its servers, but it has no memory of its own: after a restart it is empty until a janitor runs.',
    look: [
      'Where does the failover service run: `om <gateway service> print status`.',
      journal,
      'Does Prometheus scrape the right address: its page *Status > Targets*, and `--metrics-listen`.',
    ],
    act: [
      'Start the failover service. A start changes nothing that is as it should be.',
      'If it ends at once: its last line on standard error says which setting is wrong.',
    ],
  },
  {
    name: 'GobtwJanitorGoBetweenDown',
    severity: 'critical',
    expr: 'gobtw_janitor_gobetween_up == 0',
    for: '1m',
    summary: `GoBetween does not answer the janitor at ${who}`,
    description:
      'Clients of every exposed service may be cut off. The janitor sends nothing until it answers.',
    meaning:
      "GoBetween's process is gone, hangs, or refuses its API to the janitor. When it is back and empty, the janitor pushes everything again by itself.",
    look: [
      'Does it run, and does its API answer: `curl -s http://127.0.0.1:8888/`.',
      'Why it does not, in its own words: the log line `GoBetween at ... waiting for it`.',
      'Did it run out of files: `ls /proc/$(pidof gobetween)/fd | wc -l` against `ulimit -n`.',
    ],
    act: [
      'Restart GoBetween. Then watch `gobtw_janitor_servers{state="pending"}` go to 0.',
      'If it answers 401: check --gobetween-user and --gobetween-password-file.',
    ],
  },
  {
    name: 'GobtwJanitorGoBetweenRestarted',
    severity: 'warning',
    expr: 'increase(gobtw_janitor_gobetween_restarts_total[15m]) > 0',
    for: '0m',
    summary: `GoBetween behind ${who} restarted`,
    description: 'Every client connection was cut. The janitor has pushed, or is pushing, everything again.',
    meaning: 'Its process is another one than before, and came up without servers.',
    look: [
      'How long the gap was: `gobtw_janitor_synced` and `gobtw_janitor_lag_seconds`.',
      "Why it ended: its own log, the kernel's (`dmesg | grep -i oom`), the failover service's.",
    ],
    act: ['If nobody restarted it, find out why it ended; the servers need nothing.'],
  },
  {
    name: 'GobtwJanitorAgentDown',
    severity: 'warning',
    expr: 'gobtw_janitor_agent_up == 0',
    for: '2m',
    summary: `The OpenSVC agent does not answer the janitor at ${who}`,
    description: 'What is exposed goes on. Changes of services are not seen.',
    meaning:
      "The agent's list of services cannot be read: it is stopped, hangs, is starting, or its socket is not where the janitor looks for it.",
    look: [
      'The log line `the OpenSVC agent: ...` says what was tried, and what came of it.',
      'Does it answer at all: `om daemon status`.',
      'Is the socket mounted into the container that the janitor runs in: --socket.',
    ],
    act: [
      'Start the agent, or mend the path. Deletions that were missed wait for a grace of minutes.',
      'After the agent was installed anew, restart the container: its mount may be of the old directory (`stale-mount`).',
    ],
  },
  {
    name: 'GobtwJanitorEventsDown',
    severity: 'warning',
    expr: 'gobtw_janitor_event_stream_connected == 0 and gobtw_janitor_agent_up == 1',
    for: '2m',
    summary: `The agent's events do not reach the janitor at ${who}`,
    description: 'Changes are seen with the next list only, within seconds or minutes.',
    meaning: 'The agent answers requests, but the stream of its events is not up.',
    look: [
      'Why the stream ended: `gobtw_janitor_event_gaps_total` by `reason`.',
      "The agent's own log, for what it says of its clients.",
    ],
    act: ['Restart the agent if it lasts: `om daemon restart`. The janitor reconnects by itself.'],
  },
  {
    name: 'GobtwJanitorLate',
    severity: 'warning',
    expr: 'gobtw_janitor_oldest_unserved_seconds > 60',
    for: '2m',
    summary: `A change waits for {{ $value | humanizeDuration }} at ${who}`,
    description: 'Some service asked for something that GoBetween does not have yet, and nothing says why.',
    meaning:
      'The oldest change that GoBetween does not have yet is older than a minute. Words that wait for a port, or are wrong, do not count.',
    look: [
      'Where it waits: `workqueue_depth` by `name` (`reads`: the agent is slow, `reconcile`: we are), `gobtw_janitor_servers{state="pending"}` (GoBetween is).',
      'Is GoBetween refusing: `rate(gobtw_janitor_api_requests_total{outcome!="ok"}[5m])`.',
      'Is it the budget: many replacements wait for --replace-rate.',
    ],
    act: [
      'If the agent is slow, nothing is to be done here: it answers 75 to 300 reads a second.',
      'If GoBetween refuses, its words are in the log: `GoBetween did not take a change`.',
    ],
  },
  {
    name: 'GobtwJanitorNotInSync',
    severity: 'critical',
    expr: 'gobtw_janitor_synced == 0',
    for: '15m',
    summary: `GoBetween behind ${who} was not in sync for 15 minutes`,
    description: 'At least one service is not exposed as it may be.',
    meaning:
      'Something is always still to be done: GoBetween refuses it, somebody undoes it, or the cluster changes without end.',
    look: [
      ready,
      'Who undoes it: `gobtw_janitor_drift_found_total` by `kind`, and the problem `fighting`.',
      'Who flaps: the problem `flapping` names the servers.',
    ],
    act: [
      'Mend what the problems in force say; each line says how.',
      'Stop the other program that writes to GoBetween.',
    ],
  },
  {
    name: 'GobtwJanitorSlow',
    severity: 'warning',
    expr: 'histogram_quantile(0.99, sum by (le, cluster, instance) (rate(gobtw_janitor_lag_seconds_bucket[10m]))) > 5',
    for: '10m',
    summary: `One change of a hundred takes {{ $value | humanizeDuration }} at ${who}`,
    description: 'Changes arrive, but late.',
    meaning:
      'The time from the first sign of a change until GoBetween has all of it, 99th percentile over 10 minutes.',
    look: [
      'Which stage: the dashboard *Pipeline* shows queues, rounds, and requests side by side.',
      'Which change: the exemplars carry the round, and so do the lines `server created`.',
    ],
    act: [
      'Replacements wait up to --quiet-wait for quiet and for --replace-rate: raise the latter if the cluster changes a lot.',
    ],
  },
  {
    name: 'GobtwJanitorDrift',
    severity: 'warning',
    expr: 'sum without (kind) (increase(gobtw_janitor_drift_found_total[15m])) > 3',
    for: '0m',
    summary: `Somebody else changes servers of ${who}`,
    description: 'The janitor puts them back, which cuts connections.',
    meaning: 'Servers of ours were missing, different or new although the janitor did not change them.',
    look: [
      'What was put back: `increase(gobtw_janitor_drift_mended_total[15m])`, and log lines with reason `drift` and `extra`.',
      "Who else writes: GoBetween's access log, a second janitor with the same names, a script.",
    ],
    act: ['Stop the other writer, or give it names of its own: the janitor never touches what is not ours.'],
  },
  {
    name: 'GobtwJanitorServiceInTrouble',
    severity: 'info',
    expr: 'gobtw_janitor_trouble_info == 1',
    for: '5m',
    summary: '{{ $labels.service }} is not exposed as it asks: {{ $labels.code }}',
    description: 'Its other words, what it had before, and all other services go on.',
    meaning:
      "A keyword of the service is wrong, its port is somebody else's, or GoBetween did not take it. Its owner has to act, nobody else.",
    look: [
      'All of it, with the mending: `gobtw-janitor validate --service <service>` on the gateway.',
      'The log line of the problem: who, what, why, what keeps working, how to mend it.',
    ],
    act: ['Tell the owner of the service; the mending is at the end of the line.'],
  },
  {
    name: 'GobtwJanitorManyInTrouble',
    severity: 'warning',
    expr: 'gobtw_janitor_trouble_truncated > 0',
    for: '5m',
    summary: `More than 100 services of ${who} are in trouble`,
    description: 'One cause for many is likely: a port that many share, the DNS, a template of keywords.',
    meaning: '`gobtw_janitor_trouble_info` has no room for all of them.',
    look: ['Which kind: `gobtw_janitor_problems > 0` by `code`.'],
    act: ['Mend the common cause; each problem says how.'],
  },
  {
    name: 'GobtwJanitorPortsScarce',
    severity: 'warning',
    expr: 'gobtw_janitor_ports{state="free"} / ignoring (state) group_left sum without (state) (gobtw_janitor_ports) < 0.05',
    for: '15m',
    summary: `Less than 5 % of the {{ $labels.proto }} ports of ${who} are free`,
    description: 'Words without a port of their own will soon be held with `port-exhausted`.',
    meaning: 'The range of --port-range is nearly used up.',
    look: ['Who uses them: `gobtw_janitor_ports` by `state`; quarantined ones are used by other programs.'],
    act: ['Widen --port-range on every gateway of the cluster alike.'],
  },
  {
    name: 'GobtwJanitorConnectionsDropped',
    severity: 'warning',
    expr: 'sum by (cluster, instance, reason) (increase(gobtw_janitor_dropped_connections_total{reason!~"announced|absent|word-removed"}[10m])) > 100',
    for: '0m',
    summary: `{{ $value | humanize }} client connections were dropped at ${who}: {{ $labels.reason }}`,
    description: 'A server can be changed only by deleting it and making it again.',
    meaning: 'Replacements within 10 minutes met that many open connections.',
    look: ['What was replaced, and why: the log lines `server replaced` with their reason.'],
    act: [
      'edited: owners changed keywords. dns: the list of DNS servers changed. setting: a default of the janitor did. drift: somebody else writes.',
      'Lower --replace-rate to spread them, or --policy upsert-only while it is found out.',
    ],
  },
  {
    name: 'GobtwJanitorFlapping',
    severity: 'warning',
    expr: 'gobtw_janitor_problems{code="flapping"} > 0',
    for: '10m',
    summary: `{{ $value }} servers of ${who} are changed again and again`,
    description: 'Their changes are spread out, up to 5 s apart; others do not wait for them.',
    meaning: 'Something edits these services without end.',
    look: ['Which: the problem `flapping` names them, `gobtw_janitor_trouble_info{code="flapping"}` too.'],
    act: ['Stop whatever edits them; it is no person.'],
  },
  {
    name: 'GobtwJanitorListShrunk',
    severity: 'warning',
    expr: 'gobtw_janitor_problems{code="list-shrunk"} > 0',
    for: '5m',
    summary: `Many services vanished from the list that ${who} follows`,
    description: 'Their servers stay. Nothing is deleted until somebody confirms, or they are back.',
    meaning: 'A list that is suddenly much shorter is more often a fault of the cluster than a wish.',
    look: [
      'Are they really gone: `om svc ls`, on another node too.',
      'Is a node down or split off: `om node ls`.',
    ],
    act: [
      'If they are gone for good, confirm: the problem says with which command. Otherwise mend the cluster.',
    ],
  },
  {
    name: 'GobtwJanitorHeldBack',
    severity: 'info',
    expr: 'gobtw_janitor_pauses > 0',
    for: '30m',
    summary: `An operator holds changes back at ${who}`,
    description: 'What services change meanwhile does not reach GoBetween. What was served goes on.',
    meaning: 'Somebody said `gobtw-janitor pause`, for one service or for all. It ends by itself.',
    look: ['Which, and until when: `gobtw-janitor status`, or the status page.'],
    act: ['If it is not needed any more: `gobtw-janitor resume`. The newest wishes are served at once.'],
  },
  {
    name: 'GobtwJanitorWorkersLost',
    severity: 'warning',
    expr: 'increase(gobtw_janitor_worker_replaced_total[15m]) > 0',
    for: '0m',
    summary: `Worker threads of ${who} crashed or hung`,
    description: 'Their work was repeated; one config that does it is left out and named.',
    meaning: 'A thread needed too much memory or time for one job.',
    look: ['Which config: the problem `internal-error` names it.', journal],
    act: ['Report it, with the config that the line names. Until then the service keeps what it had.'],
  },
  {
    name: 'GobtwJanitorBug',
    severity: 'critical',
    expr: 'gobtw_janitor_problems{code="internal-error"} > 0',
    for: '1m',
    summary: `The janitor at ${who} has met a bug of its own`,
    description: 'The service that it concerns keeps what it had; all others go on.',
    meaning: 'A round, or a thread, failed in a way that must not happen.',
    look: ['The log line has the whole story, with its stack.'],
    act: ['Report it. Restarting is safe, and may help.'],
  },
  {
    name: 'GobtwJanitorLoopBlocked',
    severity: 'warning',
    expr: 'nodejs_eventloop_lag_p99_seconds{job="gobtw-janitor"} > 0.2',
    for: '10m',
    summary: `The main loop of ${who} is blocked for {{ $value | humanizeDuration }} at a time`,
    description: 'Changes wait that long, and liveness may fail.',
    meaning: 'The processor is too busy, or the process swaps.',
    look: [
      '`rate(process_cpu_seconds_total[5m])`, `process_resident_memory_bytes`, and what else runs on the node.',
    ],
    act: ['Give it a core; lower --workers if there are fewer cores than threads.'],
  },
];
