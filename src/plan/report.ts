/**
 * A plan as data, for `plan --output json`, and as text for people: what would change, field by field, and why.
 * Invariant: every change handed in appears once; servers that stay as they are do not appear.
 */
import { displayPath } from '../model/service.js';
import { diffCanonical, type FieldDiff } from './canonical-diff.js';
import type { Change, ChangeReason } from './change.js';
import { type MassCause, massCauses } from './mass.js';
import type { Filtered, Policy } from './policy.js';
import { serverOf } from './plan.js';

export interface PlannedChange {
  readonly kind: Change['kind'];
  readonly server: string;
  /** As agents show it; null for a server that belongs to no service any more. */
  readonly service: string | null;
  /** `0.0.0.0:1025/tcp`; null when it is not known. */
  readonly listen: string | null;
  readonly reason: ChangeReason;
  /** Of a replacement. */
  readonly fields: readonly FieldDiff[];
  /** Why the policy holds it back; null when it would be carried out. */
  readonly heldBack: string | null;
  /** Client connections that it would drop, as GoBetween counts them now; 0 for what drops none, null when not known. */
  readonly connections: number | null;
}

export interface PlanReport {
  readonly policy: Policy;
  readonly counts: Readonly<Record<Change['kind'], number>>;
  readonly heldBack: number;
  readonly changes: readonly PlannedChange[];
  /** Client connections that the changes would drop; null when it is not known of one of them. */
  readonly connections: number | null;
  /** Causes that replace so many servers that they go slowly (SPEC §7). */
  readonly slow: readonly MassCause[];
}

export interface ReportInput {
  readonly policy: Policy;
  readonly filtered: Filtered;
  /** Servers in GoBetween, foreign ones too. */
  readonly servers: number;
  /** The canonical form of a POST payload, so that only real differences show; by default the payload itself. */
  readonly canonicalOf?: (body: string) => string;
  /** Client connections of a server now; null when not known. By default nobody was asked. */
  readonly connectionsOf?: (server: string) => number | null;
}

export function reportPlan(input: ReportInput): PlanReport {
  const { policy, filtered, servers } = input;
  const { allowed, suppressed } = filtered;
  const changes = [
    ...allowed.map((change) => describe(change, null, input)),
    ...suppressed.map(({ change, why }) => describe(change, why, input)),
  ].sort((a, b) => (a.server < b.server ? -1 : a.server > b.server ? 1 : 0));
  const count = (kind: Change['kind']): number => allowed.filter((change) => change.kind === kind).length;
  return {
    policy,
    counts: {
      create: count('create'),
      replace: count('replace'),
      delete: count('delete'),
      adopt: count('adopt'),
    },
    heldBack: suppressed.length,
    connections: sum(changes.filter(({ heldBack }) => heldBack === null)),
    changes,
    slow: massCauses(allowed, servers),
  };
}

function describe(
  change: Change,
  heldBack: string | null,
  { canonicalOf = (body) => body, connectionsOf = () => null }: ReportInput,
): PlannedChange {
  const { kind, key, reason } = change;
  const listen = change.kind === 'delete' ? change.before.listen : change.desired.listen;
  return {
    kind,
    server: serverOf(change),
    service: key === null ? null : displayPath(key),
    listen: listen === null ? null : `${formatAddr(listen.addr)}:${listen.port}/${listen.proto}`,
    reason,
    fields:
      change.kind === 'replace'
        ? diffCanonical(change.before.canonical, canonicalOf(change.desired.body))
        : [],
    heldBack,
    connections: kind === 'create' || kind === 'adopt' ? 0 : connectionsOf(serverOf(change)),
  };
}

function sum(changes: readonly PlannedChange[]): number | null {
  let all = 0;
  for (const { connections } of changes) {
    if (connections === null) return null;
    all += connections;
  }
  return all;
}

const SIGN: Readonly<Record<Change['kind'], string>> = { create: '+', replace: '~', delete: '-', adopt: '=' };

/** One block a change, then one line of counts. `adopt` costs no call and is only counted. */
export function renderPlan(report: PlanReport): string {
  const lines = report.changes.filter(({ kind }) => kind !== 'adopt').flatMap(renderChange);
  for (const { reason, count } of report.slow) {
    lines.push(`${count} replacements have one cause (${reason}): they go at a tenth of the replace rate`);
  }
  const { create, replace, delete: remove, adopt } = report.counts;
  if (create + replace + remove + report.heldBack === 0) lines.push('Nothing to change.');
  if (replace + remove > 0) {
    const { connections } = report;
    lines.push(
      connections === null
        ? 'How many client connections it would drop is not known: GoBetween did not say.'
        : `It would drop ${connections} client connection${connections === 1 ? '' : 's'}.`,
    );
  }
  lines.push(
    `${create} to create, ${replace} to replace, ${remove} to delete, ${adopt} already as wanted` +
      (report.heldBack === 0 ? '' : `, ${report.heldBack} held back by policy ${report.policy}`),
  );
  return `${lines.join('\n')}\n`;
}

function renderChange(change: PlannedChange): string[] {
  const { kind, server, service, listen, reason, heldBack, fields, connections } = change;
  const where = listen === null ? '' : ` on ${listen}`;
  const whose = service === null ? '' : ` for ${service}`;
  const held = heldBack === null ? '' : ` [held back: ${heldBack}]`;
  const drops =
    connections === null || connections === 0
      ? ''
      : `, drops ${connections} connection${connections === 1 ? '' : 's'}`;
  return [
    `${SIGN[kind]} ${server}${where}${whose} (${reason})${drops}${held}`,
    ...fields.map(
      ({ field, before, after }) => `    ${field}: ${before ?? '(absent)'} → ${after ?? '(absent)'}`,
    ),
  ];
}

function formatAddr(addr: string): string {
  return addr.includes(':') ? `[${addr}]` : addr;
}
