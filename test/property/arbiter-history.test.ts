import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Listen } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';
import { type Arbiter, type Claim, createArbiter, type Grant } from '../../src/ports/arbiter.js';
import { conflicts } from '../../src/model/bind.js';
import { claimOf, keyOf, serverName } from '../support/claims.js';
import { createFakeClock } from '../support/fake-clock.js';

const FROM = 2000;
const TO = 2004;
const RESERVED = 2001;
const NAMES = ['a', 'b', 'c', 'd'];

/** One edit of one service, and what else happens before the next decision. */
interface Step {
  readonly name: string;
  readonly words: readonly { label: number; listen: number | null; addr: string }[];
  readonly served: boolean;
  readonly removed: boolean;
  /** Servers are created as granted, and those without a claim go. */
  readonly applied: boolean;
}

const stepArb: fc.Arbitrary<Step> = fc.record(
  {
    name: fc.constantFrom(...NAMES),
    words: fc.array(
      fc.record(
        {
          label: fc.integer({ min: 1, max: 2 }),
          listen: fc.option(fc.integer({ min: FROM, max: TO }), { freq: 2 }),
          addr: fc.constantFrom('0.0.0.0', '127.0.0.1', '127.0.0.2'),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
    served: fc.boolean(),
    removed: fc.boolean(),
    applied: fc.boolean(),
  },
  { noNullPrototype: true },
);

interface World {
  readonly arbiter: Arbiter;
  readonly claims: Map<ServiceKey, readonly Claim[]>;
  readonly servers: Map<string, { readonly key: ServiceKey; readonly listen: Listen }>;
}

function allGrants({ arbiter, claims }: World): Map<string, Grant> {
  return new Map(arbiter.decide(claims.keys()).grants);
}

function claimsById({ claims }: World): Map<string, Claim> {
  return new Map([...claims.values()].flat().map((claim) => [claim.id, claim]));
}

function listenOf(claim: Claim, grant: Grant & { kind: 'granted' }): Listen {
  return { proto: claim.proto, addr: grant.addr, port: grant.port };
}

/** GoBetween follows the grants: former servers go, new ones come. Names are made unique by the address. */
function apply(world: World, grants: ReadonlyMap<string, Grant>): void {
  const wanted = new Map<string, { key: ServiceKey; listen: Listen }>();
  for (const claim of claimsById(world).values()) {
    const grant = grants.get(claim.id);
    if (!claim.served || grant?.kind !== 'granted') continue;
    const listen = listenOf(claim, grant);
    wanted.set(`${serverName(claim)}@${listen.addr}:${listen.port}`, { key: claim.key, listen });
  }
  for (const name of world.servers.keys()) {
    if (wanted.has(name)) continue;
    world.arbiter.release(name);
    world.servers.delete(name);
  }
  for (const [name, { key, listen }] of wanted) {
    world.arbiter.hold(name, key, listen);
    world.servers.set(name, { key, listen });
  }
}

/** SPEC §4: no two servers that would be made exclude each other. */
function assertExclusive(world: World, grants: ReadonlyMap<string, Grant>): void {
  const listens = [...claimsById(world).values()].flatMap((claim) => {
    const grant = grants.get(claim.id);
    return claim.served && grant?.kind === 'granted'
      ? [{ id: claim.id, listen: listenOf(claim, grant) }]
      : [];
  });
  for (const one of listens) {
    for (const other of listens) {
      assert.ok(one === other || !conflicts(one.listen, other.listen), `${one.id} and ${other.id}`);
    }
  }
}

/** Every held claim has a reason that is true at this moment. */
function assertReasons(world: World, grants: ReadonlyMap<string, Grant>): void {
  const claims = claimsById(world);
  const granted = [...claims.values()].flatMap((claim) => {
    const grant = grants.get(claim.id);
    return grant?.kind === 'granted' ? [{ claim, listen: listenOf(claim, grant) }] : [];
  });
  for (const [id, grant] of grants) {
    const claim = claims.get(id);
    assert.ok(claim !== undefined);
    if (grant.kind === 'granted') {
      if (claim.listen !== null) assert.equal(grant.port, claim.listen, 'an explicit port never moves');
      else assert.ok(grant.port >= FROM && grant.port <= TO && grant.port !== RESERVED);
      assert.equal(grant.addr, claim.addr);
    } else if (grant.code === 'port-exhausted') {
      for (let port = FROM; port <= TO; port++) {
        const known = [...claims.values()].some((other) => other.listen === port);
        const chosen = granted.some(({ listen }) => listen.port === port);
        const held = [...world.servers.values()].some(({ listen }) => listen.port === port);
        assert.ok(port === RESERVED || known || chosen || held, `${port} is free for ${id}`);
      }
    } else if (grant.code === 'port-reserved') {
      assert.equal(claim.listen, RESERVED);
    } else {
      const asked = { proto: claim.proto, addr: claim.addr, port: claim.listen ?? 0 };
      const winner = granted.find((other) => other.claim.served && conflicts(other.listen, asked));
      assert.ok(winner !== undefined, `nobody has what ${id} waits for`);
      assert.equal(grant.code, 'port-conflict');
    }
  }
}

/** Evidence goes before a decision: a service that comes back while its server still listens has its port. */
function ownerListens(
  world: World,
  grants: ReadonlyMap<string, Grant>,
  key: ServiceKey,
  lost: Listen,
): boolean {
  const servers = [...world.servers.values()].filter((server) => server.key !== key);
  const winners = [...claimsById(world).values()].filter((claim) => {
    const grant = grants.get(claim.id);
    return claim.key !== key && grant?.kind === 'granted' && conflicts(listenOf(claim, grant), lost);
  });
  return winners.some((claim) =>
    servers.some((server) => server.key === claim.key && conflicts(server.listen, lost)),
  );
}

test('any history of edits: exclusive, sticky, explained, and everybody affected is told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArb, { minLength: 1, maxLength: 25 }), async (steps) => {
      const clock = createFakeClock();
      const arbiter = createArbiter({
        clock,
        range: { from: FROM, to: TO },
        reserved: new Set([RESERVED]),
      });
      const world: World = { arbiter, claims: new Map(), servers: new Map() };
      let before = new Map<string, Grant>();
      for (const { name, words, served, removed, applied } of steps) {
        // Far enough apart that nothing counts as two gateways choosing at the same time.
        await clock.advance(61_000);
        const key = keyOf(name);
        const claimsBefore = claimsById(world);
        if (removed) {
          arbiter.removeKey(key);
          world.claims.delete(key);
        } else {
          const claims = words.map(({ label, listen, addr }) =>
            claimOf(name, label, listen, { addr, served }),
          );
          arbiter.setClaims(key, claims);
          world.claims.set(key, claims);
        }
        const { affected } = arbiter.decide([key]);
        const grants = allGrants(world);
        assertExclusive(world, grants);
        assertReasons(world, grants);
        for (const [id, grant] of grants) {
          const was = before.get(id);
          const claim = claimsById(world).get(id);
          assert.ok(claim !== undefined);
          if (was?.kind === 'granted' && claimsBefore.get(id)?.served === claim.served) {
            // The service itself may write its allocated port into another word: then that word has it.
            const ownWord = (world.claims.get(claim.key) ?? []).some(({ listen }) => listen === was.port);
            const mayMove = claim.listen === null && ownWord;
            if (!mayMove && !ownerListens(world, grants, claim.key, listenOf(claim, was)))
              assert.deepEqual(grant, was, `${id} had it and keeps it`);
          }
          const told = claim.key === key || affected.has(claim.key);
          const code = (one: Grant | undefined): unknown =>
            one?.kind === 'held' ? [one.code, one.winner?.key] : one?.port;
          if (!told) assert.deepEqual(code(grant), code(was), `${claim.key} was not told`);
        }
        if (applied) {
          apply(world, grants);
          arbiter.decide([]);
        }
        before = allGrants(world);
        if (applied) assertReasons(world, before);
      }
    }),
    { numRuns: 300 },
  );
});

test('two gateways that see the same edits in the same rounds never disagree', async () => {
  const rounds = fc.array(fc.array(stepArb, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(rounds, async (history) => {
      const run = async (reverse: boolean): Promise<Record<string, unknown>> => {
        const clock = createFakeClock();
        const arbiter = createArbiter({
          clock,
          range: { from: FROM, to: TO },
          reserved: new Set([RESERVED]),
        });
        const keys = new Set<ServiceKey>();
        for (const round of history) {
          await clock.advance(61_000);
          const last = new Map(round.map((step) => [step.name, step]));
          const order = [...last.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
          for (const { name, words } of reverse ? order.reverse() : order) {
            keys.add(keyOf(name));
            const claims = words.map(({ label, listen, addr }) => claimOf(name, label, listen, { addr }));
            arbiter.setClaims(keyOf(name), reverse ? claims.reverse() : claims);
          }
          arbiter.decide([]);
        }
        const { grants } = arbiter.decide(keys);
        return Object.fromEntries([...grants].sort());
      };
      assert.deepEqual(await run(false), await run(true));
    }),
    { numRuns: 150 },
  );
});
