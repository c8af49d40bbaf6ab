import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../../support/app-rig.js';

describe('a request whose answer was lost, and which acted', () => {
  test('an allocated port is written back all the same, and the lag of the change is its own', async () => {
    const rig = await openApp({ given: { listen: '127.0.0.1:0' } });
    rig.balancer.fail('POST', 'timeout', { acts: true });
    rig.put('web', '80/tcp');
    await rig.advance(20_000);
    const bind = rig.served()['_80._tcp.web.root.svc'];
    assert.deepEqual(rig.written, [`web: 80/tcp-${bind}`]);
    assert.equal(await rig.metric('gobtw_janitor_lag_seconds_count'), 1);
    const created = 'gobtw_janitor_changes_total{kind="create",reason="new",result="applied"}';
    assert.equal(await rig.metric(created), 1);
    await rig.stop();
  });
});
