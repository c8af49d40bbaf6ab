/**
 * The exposures as operators see them: the rows of plan/exposure.ts with since when, and what is warned of. Computed when
 * somebody looks and kept nowhere. Invariant: going through all of them is in the hands of the caller, step by step.
 */
import { type Clock, isoTime } from '../clock.js';
import type { Problem, ProblemCode } from '../model/problem.js';
import type { Observed, ServerName } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import { type ExposureInput, type ExposureRow, exposureOf } from '../plan/exposure.js';
import type { Policy } from '../plan/policy.js';
import type { Orders } from './orders.js';

/** One row of `/api/v1/exposures`. */
export interface Exposure extends ExposureRow {
  /** ISO 8601: since when its state is what it is; null: since before this process began. */
  readonly since: string | null;
  /** Codes of what is warned of; the row works all the same. */
  readonly warnings: readonly ProblemCode[];
}

export interface Exposures {
  of(key: ServiceKey): readonly Exposure[];
  keys(): Iterable<ServiceKey>;
}

export function createExposures(deps: {
  readonly clock: Clock;
  readonly states: () => ReadonlyMap<
    ServiceKey,
    Omit<ExposureInput, 'present' | 'problems' | 'policy' | 'heldBack'>
  >;
  readonly present: (key: ServiceKey) => readonly Observed[];
  readonly problems: (key: ServiceKey) => readonly Problem[];
  readonly policyOf: (key: ServiceKey) => Policy;
  readonly holdBack: Orders['holdBack'];
  /** Clock.now of the POST that made a server; not finite when it was there before. */
  readonly postedAtMs: (name: ServerName) => number;
  /** Clock.now of the wish that is not met; null: there is none. */
  readonly wishedAtMs: (name: ServerName) => number | null;
  /** Clock.now of the oldest problem of this code and service; null: there is none. */
  readonly raisedAtMs: (key: ServiceKey, code: ProblemCode) => number | null;
}): Exposures {
  const { clock } = deps;

  function sinceOf(key: ServiceKey, row: ExposureRow): string | null {
    const at = row.code === null ? null : deps.raisedAtMs(key, row.code);
    if (at !== null) return wall(at);
    if (row.server === null) return null;
    if (row.state === 'pending') return wall(deps.wishedAtMs(row.server) ?? Number.NaN);
    return wall(deps.postedAtMs(row.server));
  }

  function wall(at: number): string | null {
    return Number.isFinite(at) ? isoTime(clock.wall() - (clock.now() - at)) : null;
  }

  return {
    keys: () => deps.states().keys(),
    of(key) {
      const state = deps.states().get(key);
      if (state === undefined) return [];
      const problems = deps.problems(key);
      const rows = exposureOf({
        ...state,
        present: deps.present(key),
        problems,
        policy: deps.policyOf(key),
        heldBack: deps.holdBack(key)?.why ?? null,
      });
      return rows.map((row) => ({
        ...row,
        since: sinceOf(key, row),
        warnings: warningsOf(row, problems),
      }));
    },
  };
}

/** Warnings of a word are its own; those of a keyword or of the service are all its words'. */
function warningsOf(row: ExposureRow, problems: readonly Problem[]): readonly ProblemCode[] {
  const codes = problems.flatMap(({ severity, place, code }) => {
    if (severity !== 'warning') return [];
    const [what = '', ...rest] = place.split(' ');
    const of = rest.join(' ');
    if (what === 'server') return rest[0] === row.server ? [code] : [];
    const isOther = what === 'igw_gobtw_bind' && of !== '' && of !== row.word && of !== row.label;
    return isOther ? [] : [code];
  });
  return [...new Set(codes)];
}
