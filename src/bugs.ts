/**
 * A bug that a round met, made visible: the service has a problem, the log has the stack, and the service is tried again
 * (reconciler.ts). Invariant: one line per transition, however often it is tried.
 */
import type { Problem } from './model/problem.js';
import { displayPath, type ServiceKey } from './model/service.js';
import type { OnLost } from './worker/compute.js';

export interface Bugs {
  failed(key: ServiceKey | null, error: unknown): void;
  mended(key: ServiceKey): void;
  /** A worker thread crashed or hung, and was replaced. */
  lost: OnLost;
}

export function createBugs(
  log: { error(fields: Readonly<Record<string, unknown>>, message: string): void },
  report: (scope: string, problems: readonly Problem[]) => void,
): Bugs {
  return {
    failed(key, error) {
      const stack = error instanceof Error ? error.stack : String(error);
      log.error({ ...(key === null ? {} : { service: displayPath(key) }), stack }, 'a bug: a round failed');
      if (key !== null) report(`${key} round`, [internalError(key, error)]);
    },
    lost: (work, why, key) =>
      log.error(
        { work, ...why, ...(key === null ? {} : { service: displayPath(key) }) },
        'a worker thread was lost and replaced',
      ),
    mended: (key) => report(`${key} round`, []),
  };
}

function internalError(key: ServiceKey, error: unknown): Problem {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: 'internal-error',
    severity: 'problem',
    key,
    place: '',
    message: `the janitor has a bug that this service meets: ${text.slice(0, 200)}`,
    keeps: 'its servers, as they are; every other service',
    mend: 'report it with the line of the log that holds the stack; it is tried again by itself',
  };
}
