import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createChooser, createRings, homeHash } from '../../../src/ports/probe.js';
import { keyOf } from '../../support/claims.js';

const home = { key: keyOf('web'), label: 443, proto: 'tcp' as const };

describe('rings', () => {
  test('the default range has 36,280 ports outside the ephemeral ones', () => {
    const { preferred, last } = createRings({ from: 1024, to: 65535 });
    assert.equal(preferred.length, 36_280);
    assert.equal(last.length, 28_232);
    assert.ok(!preferred.includes(32768) && !preferred.includes(60999));
    assert.ok(preferred.includes(32767) && preferred.includes(61000) && preferred.includes(65535));
  });
  test('a range of one port, inside or outside the ephemeral ones', () => {
    assert.deepEqual([...createRings({ from: 40000, to: 40000 }).last], [40000]);
    assert.deepEqual([...createRings({ from: 40000, to: 40000 }).preferred], []);
    assert.equal(
      createChooser(createRings({ from: 40000, to: 40000 })).choose(home, () => true),
      40000,
    );
  });
});

describe('the choice', () => {
  test('is the same on every gateway and in every version: a change here moves ports', () => {
    assert.equal(homeHash(home), homeHash({ ...home }));
    const chooser = createChooser(createRings({ from: 1024, to: 65535 }));
    const chosen = ['web', 'app', 'db'].map((name) =>
      chooser.choose({ ...home, key: keyOf(name) }, () => true),
    );
    assert.deepEqual(chosen, PINNED);
  });
  test('depends on key, label and protocol', () => {
    const hashes = [
      home,
      { ...home, key: keyOf('web2') },
      { ...home, label: 80 },
      { ...home, proto: 'udp' as const },
    ].map(homeHash);
    assert.equal(new Set(hashes).size, 4);
  });
  test('spreads homes: 10,000 services collide about as often as chance has it', () => {
    const { preferred } = createRings({ from: 1024, to: 65535 });
    const homes = new Set<number>();
    for (let n = 0; n < 10_000; n++)
      homes.add(homeHash({ ...home, key: keyOf(`svc${n}`) }) % preferred.length);
    // Expected: 36280 * (1 - e^(-10000/36280)) = 8741 different homes.
    assert.ok(homes.size > 8_600 && homes.size < 8_900, `${homes.size}`);
  });
  test('walks on from an occupied home, around the end of the ring', () => {
    const rings = createRings({ from: 2000, to: 2003 });
    const first = createChooser(rings).choose(home, () => true) ?? 0;
    const taken = new Set([first]);
    const order = [first];
    for (let n = 0; n < 3; n++) {
      const next = createChooser(rings).choose(home, (port) => !taken.has(port)) ?? 0;
      taken.add(next);
      order.push(next);
    }
    const offset = first - 2000;
    assert.deepEqual(
      order,
      [0, 1, 2, 3].map((step) => 2000 + ((offset + step) % 4)),
    );
    assert.equal(
      createChooser(rings).choose(home, (port) => !taken.has(port)),
      null,
    );
  });
  test('50,000 claims in the default range are placed in well under a second', () => {
    const chooser = createChooser(createRings({ from: 1024, to: 65535 }));
    const taken = new Uint8Array(65536);
    let steps = 0;
    for (let n = 0; n < 50_000; n++) {
      const port = chooser.choose({ ...home, key: keyOf(`svc${n}`) }, (candidate) => {
        steps += 1;
        return taken[candidate] === 0;
      });
      assert.ok(port !== null);
      taken[port] = 1;
    }
    assert.ok(steps / 50_000 < 150, `${steps / 50_000} steps a claim`);
  });
});

/** Computed apart, from the published constants of FNV-1a and of MurmurHash3's final mix. */
const PINNED = [19642, 28323, 27514];
