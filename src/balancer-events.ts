/**
 * What follows from what GoBetween does: it comes and goes, restarts, or hides its list (SPEC §7). Invariant: one line per
 * transition; the work that follows is marked here and done by the rounds.
 */
import type { Outcome } from './gobetween/outcome.js';
import type { WatchEvents } from './gobetween/watch.js';
import type { Peers } from './peers.js';
import type { ChangeReason } from './plan/change.js';
import type { Metrics } from './telemetry/metrics.js';

export function createBalancerEvents(deps: {
  readonly sweep: WatchEvents['onSweep'];
  readonly seen: NonNullable<WatchEvents['onSeen']>;
  readonly url: string;
  readonly peers: Peers;
  readonly metrics: Pick<Metrics, 'gobetweenRestart' | 'gobetweenUp'>;
  readonly log: { warn(fields: object, message: string): void };
  /** Writes begin again, or stop until GoBetween is back. */
  readonly outage: (over: boolean) => void;
  readonly dirtyAll: (reason: ChangeReason) => void;
}): WatchEvents {
  const { peers, metrics, url } = deps;
  return {
    onSeen: deps.seen,
    onSweep(report, first) {
      peers.tell('list', true, "the list of GoBetween's servers can be read again");
      deps.sweep(report, first);
    },
    onRestart() {
      metrics.gobetweenRestart();
      deps.log.warn({}, 'GoBetween restarted: pushing everything again');
      deps.dirtyAll('restart');
    },
    onUp(up, outcome, detail) {
      metrics.gobetweenUp(up);
      deps.outage(up);
      peers.tell('gobetween', up, `GoBetween at ${url}: ${up ? 'answers' : trouble(outcome, detail)}`);
    },
    onSweepFailed: (outcome, detail) =>
      peers.tell(
        'list',
        false,
        `the list of GoBetween's servers cannot be read: ${trouble(outcome, detail)}`,
      ),
  };
}

/** What is wrong and what to look at, for people. */
function trouble(outcome: Outcome, detail: string): string {
  const hint = hints[outcome];
  return `${outcome}: ${detail}${hint === undefined ? '' : `; ${hint}`}`;
}

const hints: Partial<Readonly<Record<Outcome, string>>> = {
  unreachable: 'check that it runs with its API enabled, and --gobetween',
  unauthorized: 'check --gobetween-user and --gobetween-password-file',
  invalid: "check that --gobetween is the root of GoBetween's API",
};
