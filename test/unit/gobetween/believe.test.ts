import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLedger, type Ledger } from '../../../src/gobetween/ledger.js';
import type { Observed } from '../../../src/model/server.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { desiredServer, nameOf, observedServer } from '../../support/servers.js';

const many = 2_000;
const crowd = (digest = 'one'): Observed[] =>
  Array.from({ length: many }, (_, at) => observedServer(`s${at}`, digest, 1024 + at));

/** Believes a list with `between` after the first slice; how many slices there were, and what was told. */
function believe(ledger: Ledger, list: readonly Observed[], mark: number, between: () => void) {
  const told: string[] = [];
  const steps = ledger.believe(list, mark, (name, observed) => told.push(`${observed ? '+' : '-'}${name}`));
  let slices = 1;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    if (slices === 1) between();
    slices += 1;
  }
  return { slices, told, drift: step.value };
}
const nothing = (): void => undefined;

function setUp(...present: Observed[]): Ledger {
  const ledger = createLedger(createFakeClock());
  ledger.replaceAll(present, ledger.mark());
  return ledger;
}

describe('a long list', () => {
  test('is believed in slices, and each server that is news is told once', () => {
    const ledger = setUp();
    const first = believe(ledger, crowd(), ledger.mark(), nothing);
    assert.ok(first.slices >= 4, `${first.slices}`);
    assert.deepEqual([first.told.length, new Set(first.told).size, ledger.size()], [many, many, many]);
    const same = [...ledger.servers()];
    assert.deepEqual(believe(ledger, same, ledger.mark(), nothing), {
      slices: 1,
      told: [],
      drift: { missing: [], mutated: [], extra: first.drift.extra },
    });
  });

  test('says nothing about what is written between two slices', () => {
    const ledger = setUp();
    const last = `s${many - 1}`;
    const { told } = believe(ledger, crowd(), ledger.mark(), () => {
      for (const name of ['new', last]) {
        const desired = desiredServer(name, 'mine', 9000);
        ledger.begin(desired.name);
        ledger.created(desired.name, desired);
        ledger.end(desired.name);
      }
    });
    assert.equal(ledger.state(nameOf('new')).observed?.digest, 'mine', 'it is not in the list');
    assert.equal(ledger.state(nameOf(last)).observed?.digest, 'mine', 'it is otherwise in the list');
    assert.ok(!told.includes(`+${last}`) && !told.includes('-new'));
  });

  test('is void once everything is forgotten', () => {
    const ledger = setUp();
    const { drift } = believe(ledger, crowd(), ledger.mark(), () => ledger.forgetAll());
    assert.equal(ledger.size(), 0);
    assert.ok(drift.extra.length < many);
  });
});

test('what a restart took is told with the next list, in slices, as it is by then', () => {
  const ledger = setUp(...crowd());
  ledger.forgetAll();
  const back = observedServer('s7', 'one', 1031);
  const { told, slices } = believe(ledger, [back], ledger.mark(), nothing);
  assert.ok(slices >= 4, `${slices}`);
  assert.deepEqual([told[0], told.filter((each) => each.startsWith('+')).length], ['+s7', 2]);
  assert.equal(new Set(told.filter((each) => each.startsWith('-'))).size, many - 1);
  assert.deepEqual(believe(ledger, [back], ledger.mark(), nothing).told, []);
});
