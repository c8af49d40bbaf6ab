/** Forwarding of tcp and tls, the same tests for the stand-in and for the binary named by GOBETWEEN_BIN. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type Lab, createAgreement, createClient, createLab, eventually } from '../support/gobetween-lab.js';
import { takePorts } from '../support/gobetween-ports.js';
import { targets } from '../support/gobetween-target.js';

const CERTIFICATES = fileURLToPath(new URL('../../../test/fixtures/gobetween/tls/', import.meta.url));
const [CERT, KEY] = [`${CERTIFICATES}c.pem`, `${CERTIFICATES}k.pem`];
const ports = await takePorts();
const agreed = createAgreement();
after(() => ports.release());

const fixed = (...list: string[]): Record<string, unknown> => ({ kind: 'static', static_list: list });

for (const target of targets()) {
  describe(`tcp through the ${target.name}`, { concurrency: true }, () => {
    let lab: Lab;
    before(async () => {
      lab = await createLab(target, ports);
    });
    after(() => lab.close());

    /** Two backends behind one server with static discovery; resolves when the backends are known. */
    async function pair(
      name: string,
      options: Record<string, unknown>,
      ...extras: string[]
    ): Promise<number> {
      const backends = [await lab.tcpBackend(`${name}-a`), await lab.tcpBackend(`${name}-b`)];
      backends.sort((one, other) => one.port - other.port);
      const port = lab.nextPort();
      const list = backends.map((backend, i) => `127.0.0.1:${backend.port}${extras[i] ?? ''}`);
      await lab.post(name, { bind: `127.0.0.1:${port}`, ...options, discovery: fixed(...list) });
      assert.ok(await eventually(async () => (await lab.reach(port)) !== ''));
      return port;
    }

    test('bytes go both ways, and closing one end closes the other', async () => {
      const port = await pair('plain', {});
      const client = lab.dial(port);
      await client.until('\n');
      client.write('hello');
      assert.match(await client.until('hello'), /^plain-[ab]\nhello$/);
      assert.equal(client.ended, false);
      await lab.remove('plain');
      assert.ok((await client.whenEnded()) < 3000, 'a DELETE ends established connections');
      assert.ok(await eventually(async () => (await lab.reach(port)) === ''));
    });

    test('a connection before discovery has answered is closed', async () => {
      const port = lab.nextPort();
      await lab.post('early', { bind: `127.0.0.1:${port}`, discovery: fixed() });
      assert.equal(await lab.reach(port), '');
    });

    test('roundrobin takes turns in the order of the addresses', async () => {
      const port = await pair('turns', { balance: 'roundrobin' });
      const seen = [];
      for (let i = 0; i < 6; i++) seen.push(await lab.reach(port));
      assert.equal(new Set(seen.slice(0, 2)).size, 2);
      assert.deepEqual(seen.slice(2), [...seen.slice(0, 2), ...seen.slice(0, 2)]);
    });

    test('weight uses the lowest priority only, in proportion', async () => {
      const port = await pair(
        'lowest',
        { balance: 'weight' },
        ' weight=1 priority=1',
        ' weight=9 priority=2',
      );
      const one = await lab.reach(port);
      for (let i = 0; i < 10; i++) assert.equal(await lab.reach(port), one);
      const shared = await pair('shared', { balance: 'weight' }, ' weight=95', ' weight=5');
      const counts = new Map<string, number>();
      for (let i = 0; i < 60; i++) {
        const name = await lab.reach(shared);
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      assert.ok(Math.max(...counts.values()) >= 45, JSON.stringify([...counts]));
    });

    test('iphash and iphash1 choose by the address of the client, as the real one does', async () => {
      // The hash covers host:port, so both targets get the same backend ports.
      const list = ['a', 'b', 'c'].map((name, i) => ({ name, port: ports.port(700 + i) }));
      for (const { name, port } of list) await lab.tcpBackend(name, port);
      for (const [balance, host] of [
        ['iphash', '127.0.0.1'],
        ['iphash1', '127.0.0.1'],
        ['iphash', '0.0.0.0'],
        ['iphash1', '[::]'],
      ] as const) {
        const name = `${balance}${host}`;
        const port = lab.nextPort();
        const discovery = fixed(...list.map((backend) => `127.0.0.1:${backend.port}`));
        await lab.post(encodeURIComponent(name), { bind: `${host}:${port}`, balance, discovery });
        await eventually(async () => (await lab.reach(port)) !== '');
        const seen = [];
        for (let i = 1; i <= 12; i++) seen.push(await lab.reach(port, `127.0.0.${i}`));
        assert.deepEqual(seen, agreed(name, seen));
        assert.equal(await lab.reach(port, '127.0.0.5'), seen[4]);
      }
    });

    test('leastconn prefers the backend with fewer connections', async () => {
      const port = await pair('least', { balance: 'leastconn' });
      // The connection that found the backends may still be counted.
      await sleep(50);
      const held = lab.dial(port);
      const busy = (await held.until('\n')).trim();
      for (let i = 0; i < 4; i++) {
        assert.notEqual(await lab.reach(port), busy);
        await sleep(50);
      }
    });

    test('max_connections closes what is too much; a negative one closes all', async () => {
      const port = await pair('limited', { max_connections: 2 });
      await sleep(50);
      const held = [lab.dial(port), lab.dial(port)];
      for (const client of held) assert.notEqual(await client.until('\n'), '');
      assert.equal(await lab.reach(port), '');
      held[0]?.close();
      assert.ok(await eventually(async () => (await lab.reach(port)) !== ''));
    });

    test('access rules: the first that matches decides', async () => {
      const rules = { default: 'allow', rules: ['allow 127.0.0.9', 'deny 127.0.0.8/30'] };
      const port = await pair('guarded', { access: rules });
      assert.notEqual(await lab.reach(port, '127.0.0.9'), '');
      assert.equal(await lab.reach(port, '127.0.0.10'), '');
      assert.notEqual(await lab.reach(port, '127.0.0.12'), '');
    });

    test('proxy_protocol sends a first line', async () => {
      const backend = await lab.tcpBackend('told');
      const port = lab.nextPort();
      await lab.post('told', {
        bind: `127.0.0.1:${port}`,
        protocol: 'tcp',
        proxy_protocol: { version: '1' },
        discovery: fixed(`127.0.0.1:${backend.port}`),
      });
      await eventually(async () => (await lab.reach(port, '127.0.0.7')) !== '');
      assert.match(
        backend.received,
        new RegExp(`^PROXY TCP4 127\\.0\\.0\\.7 127\\.0\\.0\\.1 \\d+ ${port}\r\n`),
      );
    });

    test('idle time-outs close, and bytes put them off', async () => {
      const port = await pair('sleepy', { client_idle_timeout: '400ms' });
      const client = lab.dial(port);
      await client.until('\n');
      await sleep(250);
      client.write('x');
      const after = await client.whenEnded();
      assert.ok(after > 550 && after < 1500, `closed after ${after} ms`);
      const silent = await pair('silent', { backend_idle_timeout: '300ms' });
      const quiet = await lab.dial(silent).whenEnded();
      assert.ok(quiet > 250 && quiet < 1300, `closed after ${quiet} ms`);
    });

    test('a backend that refuses is counted, and the client is closed', async () => {
      const port = lab.nextPort();
      await lab.post('refusing', { bind: `127.0.0.1:${port}`, discovery: fixed('127.0.0.1:20999') });
      await sleep(50);
      assert.equal(await lab.reach(port), '');
      const counted = async (): Promise<boolean> =>
        (await lab.stats('refusing')).backends[0]?.stats['refused_connections'] === 1;
      assert.ok(await eventually(counted));
    });

    test('ping checks: a dead backend is left, and taken again', async () => {
      const healthcheck = { kind: 'ping', interval: '200ms', timeout: '100ms', fails: 2, passes: 1 };
      const dying = await lab.tcpBackend('dying');
      const living = await lab.tcpBackend('living');
      const port = lab.nextPort();
      const discovery = fixed(`127.0.0.1:${dying.port} priority=1`, `127.0.0.1:${living.port} priority=2`);
      await lab.post('pinged', { bind: `127.0.0.1:${port}`, healthcheck, discovery });
      assert.ok(await eventually(async () => (await lab.reach(port)) === 'dying'));
      await dying.close();
      assert.ok(await eventually(async () => (await lab.reach(port)) === 'living'));
      await lab.tcpBackend('back', dying.port);
      assert.ok(await eventually(async () => (await lab.reach(port)) === 'back'));
    });

    test('a backend that starts unhealthy waits for its first pass', async () => {
      const port = lab.nextPort();
      const backend = await lab.tcpBackend('checked');
      await lab.post('unproven', {
        bind: `127.0.0.1:${port}`,
        healthcheck: { kind: 'ping', interval: '300ms', passes: 3, initial_status: 'unhealthy' },
        discovery: fixed(`127.0.0.1:${backend.port}`),
      });
      await sleep(100);
      assert.equal(await lab.reach(port), '');
      assert.ok(await eventually(async () => (await lab.reach(port)) === 'checked'));
    });

    test('probe checks compare the answer', async () => {
      const healthcheck = {
        kind: 'probe',
        interval: '200ms',
        timeout: '500ms',
        probe_protocol: 'tcp',
        probe_send: 'x\\n',
        initial_status: 'unhealthy',
      };
      const backend = await lab.tcpBackend('probed');
      const [good, bad] = [lab.nextPort(), lab.nextPort()];
      const discovery = fixed(`127.0.0.1:${backend.port}`);
      await lab.post('good', {
        bind: `127.0.0.1:${good}`,
        discovery,
        healthcheck: { ...healthcheck, probe_recv: 'probed\\n' },
      });
      await lab.post('bad', {
        bind: `127.0.0.1:${bad}`,
        discovery,
        healthcheck: { ...healthcheck, probe_strategy: 'regexp', probe_recv: '^\\d+$', probe_recv_len: 3 },
      });
      assert.ok(await eventually(async () => (await lab.reach(good)) === 'probed'));
      assert.equal(await lab.reach(bad), '');
    });

    test('tls is terminated, on tcp servers too, and backends_tls calls with tls', async () => {
      const secure = createTlsServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, (socket) => {
        socket.on('error', () => undefined);
        socket.end('secret\n');
      });
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
      const { port: secretPort } = secure.address() as AddressInfo;
      const tls = { cert_path: CERT, key_path: KEY };
      const port = await pair('both', {});
      const behind = Number((await lab.stats('both')).backends[0]?.port ?? 0) || port;
      for (const protocol of ['tls', 'tcp']) {
        const front = lab.nextPort();
        await lab.post(`front-${protocol}`, {
          bind: `127.0.0.1:${front}`,
          protocol,
          tls,
          discovery: fixed(`127.0.0.1:${behind}`),
        });
        const reached = await eventually(async () => {
          const client = createClient(
            connectTls({ port: front, host: '127.0.0.1', rejectUnauthorized: false }),
          );
          const text = await client.until('\n');
          client.close();
          return /^both-[ab]\n$/.test(text);
        });
        assert.ok(reached, protocol);
      }
      for (const [options, expected] of [
        [{ ignore_verify: true }, 'secret'],
        [{}, ''],
      ] as const) {
        const front = lab.nextPort();
        const name = `calling${expected}`;
        await lab.post(name, {
          bind: `127.0.0.1:${front}`,
          backends_tls: options,
          discovery: fixed(`127.0.0.1:${secretPort}`),
        });
        await sleep(50);
        assert.equal(await lab.reach(front), expected);
      }
      secure.close();
    });

    test('sni chooses the backend by the host name of the hello', async () => {
      const port = lab.nextPort();
      const seen: string[] = [];
      const list = [];
      const servers = [];
      for (const name of ['a.example', 'b.example']) {
        const server = createServer((socket) => {
          socket.once('data', () => seen.push(name));
          socket.on('error', () => undefined);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        servers.push(server);
        list.push(`127.0.0.1:${(server.address() as AddressInfo).port} sni=${name}`);
      }
      const sni = { unexpected_hostname_strategy: 'reject', read_timeout: '200ms' };
      await lab.post('named', { bind: `127.0.0.1:${port}`, sni, discovery: fixed(...list) });
      await sleep(50);
      for (const servername of ['b.example', 'a.example', 'B.EXAMPLE', 'c.example']) {
        const before = seen.length;
        const socket = connectTls({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
        const client = createClient(socket);
        await eventually(() => seen.length > before || client.ended, 1000);
        client.close();
      }
      assert.deepEqual(seen, ['b.example', 'a.example', 'b.example']);
      const mute = lab.dial(port);
      assert.ok((await mute.whenEnded()) < 1500, 'a client that says nothing is closed after read_timeout');
      for (const server of servers) server.close();
    });
  });
}
