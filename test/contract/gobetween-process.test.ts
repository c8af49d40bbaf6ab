/** The stand-in as a process, which only it can show: death, restart, hanging, races, lags. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SimGoBetween, startGoBetween } from '../../src/sim/gobetween/gobetween.js';
import { send } from '../support/gobetween-http.js';
import { type TcpBackend, createClient, createTcpBackend, eventually } from '../support/gobetween-lab.js';
import { takePorts } from '../support/gobetween-ports.js';

const ports = await takePorts();
after(() => ports.release());

describe('the stand-in as a process', { concurrency: true }, () => {
  let backend: TcpBackend;
  const started: SimGoBetween[] = [];
  const start = async (...args: Parameters<typeof startGoBetween>): Promise<SimGoBetween> => {
    const sim = await startGoBetween(...args);
    started.push(sim);
    return sim;
  };
  before(async () => {
    backend = await createTcpBackend('b', 0);
  });
  after(async () => {
    for (const sim of started) await sim.exit();
    await backend.close();
  });
  let next = 500;
  const body = (options: Record<string, unknown> = {}): { readonly port: number; readonly text: string } => {
    const port = ports.port(next++);
    const discovery = { kind: 'static', static_list: [`127.0.0.1:${backend.port}`] };
    return { port, text: JSON.stringify({ bind: `127.0.0.1:${port}`, discovery, ...options }) };
  };
  const post = (sim: SimGoBetween, name: string, text: string): ReturnType<typeof send> =>
    send(sim.url, { method: 'POST', path: `/servers/${name}`, body: text });
  const list = async (sim: SimGoBetween): Promise<string> => {
    const answer = await send(sim.url, { method: 'GET', path: '/servers' });
    return answer.closed ? 'closed' : answer.text;
  };

  test('exit closes everything at once and forgets it; start gives the same port and another pid', async () => {
    const sim = await start();
    const { url, pid } = sim;
    const codes: number[] = [];
    sim.onExit((code) => codes.push(code));
    const { port, text } = body();
    await post(sim, 'a', text);
    await sleep(50);
    const client = createClient(connect({ port, host: '127.0.0.1' }));
    assert.equal(await client.until('\n'), 'b\n');
    await sim.exit(137);
    assert.ok((await client.whenEnded(500)) < 3000);
    assert.deepEqual([sim.alive, codes, await list(sim)], [false, [137], 'closed']);
    await sim.start();
    assert.deepEqual([sim.alive, sim.url, await list(sim)], [true, url, '{}']);
    assert.notEqual(sim.pid, pid);
    assert.deepEqual([sim.count('POST'), sim.requests.at(0)?.name], [1, 'a']);
  });

  test('while it hangs nothing is answered; on resume everything acts, even for clients that left', async () => {
    const sim = await start();
    await post(sim, 'kept', body().text);
    const { port, text } = body();
    sim.hang();
    const abandoned = new AbortController();
    const lost = fetch(`${sim.url}/servers/kept`, { method: 'DELETE', signal: abandoned.signal });
    await sleep(1000); // it has been sent, also from a busy machine
    abandoned.abort();
    await assert.rejects(lost);
    const waiting = post(sim, 'late', text);
    assert.equal(await Promise.race([waiting, sleep(200, 'silence')]), 'silence');
    sim.resume();
    assert.equal((await waiting).closed, false);
    const names = async (): Promise<string> => Object.keys(JSON.parse(await list(sim)) as object).join();
    assert.ok(await eventually(async () => (await names()) === 'late'), await names());
    assert.ok(await eventually(async () => (await reach(port)) === 'b'));
  });

  test('a hung process moves no bytes, and loses none', async () => {
    const sim = await start();
    const { port, text } = body();
    await post(sim, 'a', text);
    await sleep(50);
    const client = createClient(connect({ port, host: '127.0.0.1' }));
    await client.until('\n');
    sim.hang();
    client.write('ping');
    await sleep(100);
    assert.equal(client.text, 'b\n');
    sim.resume();
    assert.equal(await client.until('ping'), 'b\nping');
    client.close();
  });

  test('with races on, deleting a busy server or a young udp server ends the process', async () => {
    const sim = await start({ races: true });
    await post(sim, 'idle', body().text);
    await send(sim.url, { method: 'DELETE', path: '/servers/idle' });
    assert.equal(sim.alive, true);
    await post(sim, 'young', body({ protocol: 'udp', client_idle_timeout: '1s' }).text);
    const answer = await send(sim.url, { method: 'DELETE', path: '/servers/young' });
    assert.deepEqual([sim.alive, answer.closed], [false, true]);
  });

  test('a listener may outlive the answer to its DELETE by milliseconds', async () => {
    const sim = await start({ closeLagMs: () => 60 });
    const { text } = body();
    await post(sim, 'a', text);
    await send(sim.url, { method: 'DELETE', path: '/servers/a' });
    const early = await post(sim, 'b', text);
    assert.ok(!early.closed && early.status === 409 && early.text.includes('address already in use'));
    const retried = async (): Promise<boolean> => {
      const answer = await post(sim, 'b', text);
      return !answer.closed && answer.status === 200;
    };
    assert.ok(await eventually(retried));
  });

  test('of many POSTs of one name exactly one wins', async () => {
    const sim = await start();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(sim, 'same', body().text)));
    const statuses = answers.map((answer) => (answer.closed ? 0 : answer.status));
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.equal(statuses.filter((status) => status === 409).length, 19);
  });

  async function reach(port: number): Promise<string> {
    const client = createClient(connect({ port, host: '127.0.0.1' }));
    const text = await client.until('\n');
    client.close();
    return text.trim();
  }
});
