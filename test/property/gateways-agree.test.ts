import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../support/fake-clock.js';
import { createGateway, type Gateway, type Store } from '../support/gateways.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const RANGE = { from: 2000, to: 2011 };
const SETTLE_MS = 40_000;

interface Edit {
  readonly name: string;
  /** null: the service is deleted. */
  readonly value: string | null;
  readonly afterMs: number;
}

function edits(afterMs: fc.Arbitrary<number>): fc.Arbitrary<readonly Edit[]> {
  return fc.array(
    fc.record(
      {
        name: fc.constantFrom(...NAMES),
        value: fc.option(fc.constantFrom('443', '80', '80 443', '443 80:2003', '53'), { freq: 5 }),
        afterMs,
      },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 8 },
  );
}

interface Run {
  readonly gateways: readonly Gateway[];
  readonly store: Store;
}

/** Polls every 2 s, the second gateway `skewMs` after the first; then a while of quiet. */
async function run(
  history: readonly Edit[],
  skewMs: number,
  serves: (name: string, gateway: number) => boolean,
) {
  const clock = createFakeClock();
  const store: Store = new Map();
  const gateways = [0, 1].map((index) =>
    createGateway({ clock, store, range: RANGE, writeMs: 300, serves: (name) => serves(name, index) }),
  );
  let stopped = false;
  gateways.forEach((gateway, index) => {
    const tick = (): void => {
      if (stopped) return;
      gateway.poll();
      clock.after(2000, tick);
    };
    clock.after(index * skewMs, tick);
  });
  for (const { name, value, afterMs } of history) {
    await clock.advance(afterMs);
    if (value === null) store.delete(name);
    else store.set(name, value);
  }
  await clock.advance(SETTLE_MS);
  const writes = gateways.map(({ writes }) => writes.length);
  const before = gateways.map((gateway) => gateway.layout());
  await clock.advance(SETTLE_MS);
  stopped = true;
  assert.deepEqual(
    gateways.map((gateway) => gateway.writes.length),
    writes,
    'no write after agreement',
  );
  assert.deepEqual(
    gateways.map((gateway) => gateway.layout()),
    before,
    'nothing moves after agreement',
  );
  return { gateways, store } satisfies Run;
}

const skewArb = fc.integer({ min: 0, max: 1999 });
const agree = ([one, other]: readonly Gateway[]): void => assert.deepEqual(one?.layout(), other?.layout());

describe('two gateways over one cluster', () => {
  test('that see an edit before the next one choose the same ports, and each change is written once by each at most', async () => {
    await fc.assert(
      fc.asyncProperty(edits(fc.constant(9_000)), skewArb, async (history, skewMs) => {
        const { gateways } = await run(history, skewMs, () => true);
        agree(gateways);
        for (const { writes } of gateways) assert.ok(writes.length <= history.length);
      }),
      { numRuns: 60 },
    );
  });

  test('that start on a full cluster at different times choose the same ports', async () => {
    const valuesArb = fc.array(fc.constantFrom('443', '80 443', '80:2003', '53 80'), {
      minLength: NAMES.length,
      maxLength: NAMES.length,
    });
    await fc.assert(
      fc.asyncProperty(valuesArb, skewArb, async (values, skewMs) => {
        const history = values.map((value, index) => ({ name: NAMES[index] ?? '', value, afterMs: 0 }));
        const { gateways, store } = await run(history, skewMs, () => true);
        agree(gateways);
        for (const value of store.values()) assert.match(value, /^\d+:\d+( \d+:\d+)?$/, 'all is written');
      }),
      { numRuns: 60 },
    );
  });

  test('of which each serves half never give one port to two services', async () => {
    await fc.assert(
      fc.asyncProperty(edits(fc.constant(9_000)), skewArb, async (history, skewMs) => {
        const half = (name: string, gateway: number): boolean => NAMES.indexOf(name) % 2 === gateway;
        const { store, gateways } = await run(history, skewMs, half);
        const ports = [...store].flatMap(([, value]) =>
          [...value.matchAll(/:(\d+)/g)].map(([, port]) => Number(port)).filter((port) => port !== 2003),
        );
        assert.equal(new Set(ports).size, ports.length);
        gateways.forEach(({ writes }, index) => {
          for (const name of writes) assert.ok(half(name, index), 'only a gateway that serves it writes');
        });
      }),
      { numRuns: 60 },
    );
  });
});
