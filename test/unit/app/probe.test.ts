import { test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

test('first', async () => {
  const rig = await openApp({ prepare: (r) => { r.put('web', '80/tcp-:1080 443/tcp'); r.put('db', '53/udp-:1053'); } });
  console.log(rig.served(), rig.calls(), rig.problems(), rig.written);
  await rig.advance(3000);
  console.log(rig.served(), rig.calls(), rig.problems(), rig.written, rig.bindOf('web'));
  await rig.restart();
  console.log('restart', rig.served(), rig.calls());
  rig.balancer.restart();
  await rig.advance(3000);
  console.log('gb restart', rig.served(), rig.calls());
  await rig.stop();
  console.log(rig.clock.pending);
});
