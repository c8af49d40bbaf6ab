/** The texts that are committed beside this code: alerts.yml for Prometheus, dashboards for Grafana, RUNBOOK.md for people. Pure. */
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { stringify } from 'yaml';
import type { Alert } from './alert.js';

/** Where a runbook is read from by default; an operator may rewrite it with `sed`. */
const runbook = 'RUNBOOK.md';

/** A file for `rule_files` of Prometheus. */
export function rulesFile(alerts: readonly Alert[]): string {
  const rules = alerts.map(({ name, expr, for: held, severity, summary, description }) => ({
    alert: name,
    expr,
    for: held,
    labels: { severity },
    annotations: { summary, description, runbook_url: `${runbook}#${name.toLowerCase()}` },
  }));
  const head = '# Written by `npm run grafana` from grafana/alerts.ts; do not edit.\n';
  return head + stringify({ groups: [{ name: 'gobtw-janitor', rules }] }, { lineWidth: 0 });
}

/** What Grafana imports, or reads from a folder of provisioned dashboards. */
export function dashboardFile(builder: () => DashboardBuilder): string {
  return `${JSON.stringify(builder().build(), null, 2)}\n`;
}

export function runbookFile(alerts: readonly Alert[]): string {
  return [
    '# Runbook',
    '',
    'Written by `npm run grafana` from grafana/alerts.ts; do not edit. Scrape the janitor as job `gobtw-janitor`, with a label',
    '`cluster` if Prometheus follows several.',
    '',
    ...alerts.flatMap(section),
  ].join('\n');
}

function section({ name, severity, expr, for: held, description, meaning, look, act }: Alert): string[] {
  return [
    `## ${name}`,
    '',
    `${severity}, when it holds for ${held}:`,
    '',
    `    ${expr}`,
    '',
    `${meaning} ${description}`,
    '',
    '**Look**',
    '',
    ...look.map((step, at) => `${at + 1}. ${step}`),
    '',
    '**Act**',
    '',
    ...act.map((step, at) => `${at + 1}. ${step}`),
    '',
  ];
}
