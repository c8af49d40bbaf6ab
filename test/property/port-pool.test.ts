import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ClaimJob, claimShare, createWalker, placeAlone, placeShared } from '../../src/ports/pool.js';
import { createChooser, createRings, homeHash } from '../../src/ports/probe.js';
import { slotId } from '../../src/ports/slots.js';
import { keyOf } from '../support/claims.js';
import {
  inSlowMotion,
  interleave,
  placeInTurn,
  requestArb,
  scheduleArb,
  shuffleTurns,
} from '../support/placements.js';

const sharesArb = fc.integer({ min: 1, max: 4 });
const seedArb = fc.nat();
const plain = { noNullPrototype: true } as const;

describe('the shared pool', () => {
  test('gives the layout of one claim after another, for any schedule, split and order', async () => {
    await fc.assert(
      fc.asyncProperty(
        requestArb,
        sharesArb,
        scheduleArb,
        seedArb,
        async (request, shares, schedule, seed) => {
          const ports = await placeShared(request, inSlowMotion(schedule, seed), shares);
          assert.deepEqual([...ports], [...placeInTurn(request)]);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('gives it over both ends of the ephemeral ports, when one ring or both are full, and with the other protocol beside', async () => {
    const rings = createRings({ from: 32760, to: 61005 });
    const claims = fc.array(fc.record({ hash: fc.nat(100_000), udp: fc.boolean() }, plain), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(claims, sharesArb, scheduleArb, seedArb, async (claims, shares, schedule, seed) => {
        const request = {
          rings,
          hashes: Uint32Array.from(claims, ({ hash }) => hash),
          udp: Uint8Array.from(claims, ({ udp }) => Number(udp)),
          taken: Array.from({ length: 27_000 }, (_, index) => slotId('tcp', 33_000 + index)),
        };
        const ports = await placeShared(request, inSlowMotion(schedule, seed), shares);
        assert.deepEqual([...ports], [...placeInTurn(request)]);
      }),
      { numRuns: 40 },
    );
  });

  test('is what the chooser chooses', () => {
    const homesArb = fc.uniqueArray(fc.tuple(fc.nat(30), fc.nat(2)), { selector: String, maxLength: 40 });
    fc.assert(
      fc.property(homesArb, (names) => {
        const rings = createRings({ from: 32755, to: 32775 });
        const homes = names.map(([name, label]) => ({
          key: keyOf(`s${name}`),
          label,
          proto: 'udp' as const,
        }));
        const taken = new Set([slotId('udp', 32757), slotId('udp', 32770), slotId('tcp', 32760)]);
        const hashes = Uint32Array.from(homes, homeHash);
        const ports = placeAlone({ rings, hashes, udp: new Uint8Array(homes.length).fill(1), taken });
        const chooser = createChooser(rings);
        const gone = new Set(taken);
        const chosen = homes.map((home) => {
          const port = chooser.choose(home, (candidate) => !gone.has(slotId('udp', candidate)));
          if (port !== null) gone.add(slotId('udp', port));
          return port ?? 0;
        });
        assert.deepEqual([...ports], chosen);
      }),
      { numRuns: 300 },
    );
  });

  test('never writes a slot that is fixed, and fills each free one at most once', async () => {
    await fc.assert(
      fc.asyncProperty(
        requestArb,
        sharesArb,
        scheduleArb,
        seedArb,
        async (request, shares, schedule, seed) => {
          const run = inSlowMotion(schedule, seed);
          await placeShared(
            request,
            async (jobs) => {
              const slots = new Int32Array((jobs[0] as ClaimJob).slots);
              const before = slots.map((value) => Math.min(value, 0));
              await run(jobs);
              assert.deepEqual(
                slots.map((value) => Math.min(value, 0)),
                before,
              );
              const ranks = [...slots].filter((value) => value > 0);
              assert.equal(new Set(ranks).size, ranks.length);
            },
            shares,
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a share whose worker died', () => {
  test('is done again beside the others: the same layout, or a claim that was in its hands is missed', async () => {
    let missed = 0;
    const arb = fc.record(
      {
        request: requestArb,
        shares: sharesArb,
        schedule: scheduleArb,
        seed: seedArb,
        diesAfter: fc.nat(60),
      },
      plain,
    );
    await fc.assert(
      fc.asyncProperty(arb, async ({ request, shares, schedule, seed, diesAfter }) => {
        const placed = placeShared(
          request,
          async (jobs) => {
            shuffleTurns(jobs, seed);
            const [first, ...rest] = jobs as [ClaimJob, ...ClaimJob[]];
            const doomed = createWalker(first);
            const others = rest.map(createWalker);
            let steps = 0;
            const dying = { step: () => steps++ < diesAfter && doomed.step(), placed: () => 0 };
            interleave([dying, ...others], schedule);
            claimShare(first);
          },
          shares,
        );
        const ports = await placed.catch((error: Error) => {
          assert.match(error.message, /^1 claims got lost/);
          missed += 1;
          return placeAlone(request);
        });
        assert.deepEqual([...ports], [...placeInTurn(request)]);
      }),
      { numRuns: 1000 },
    );
    assert.ok(missed < 500, `${missed} of 1000 were missed`);
  });

  test('may walk on for ever: every share done again with it around gives the same layout', async () => {
    await fc.assert(
      fc.asyncProperty(
        requestArb,
        sharesArb,
        scheduleArb,
        seedArb,
        async (request, shares, schedule, seed) => {
          const run = inSlowMotion(schedule, seed);
          const ports = await placeShared(request, (jobs) => run([...jobs, ...jobs]), shares);
          assert.deepEqual([...ports], [...placeInTurn(request)]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('leaves nothing behind: the next placement does not see it, even while it walks on', async () => {
    await fc.assert(
      fc.asyncProperty(requestArb, sharesArb, scheduleArb, async (request, shares, schedule) => {
        const left: ClaimJob[] = [];
        const failed = placeShared(
          request,
          async (jobs) => {
            left.push(...jobs);
            const [doomed] = jobs.map(createWalker);
            for (const _ of schedule) doomed?.step();
            throw new Error('the worker is gone');
          },
          shares,
        );
        if (request.hashes.length > 0 && left.length > 0) await assert.rejects(failed, /the worker is gone/);
        else await failed;
        const ports = await placeShared(
          request,
          async (jobs) => interleave([...left, ...jobs].map(createWalker), schedule),
          shares,
        );
        assert.deepEqual([...ports], [...placeInTurn(request)]);
      }),
      { numRuns: 300 },
    );
  });
});

test('each share fills as many slots as it has turns, whoever ousts whom', async () => {
  await fc.assert(
    fc.asyncProperty(requestArb, sharesArb, async (request, shares) => {
      const ports = await placeShared(
        request,
        async (jobs) => {
          const placed = jobs.map(claimShare);
          placed.forEach((count, first) =>
            assert.equal(count, Math.ceil(((jobs[0]?.turns ?? 0) - first) / jobs.length)),
          );
        },
        shares,
      );
      assert.deepEqual([...ports], [...placeInTurn(request)]);
    }),
    { numRuns: 200 },
  );
});
