/** Forwarding of udp, the same tests for the stand-in and for the binary named by GOBETWEEN_BIN. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, type UdpPeer, createLab, createUdpPeer, eventually } from '../support/gobetween-lab.js';
import { takePorts } from '../support/gobetween-ports.js';
import { targets } from '../support/gobetween-target.js';

const ports = await takePorts();
after(() => ports.release());

for (const target of targets()) {
  describe(`udp through the ${target.name}`, { concurrency: true }, () => {
    let lab: Lab;
    const peers: UdpPeer[] = [];
    before(async () => {
      lab = await createLab(target, ports);
    });
    after(async () => {
      await lab.close();
      for (const { socket } of peers) socket.close();
    });

    const peer = async (name?: string): Promise<UdpPeer> => {
      const created = await createUdpPeer(name);
      peers.push(created);
      return created;
    };
    const serve = async (
      name: string,
      backend: UdpPeer,
      options: Record<string, unknown>,
    ): Promise<number> => {
      const port = lab.nextPort();
      await lab.post(name, {
        bind: `127.0.0.1:${port}`,
        protocol: 'udp',
        discovery: { kind: 'static', static_list: [`127.0.0.1:${backend.port}`] },
        ...options,
      });
      // A datagram before discovery is lost.
      await sleep(100);
      return port;
    };

    test('one session and one backend socket per client, and replies come back', async () => {
      const backend = await peer('u');
      const port = await serve('sessions', backend, { client_idle_timeout: '10s' });
      const [first, second] = [await peer(), await peer()];
      for (const client of [first, second, first]) client.socket.send('x', port, '127.0.0.1');
      assert.ok(await eventually(() => first.messages.length === 2 && second.messages.length === 1));
      assert.deepEqual([first.messages, second.messages], [['u:x', 'u:x'], ['u:x']]);
      assert.equal(backend.senders.size, 2);
      assert.deepEqual([...first.senders], [port], 'replies come from the server');
      assert.equal((await lab.stats('sessions')).active_connections, 2);
    });

    test('an idle session ends, and the next datagram starts another', async () => {
      const backend = await peer('i');
      const port = await serve('idle', backend, { client_idle_timeout: '200ms' });
      const client = await peer();
      client.socket.send('1', port, '127.0.0.1');
      // The ended session is forgotten at the next clean-up, every 2 s.
      await sleep(2600);
      client.socket.send('2', port, '127.0.0.1');
      assert.ok(await eventually(() => client.messages.length === 2));
      assert.equal(backend.senders.size, 2);
    });

    test('max_responses ends the session; max_requests above 1 is not enforced', async () => {
      const backend = await peer('m');
      const port = await serve('counted', backend, { udp: { max_responses: 1, max_requests: 2 } });
      const client = await peer();
      for (let i = 1; i <= 3; i++) {
        // A session that replaces one just ended may be closed in its place, so the datagram is sent again.
        const again = async (): Promise<boolean> => {
          if (client.messages.length >= i) return true;
          client.socket.send(String(i), port, '127.0.0.1');
          await sleep(60);
          return client.messages.length >= i;
        };
        assert.ok(await eventually(again, 4000));
      }
      assert.ok(backend.senders.size >= 3, 'each reply ended its session');
      const requests = await peer('r');
      const open = await serve('requests', requests, { udp: { max_requests: 2 } });
      for (let i = 1; i <= 4; i++) client.socket.send('q', open, '127.0.0.1');
      assert.ok(await eventually(() => requests.messages.length === 4));
      assert.equal(requests.senders.size, 1);
    });

    test('max_requests 1 sends and forgets: no replies, one socket for all', async () => {
      const backend = await peer('f');
      const port = await serve('forget', backend, { udp: { max_requests: 1 } });
      const [first, second] = [await peer(), await peer()];
      for (const client of [first, second, first]) client.socket.send('x', port, '127.0.0.1');
      assert.ok(await eventually(() => backend.messages.length === 3));
      await sleep(100);
      assert.deepEqual([first.messages, second.messages, backend.senders.size], [[], [], 1]);
    });

    test('access rules drop datagrams', async () => {
      const backend = await peer('a');
      const port = await serve('denied', backend, { client_idle_timeout: '1s', access: { default: 'deny' } });
      const client = await peer();
      client.socket.send('x', port, '127.0.0.1');
      await sleep(150);
      assert.deepEqual(backend.messages, []);
    });

    test('a DELETE closes the socket, and the name and the port can be had again', async () => {
      const backend = await peer('d');
      const port = await serve('again', backend, { client_idle_timeout: '1s' });
      await sleep(300);
      await lab.remove('again');
      const posted = async (): Promise<boolean> => {
        try {
          await lab.post('again', {
            bind: `127.0.0.1:${port}`,
            protocol: 'udp',
            client_idle_timeout: '1s',
            discovery: { kind: 'static', static_list: [`127.0.0.1:${backend.port}`] },
          });
          return true;
        } catch {
          return false;
        }
      };
      assert.ok(await eventually(posted));
      await sleep(400);
    });
  });
}
