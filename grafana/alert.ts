/** What an alert rule is here: what Prometheus evaluates, and what the one who is woken up needs to read. */

/** critical: clients notice, or soon will. warning: somebody must act today. info: somebody else's mistake, told to its owner. */
export type Severity = 'critical' | 'warning' | 'info';

export interface Alert {
  /** CamelCase, with the program's prefix. */
  readonly name: string;
  readonly severity: Severity;
  /** PromQL; labels that it leaves are those of the scrape. */
  readonly expr: string;
  /** For how long it must hold, for instance `2m`. */
  readonly for: string;
  /** One line, with `{{ $labels.x }}` where it helps. */
  readonly summary: string;
  /** Who is affected, and what keeps working. */
  readonly description: string;
  /** RUNBOOK: what it means. */
  readonly meaning: string;
  /** RUNBOOK: how to look, in steps. */
  readonly look: readonly string[];
  /** RUNBOOK: what to do, in steps. */
  readonly act: readonly string[];
}
