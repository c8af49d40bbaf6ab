/** Verbs of the command line that must not be called, and those that a test brings. */
import assert from 'node:assert/strict';
import type { Verbs } from '../../src/cli/verbs.js';

export function verbsWith(own: Partial<Verbs>): Verbs {
  const uncalled = async (): Promise<never> => assert.fail('this verb is not to be called');
  return {
    ...{
      demo: uncalled,
      validate: uncalled,
      plan: uncalled,
      apply: uncalled,
      run: uncalled,
      status: uncalled,
    },
    ...{ explain: uncalled, watch: uncalled, pause: uncalled, resume: uncalled, policy: uncalled },
    ...{ resync: uncalled, 'confirm-deletes': uncalled, 'support-bundle': uncalled },
    ...own,
  };
}
