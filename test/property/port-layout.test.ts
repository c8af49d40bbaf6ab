import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ServiceKey } from '../../src/model/service.js';
import { type Claim, createArbiter } from '../../src/ports/arbiter.js';
import { createChooser, createRings, type Home, homeHash, type Rings } from '../../src/ports/probe.js';
import { byService, claimOf } from '../support/claims.js';
import { createFakeClock } from '../support/fake-clock.js';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const claimArb: fc.Arbitrary<Claim> = fc
  .record(
    {
      name: fc.constantFrom(...names),
      label: fc.integer({ min: 1, max: 5 }),
      listen: fc.option(fc.integer({ min: 2000, max: 2030 }), { freq: 3 }),
      addr: fc.constantFrom('0.0.0.0', '127.0.0.1', '127.0.0.2', '::'),
      proto: fc.constantFrom('tcp', 'udp'),
    },
    { noNullPrototype: true },
  )
  .map(({ name, label, listen, addr, proto }) => claimOf(name, label, listen, { addr, proto }));

const claimsArb = fc.uniqueArray(claimArb, { selector: ({ id }) => id, maxLength: 30 });

interface Gateway {
  readonly claims: readonly Claim[];
  readonly reserved?: readonly number[];
  readonly to?: number;
}

/** The layout of one fresh gateway: claim id → port or code. */
function layout({ claims, reserved = [], to = 2040 }: Gateway): Record<string, string> {
  const arbiter = createArbiter({
    clock: createFakeClock(),
    range: { from: 2000, to },
    reserved: new Set(reserved),
  });
  const services = byService(claims);
  for (const [key, own] of services) arbiter.setClaims(key, own);
  const { grants } = arbiter.decide(services.keys());
  const shown = [...grants].map(([id, grant]) => {
    return [id, grant.kind === 'granted' ? String(grant.port) : `${grant.code} ${grant.winner?.key}`];
  });
  return Object.fromEntries(shown.sort()) as Record<string, string>;
}

describe('the first layout', () => {
  test('does not depend on the order of services or of their words', () => {
    const shuffled = claimsArb.chain((claims) =>
      fc.tuple(fc.constant(claims), fc.shuffledSubarray(claims, { minLength: claims.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        assert.deepEqual(layout({ claims: one }), layout({ claims: other }));
      }),
      { numRuns: 300 },
    );
  });

  test('two gateways that serve different services choose the same ports', () => {
    const serves = fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length });
    const on = (claims: readonly Claim[], served: readonly boolean[]): Claim[] =>
      claims.map((claim) => ({ ...claim, served: served[names.indexOf(claim.key.slice(9))] ?? true }));
    fc.assert(
      fc.property(claimsArb, serves, serves, (claims, here, there) => {
        const one = layout({ claims: on(claims, here) });
        const other = layout({ claims: on(claims, there) });
        for (const { id, listen } of claims) if (listen === null) assert.equal(one[id], other[id], id);
      }),
      { numRuns: 300 },
    );
  });

  test('a port that only one gateway reserves moves only who would have had it, while there is room', () => {
    const autos = names.map((name) => claimOf(name, 443, null));
    const one = layout({ claims: autos, to: 9000 });
    for (const unlucky of autos) {
      const other = layout({ claims: autos, to: 9000, reserved: [Number(one[unlucky.id])] });
      for (const { id } of autos) assert.equal(one[id] === other[id], id !== unlucky.id);
    }
  });
});

/**
 * The same choice made by racing claims: each starts at home, takes a free port or ousts a worse rank, and whoever is
 * ousted goes on from there. Its result is known not to depend on the order of arrival.
 */
function raced(homes: readonly Home[], order: readonly number[], rings: Rings): Map<number, number> {
  const owner = new Map<number, number>();
  const walk = (home: Home): number[] => {
    const hash = homeHash(home);
    return [rings.preferred, rings.last].flatMap((ring) =>
      [...ring].map((_, step) => ring[((hash % ring.length) + step) % ring.length] ?? 0),
    );
  };
  for (const arriving of order) {
    let rank = arriving;
    let path = walk(homes[rank] as Home);
    for (let port = path.shift(); port !== undefined; port = path.shift()) {
      const sitting = owner.get(port);
      if (sitting !== undefined && sitting < rank) continue;
      owner.set(port, rank);
      if (sitting === undefined) break;
      rank = sitting;
      const all = walk(homes[rank] as Home);
      path = all.slice(all.indexOf(port) + 1);
    }
  }
  return owner;
}

test('serving claims by rank gives the layout of a race in any order', () => {
  const homeArb = fc.record(
    {
      key: fc.constantFrom(...names).map((name) => `root/svc/${name}` as ServiceKey),
      label: fc.integer({ min: 1, max: 3 }),
      proto: fc.constant('tcp' as const),
    },
    { noNullPrototype: true },
  );
  const rings = createRings({ from: 32760, to: 32775 });
  const cases = fc
    .array(homeArb, { maxLength: 20 })
    .chain((homes) =>
      fc.tuple(fc.constant(homes), fc.shuffledSubarray([...homes.keys()], { minLength: homes.length })),
    );
  fc.assert(
    fc.property(cases, ([homes, order]) => {
      const taken = new Map<number, number>();
      const chooser = createChooser(rings);
      homes.forEach((home, rank) => {
        const port = chooser.choose(home, (candidate) => !taken.has(candidate));
        if (port !== null) taken.set(port, rank);
      });
      assert.deepEqual([...raced(homes, order, rings)].sort(), [...taken].sort());
    }),
    { numRuns: 300 },
  );
});
