import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Desired, Digest, Observed, ServerName } from '../../src/model/server.js';
import { type PlanInput, planService } from '../../src/plan/plan.js';
import { applyPolicy } from '../../src/plan/policy.js';
import { desiredServer, nameOf, observedServer, web } from '../support/servers.js';

/** Two SRV labels, under their own and their historical name. */
const NAMES = ['_80._tcp.web.root.svc', '_443._tcp.web.root.svc', '_80_web', '_443_web'];
const digestArb = fc.constantFrom('x', 'y', 'z');

const presentArb = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...NAMES), digestArb).map(([name, digest]) => observedServer(name, digest)),
  { selector: ({ name }) => name },
);
const desiredArb = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom(...NAMES.slice(0, 2)), digestArb)
    .map(([name, digest]) => desiredServer(name, digest)),
  { selector: ({ name }) => name },
);
const appliedArb = fc.dictionary(fc.constantFrom(...NAMES), digestArb, { noNullPrototype: true });

const inputArb: fc.Arbitrary<PlanInput & { readonly appliedAs: Record<string, string> }> = fc
  .record(
    {
      desired: desiredArb,
      present: presentArb,
      appliedAs: appliedArb,
      keep: fc.constantFrom('all' as const, 'none' as const),
      held: fc.subarray(NAMES),
      needed: fc.boolean(),
      stale: fc.boolean(),
    },
    { noNullPrototype: true },
  )
  .map(({ held, needed, stale, appliedAs, ...rest }) => ({
    ...rest,
    appliedAs,
    key: web,
    applied: (name: ServerName) => (appliedAs[name] ?? null) as Digest | null,
    removal: 'word-removed' as const,
    heldNames: new Set(held.map(nameOf)),
    needed: () => needed,
    isStaleDefault: (desired: Desired, observed: Observed) =>
      stale && desired.digest === 'x' && observed.digest === 'y',
  }));

/** GoBetween and the ledger after every change succeeded. */
function carryOut(input: PlanInput & { readonly appliedAs: Record<string, string> }): typeof input {
  const present = new Map(input.present.map((observed) => [observed.name, observed]));
  const appliedAs: Record<string, string> = { ...input.appliedAs };
  for (const change of planService(input)) {
    switch (change.kind) {
      case 'create':
        assert.ok(!present.has(change.desired.name), 'a create never meets a server of that name');
        present.set(change.desired.name, observedServer(change.desired.name, change.desired.digest));
        appliedAs[change.desired.name] = change.desired.digest;
        break;
      case 'replace':
        assert.equal(present.get(change.desired.name), change.before, 'what is replaced is there');
        assert.notEqual(change.before.digest, change.desired.digest, 'no call without a difference');
        present.set(change.desired.name, observedServer(change.desired.name, change.desired.digest));
        appliedAs[change.desired.name] = change.desired.digest;
        break;
      case 'delete':
        assert.equal(present.get(change.name), change.before, 'what is deleted is there');
        present.delete(change.name);
        Reflect.deleteProperty(appliedAs, change.name);
        break;
      case 'adopt':
        assert.equal(present.get(change.desired.name)?.digest, change.digest, 'what is adopted is there');
        appliedAs[change.desired.name] = change.digest;
        break;
    }
  }
  const applied = (name: ServerName): Digest | null => (appliedAs[name] ?? null) as Digest | null;
  return { ...input, present: [...present.values()], appliedAs, applied };
}

describe('planning', () => {
  test('converges in one pass: carried out, it has nothing more to do', () => {
    fc.assert(
      fc.property(inputArb, (input) => {
        assert.deepEqual(planService(carryOut(input)), []);
      }),
      { numRuns: 500 },
    );
  });

  test('then every wanted server is there, as wanted or with former defaults', () => {
    fc.assert(
      fc.property(inputArb, (input) => {
        const { present } = carryOut(input);
        for (const desired of input.desired) {
          const found = present.some(
            (observed) => observed.digest === desired.digest || input.isStaleDefault(desired, observed),
          );
          assert.ok(found, desired.name);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('one change a server at most, and the order of the input never matters', () => {
    fc.assert(
      fc.property(inputArb, (input) => {
        const changes = planService(input);
        const names = changes.map((change) => (change.kind === 'delete' ? change.name : change.desired.name));
        assert.equal(new Set(names).size, names.length);
        const reversed = {
          ...input,
          desired: [...input.desired].reverse(),
          present: [...input.present].reverse(),
        };
        assert.deepEqual(planService(reversed), changes);
      }),
      { numRuns: 500 },
    );
  });

  test('MUST NOT delete for a service whose wish is not fully known, but to replace a historical name', () => {
    fc.assert(
      fc.property(inputArb, (input) => {
        for (const change of planService({ ...input, keep: 'all' })) {
          if (change.kind === 'delete') assert.equal(change.reason, 'historical');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('MUST NOT replace a server that is as wanted, whatever was applied or asked for', () => {
    fc.assert(
      fc.property(inputArb, fc.boolean(), (input, refresh) => {
        const names = new Set(input.desired.map(({ name }) => name));
        const present = input.present.filter(({ historical, name }) => !historical && names.has(name));
        const asWanted = present.map((observed) => {
          const wish = input.desired.find(({ name }) => name === observed.name);
          return { ...observed, digest: wish?.digest ?? observed.digest };
        });
        const changes = planService({ ...input, present: asWanted, refresh });
        assert.ok(changes.every(({ kind }) => kind === 'create' || kind === 'adopt'));
      }),
      { numRuns: 500 },
    );
  });

  test('policies split the plan and lose nothing', () => {
    fc.assert(
      fc.property(inputArb, (input) => {
        const changes = planService(input);
        for (const policy of ['sync', 'upsert-only', 'observe'] as const) {
          const { allowed, suppressed } = applyPolicy(() => policy, changes);
          assert.equal(allowed.length + suppressed.length, changes.length);
          if (policy === 'observe') assert.ok(allowed.every(({ kind }) => kind === 'adopt'));
          if (policy === 'sync') assert.equal(suppressed.length, 0);
        }
      }),
    );
  });
});
