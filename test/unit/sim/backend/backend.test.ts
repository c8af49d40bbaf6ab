/** Backends that say who they are, alone and following a simulated cluster. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, test } from 'node:test';
import { startBackend } from '../../../../src/sim/backend/backend.js';
import { followCluster } from '../../../../src/sim/backend/follow-cluster.js';
import { createCluster } from '../../../../src/sim/cluster/cluster.js';

function echo(address: string, port: number, text: string): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('message', (message) => {
      socket.close();
      resolve(JSON.parse(message.toString()));
    });
    socket.send(text, port, address);
  });
}

describe('a backend', () => {
  test('says who it is over HTTP, several times on one connection', async (t) => {
    const backend = await startBackend({
      address: '127.77.0.1',
      port: 0,
      proto: 'tcp',
      name: 'web',
      instance: 'web@n1',
    });
    t.after(() => backend.stop());
    for (let round = 0; round < 2; round += 1) {
      const answer = await fetch(`http://127.77.0.1:${backend.identity.port}/`);
      assert.deepEqual(await answer.json(), backend.identity);
      assert.equal(answer.headers.get('x-served-by'), 'web@n1');
    }
    assert.equal(backend.served(), 2);
  });

  test('says who it is to each datagram', async (t) => {
    const backend = await startBackend({ address: '127.77.0.1', port: 0, proto: 'udp', name: 'dns' });
    t.after(() => backend.stop());
    const { identity } = backend;
    assert.deepEqual(await echo(identity.address, identity.port, 'hello'), { ...identity, echo: 'hello' });
    assert.equal(identity.instance, 'dns');
  });

  test('rejects when its port is taken', async (t) => {
    const first = await startBackend({ address: '127.77.0.1', port: 0, proto: 'tcp', name: 'a' });
    t.after(() => first.stop());
    const { address, port } = first.identity;
    await assert.rejects(startBackend({ address, port, proto: 'tcp', name: 'b' }), /EADDRINUSE/);
  });
});

describe('following a cluster', () => {
  test('runs one for each exposed address and port, through scaling, stops and deletions', async (t) => {
    const cluster = createCluster({ name: 'clu1', nodes: ['n1'], dns: [], firstAddress: '127.78.0.1' });
    const followed = followCluster(cluster);
    t.after(() => followed.stop());
    const text =
      '[ip#0]\ntype = cni\nexpose = 7080/tcp 7353/udp 80/tcp\n\n[env]\nigw_gobtw_bind = 7080/tcp\n';
    cluster.create('web', text);
    await followed.settled();
    assert.deepEqual([...followed.running().keys()], ['tcp 127.78.0.1:7080', 'udp 127.78.0.1:7353']);
    assert.deepEqual(followed.skipped(), [{ endpoint: 'tcp 127.78.0.1:80', reason: 'privileged port' }]);

    cluster.scale('web', 3);
    await followed.settled();
    assert.equal(followed.running().size, 6);
    const identities = [...followed.running().values()].map(({ identity }) => identity);
    assert.deepEqual(new Set(identities.map(({ service }) => service)), new Set(['web']));
    assert.deepEqual(
      new Set(identities.map(({ instance }) => instance)),
      new Set(['0.web@n1', '1.web@n1', '2.web@n1']),
    );

    cluster.setUp('1.web', false);
    await followed.settled();
    assert.equal(followed.running().size, 4);
    cluster.delete('web', { announced: true });
    await followed.settled();
    assert.equal(followed.running().size, 0);
  });

  test('an address that is not of this machine is skipped and named', async (t) => {
    const cluster = createCluster({ name: 'clu1', nodes: ['n1'], dns: [] });
    cluster.create('web', '[ip#0]\nipname = 203.0.113.9\nexpose = 7080/tcp\n');
    const followed = followCluster(cluster);
    t.after(() => followed.stop());
    await followed.settled();
    assert.equal(followed.running().size, 0);
    assert.match(followed.skipped()[0]?.reason ?? '', /EADDRNOTAVAIL/);
  });
});
