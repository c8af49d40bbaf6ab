import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { slotId } from '../../src/ports/slots.js';
import { type Arbiter, createArbiter, type Grant } from '../../src/ports/arbiter.js';
import { placeAlone, type Placer, placeShared } from '../../src/ports/pool.js';
import { createFakeClock } from '../support/fake-clock.js';
import {
  assertSound,
  createTold,
  type Event,
  eventArb,
  KEYS,
  PORTS,
  RESERVED,
  SERVERS,
  tell,
  type Told,
} from '../support/hostile-arbiter.js';
import { inSlowMotion, scheduleArb } from '../support/placements.js';

/** Four more ports than explicit words can name, so that most claims find one. */
const RANGE = { from: PORTS.min, to: PORTS.max + 4 };
const eventsArb = fc.array(eventArb, { maxLength: 12 });
const manyArb = fc.array(eventArb, { minLength: 6, maxLength: 20 });

function open(place?: Placer) {
  const clock = createFakeClock();
  const wide = place === undefined ? {} : { wide: { place, atLeast: 1 } };
  const arbiter = createArbiter({ clock, range: RANGE, reserved: new Set([RESERVED]), ...wide });
  return { clock, arbiter, told: createTold() };
}

type Opened = ReturnType<typeof open>;

async function tellAll(events: readonly Event[], { arbiter, clock, told }: Opened): Promise<void> {
  for (const event of events) await tell(event, arbiter, clock, told);
}

const grantsOf = (arbiter: Arbiter): ReadonlyMap<string, Grant> => arbiter.decide(KEYS).grants;
const shown = (grants: ReadonlyMap<string, Grant>): unknown => [...grants].sort();

/** An arbiter whose placement waits until `arrive` is called. */
function openSlow() {
  const flights: (() => void)[] = [];
  const opened = open((request) => {
    const ports = placeAlone(request);
    return new Promise((resolve) => flights.push(() => resolve(ports)));
  });
  return { ...opened, arrive: () => flights.splice(0).forEach((land) => land()) };
}

describe('placing ahead', () => {
  test('with nothing in between is what decide alone gives', async () => {
    const cases = fc.tuple(eventsArb, eventsArb, fc.integer({ min: 1, max: 4 }), scheduleArb, fc.nat());
    await fc.assert(
      fc.asyncProperty(cases, async ([first, second, shares, schedule, seed]) => {
        const alone = open();
        const ahead = open((request) => placeShared(request, inSlowMotion(schedule, seed), shares));
        const broken = open(() => Promise.reject(new Error('the workers are gone')));
        for (const events of [first, second]) {
          for (const one of [alone, ahead, broken]) {
            await tellAll(events, one);
            await one.arbiter.placeAhead();
          }
          const expected = shown(grantsOf(alone.arbiter));
          assert.deepEqual(shown(grantsOf(ahead.arbiter)), expected);
          assert.deepEqual(shown(grantsOf(broken.arbiter)), expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('keeps every promise of the arbiter whatever is said while it is under way', async () => {
    const decides = fc.constant(['decide' as const]);
    const meanwhileArb = fc.array(fc.oneof({ weight: 4, arbitrary: eventArb }, decides), { maxLength: 8 });
    const rounds = fc.array(fc.tuple(eventsArb, meanwhileArb), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rounds, async (history) => {
        const slow = openSlow();
        for (const [before, meanwhile] of history) {
          await tellAll(before, slow);
          const placed = slow.arbiter.placeAhead();
          for (const event of meanwhile) {
            if (event[0] === 'decide') assertSound(slow.arbiter, slow.told);
            else await tell(event, slow.arbiter, slow.clock, slow.told);
          }
          slow.arrive();
          await placed;
          assertSound(slow.arbiter, slow.told);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('moves only claims whose port was touched meanwhile', async () => {
    let landed = 0;
    await fc.assert(
      fc.asyncProperty(manyArb, fc.array(eventArb, { maxLength: 3 }), async (before, meanwhile) => {
        const alone = open();
        await tellAll(before, alone);
        const chosen = grantsOf(alone.arbiter);
        const slow = openSlow();
        await tellAll(before, slow);
        const placed = slow.arbiter.placeAhead();
        await tellAll(meanwhile, slow);
        slow.arrive();
        await placed;
        const touched = touchedBy(meanwhile, alone.told);
        const got = grantsOf(slow.arbiter);
        for (const claim of [...alone.told.claims.values()].flat()) {
          const was = chosen.get(claim.id);
          if (claim.listen !== null || was?.kind !== 'granted' || touched.keys.has(claim.key)) continue;
          if (touched.slots.has(slotId(claim.proto, was.port))) continue;
          assert.deepEqual(got.get(claim.id), was, claim.id);
          landed += 1;
        }
      }),
      { numRuns: 400 },
    );
    assert.ok(landed > 200, `only ${landed} claims were compared`);
  });

  test('is not waited for by a decision in between, which decides for all, and whose word stands', async () => {
    await fc.assert(
      fc.asyncProperty(eventsArb, async (events) => {
        const alone = open();
        await tellAll(events, alone);
        const slow = openSlow();
        await tellAll(events, slow);
        const placed = slow.arbiter.placeAhead();
        const expected = shown(grantsOf(alone.arbiter));
        assert.deepEqual(shown(grantsOf(slow.arbiter)), expected);
        slow.arrive();
        await placed;
        assert.deepEqual(shown(grantsOf(slow.arbiter)), expected);
        assert.equal(slow.arbiter.exhausted(), alone.arbiter.exhausted());
        assert.deepEqual(slow.arbiter.decide([]).affected, new Set());
      }),
      { numRuns: 100 },
    );
  });
});

/** Services that said something, and slots of which something was said. */
function touchedBy(events: readonly Event[], { servers }: Told) {
  const keys = new Set<string>();
  const slots = new Set<number>();
  for (const event of events) {
    if (event[0] === 'claims') {
      for (const { proto, listen } of event[2]) if (listen !== null) slots.add(slotId(proto, listen));
    }
    if (event[0] === 'claims' || event[0] === 'remove' || event[0] === 'hold')
      keys.add(`root/svc/${event[1]}`);
    if (event[0] === 'hold') slots.add(slotId(event[3].proto, event[3].port));
    if (event[0] === 'foreign') slots.add(slotId(event[2].proto, event[2].port));
    const released = event[0] === 'release' ? servers.get(SERVERS[event[1]] ?? '')?.listen : undefined;
    if (released !== undefined) slots.add(slotId(released.proto, released.port));
    if (event[0] === 'busy') slots.add(slotId(event[1].proto, event[1].port));
  }
  return { keys, slots };
}
