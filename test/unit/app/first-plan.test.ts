import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFirstPlan } from '../../../src/first-plan.js';
import type { Change } from '../../../src/plan/change.js';

test('the first plan goes to all who asked before it was made, and is not kept for others', async () => {
  const firstPlan = createFirstPlan();
  const [one, two] = [firstPlan.changes(), firstPlan.changes()];
  const changes: readonly Change[] = [];
  firstPlan.make(changes);
  assert.equal(await one, changes);
  assert.equal(await two, changes);
  await firstPlan.made;
  assert.throws(() => firstPlan.changes(), /asked for after it was made/);
});
