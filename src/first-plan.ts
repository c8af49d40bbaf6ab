/**
 * The first plan of a run, for those who wait for it. Invariant: it is handed over and not kept, for the plan of a large
 * cluster holds the body of every server, and would for the whole life of the process.
 */
import type { Change } from './plan/change.js';

export interface FirstPlan {
  /** Resolves once it is made. */
  readonly made: Promise<void>;
  /** Its changes, before any is carried out. To be asked for before it is made. */
  changes(): Promise<readonly Change[]>;
  make(changes: readonly Change[]): void;
}

export function createFirstPlan(): FirstPlan {
  let isMade = false;
  let takers: ((changes: readonly Change[]) => void)[] = [];
  let done = (): void => undefined;
  const made = new Promise<void>((resolve) => {
    done = resolve;
  });
  return {
    made,
    changes() {
      if (isMade) throw new Error('the first plan was asked for after it was made');
      return new Promise((resolve) => takers.push(resolve));
    },
    make(changes) {
      isMade = true;
      for (const take of takers) take(changes);
      takers = [];
      done();
    },
  };
}
