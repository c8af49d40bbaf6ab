import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ClaimJob,
  claimShare,
  type PlaceRequest,
  placeAlone,
  placeShared,
} from '../../../src/ports/pool.js';
import { createRings } from '../../../src/ports/probe.js';
import { slotId } from '../../../src/ports/slots.js';

function requestOf(hashes: readonly number[], rest: Partial<PlaceRequest> = {}): PlaceRequest {
  return {
    rings: createRings({ from: 2000, to: 2003 }),
    hashes: Uint32Array.from(hashes),
    udp: new Uint8Array(hashes.length),
    taken: [],
    ...rest,
  };
}

const here = async (jobs: readonly ClaimJob[]): Promise<void> => void jobs.forEach(claimShare);

describe('a placement', () => {
  test('starts at home, walks on when it is taken, and around the end of the range', () => {
    assert.deepEqual([...placeAlone(requestOf([3, 3, 0]))], [2003, 2000, 2001]);
  });

  test('leaves the ephemeral ports for those who find nothing else', () => {
    const rings = createRings({ from: 32766, to: 32769 });
    assert.deepEqual([...placeAlone(requestOf([1, 1, 1, 1], { rings }))], [32767, 32766, 32769, 32768]);
  });

  test('tells those for whom nothing is left', () => {
    assert.deepEqual([...placeAlone(requestOf([0, 0, 0, 0, 0, 1]))], [2000, 2001, 2002, 2003, 0, 0]);
  });

  test('keeps protocols apart', () => {
    const request = requestOf([0, 0, 0], { udp: Uint8Array.of(0, 1, 1), taken: [slotId('udp', 2000)] });
    assert.deepEqual([...placeAlone(request)], [2000, 2001, 2002]);
  });

  test('counts a taken port once, and none that is outside of the range', () => {
    const ports = [2001, 2001, 1999, 2004, 40000];
    const taken = ports.map((port) => slotId('tcp', port));
    assert.deepEqual([...placeAlone(requestOf([0, 0, 0, 0], { taken }))], [2000, 2002, 2003, 0]);
  });

  test('with more shares than claims runs no empty ones, and none at all when no port is left', async () => {
    let runs = 0;
    const counted = (jobs: readonly ClaimJob[]): Promise<void> => {
      runs += jobs.length;
      return here(jobs);
    };
    assert.deepEqual([...(await placeShared(requestOf([0, 0]), counted, 4))], [2000, 2001]);
    assert.equal(runs, 2);
    const taken = [2000, 2001, 2002, 2003].map((port) => slotId('tcp', port));
    assert.deepEqual([...(await placeShared(requestOf([0, 1], { taken }), counted, 4))], [0, 0]);
    assert.equal(runs, 2);
  });

  test('hands out shared memory and numbers, nothing else', async () => {
    await placeShared(
      requestOf([0, 1, 2]),
      (jobs) => {
        for (const value of jobs.flatMap((job) => Object.values(job) as unknown[])) {
          assert.ok(typeof value === 'number' || value instanceof SharedArrayBuffer);
        }
        return here(jobs);
      },
      2,
    );
  });

  test('fails when the shares fail, and when one was not done', async () => {
    const crash = (): Promise<void> => Promise.reject(new Error('crash'));
    await assert.rejects(placeShared(requestOf([0, 1, 2]), crash, 2), /crash/);
    const half = (jobs: readonly ClaimJob[]): Promise<void> => here(jobs.slice(1));
    await assert.rejects(placeShared(requestOf([0, 1, 2]), half, 2), /2 claims got lost/);
  });
});
