import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '../../../src/clock.js';
import { type AppRig, openApp } from '../../support/app-rig.js';

const name = '_80._tcp.web.root.svc';

/** From now on the next DELETE takes 500 ms, in which `meanwhile` happens. */
function slowDelete(rig: AppRig, meanwhile: () => void): void {
  const remove = rig.balancer.remove.bind(rig.balancer);
  rig.balancer.remove = async (...args) => {
    rig.balancer.remove = remove;
    meanwhile();
    await sleep(rig.clock, 500);
    return remove(...args);
  };
}

describe('an edit that is taken back while its DELETE is under way', () => {
  for (const [edit, bind] of [
    ['another port', '80/tcp-:8081'],
    ['another address', '80/tcp-127.0.0.1:8080'],
    ['no port at all', ''],
    ['another word', '81/tcp-:8080'],
  ] as const) {
    test(`${edit}: the listener comes back at once`, async () => {
      const rig = await openApp();
      rig.put('web', '80/tcp-:8080');
      await rig.advance(20_000);
      assert.deepEqual(rig.served(), { [name]: '0.0.0.0:8080' });
      slowDelete(rig, () => rig.put('web', '80/tcp-:8080'));
      rig.put('web', bind);
      await rig.advance(3000);
      assert.deepEqual(rig.served(), { [name]: '0.0.0.0:8080' });
      assert.deepEqual(rig.problems(), []);
      await rig.stop();
    });
  }

  test('also when the janitor is told to stop meanwhile', async () => {
    const rig = await openApp();
    rig.put('web', '80/tcp-:8080');
    await rig.advance(20_000);
    let stopped: Promise<void> | undefined;
    slowDelete(rig, () => {
      rig.put('web', '80/tcp-:8080');
      rig.clock.after(300, () => {
        stopped = rig.stop();
      });
    });
    rig.put('web', '80/tcp-:8081');
    await rig.advance(12_000);
    await stopped;
    assert.deepEqual(rig.served(), { [name]: '0.0.0.0:8080' });
  });
});
