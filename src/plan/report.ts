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
}

export interface PlanReport {
  readonly policy: Policy;
  readonly counts: Readonly<Record<Change['kind'], number>>;
  readonly heldBack: number;
  readonly changes: readonly PlannedChange[];
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
}

export function reportPlan({ policy, filtered, servers, canonicalOf }: ReportInput): PlanReport {
  const { allowed, suppressed } = filtered;
  const changes = [
    ...allowed.map((change) => describe(change, null, canonicalOf)),
    ...suppressed.map(({ change, why }) => describe(change, why, canonicalOf)),
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
    changes,
    slow: massCauses(allowed, servers),
  };
}

function describe(
  change: Change,
  heldBack: string | null,
  canonicalOf: (body: string) => string = (body) => body,
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
  };
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
  lines.push(
    `${create} to create, ${replace} to replace, ${remove} to delete, ${adopt} already as wanted` +
      (report.heldBack === 0 ? '' : `, ${report.heldBack} held back by policy ${report.policy}`),
  );
  return `${lines.join('\n')}\n`;
}

function renderChange(change: PlannedChange): string[] {
  const { kind, server, service, listen, reason, heldBack, fields } = change;
  const where = listen === null ? '' : ` on ${listen}`;
  const whose = service === null ? '' : ` for ${service}`;
  const held = heldBack === null ? '' : ` [held back: ${heldBack}]`;
  return [
    `${SIGN[kind]} ${server}${where}${whose} (${reason})${held}`,
    ...fields.map(
      ({ field, before, after }) => `    ${field}: ${before ?? '(absent)'} → ${after ?? '(absent)'}`,
    ),
  ];
}

function formatAddr(addr: string): string {
  return addr.includes(':') ? `[${addr}]` : addr;
}
