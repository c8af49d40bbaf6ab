import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { placeAlone, type PlaceRequest } from '../../../src/ports/pool.js';
import { type Compute, createInlineCompute } from '../../../src/worker/compute.js';
import { type AppRig, openApp } from '../../support/app-rig.js';

const services = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Every port is placed elsewhere, and the answer takes a while. */
function elsewhere(answer: (request: PlaceRequest) => Int32Array) {
  const asked: number[] = [];
  const compute: Compute = {
    ...createInlineCompute(),
    wide: {
      atLeast: 1,
      async place(request) {
        asked.push(request.hashes.length);
        const ports = answer(request);
        await setImmediate();
        return ports;
      },
    },
  };
  return { compute, asked };
}

const given = { 'port-range': '5000-5011' };
const prepare = (rig: AppRig): void => services.forEach((each) => rig.put(each, '80/tcp 443/tcp'));

async function servedBy(compute: Compute): Promise<Readonly<Record<string, string>>> {
  const rig = await openApp({ given, prepare, compute });
  await rig.advance(8000);
  const served = rig.served();
  await rig.stop();
  return served;
}

describe('ports that are placed on other threads', () => {
  test('are those that this thread chooses, for all services at once', async () => {
    const { compute, asked } = elsewhere(placeAlone);
    const expected = await servedBy(createInlineCompute());
    assert.equal(Object.keys(expected).length, 12);
    assert.deepEqual(await servedBy(compute), expected);
    assert.deepEqual(asked, [12]);
  });

  test('are chosen here when those threads are lost', async () => {
    const { compute, asked } = elsewhere(() => {
      throw new Error('the thread is gone');
    });
    assert.deepEqual(await servedBy(compute), await servedBy(createInlineCompute()));
    assert.equal(asked[0], 12);
  });
});
