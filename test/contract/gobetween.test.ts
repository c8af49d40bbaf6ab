/**
 * Replays every recorded exchange with the real GoBetween: always against the stand-in, and against the binary named
 * by GOBETWEEN_BIN. A case that this machine cannot reproduce is skipped by name, visibly.
 */
import assert from 'node:assert/strict';
import { type Socket, createSocket } from 'node:dgram';
import { type Server, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from '../support/gobetween-http.js';
import { type PortRange, takePorts, tryListen } from '../support/gobetween-ports.js';
import { type RecordedCase, assertSame, readRecordings, requestOf } from '../support/gobetween-recordings.js';
import { type Target, targets } from '../support/gobetween-target.js';

const ports = await takePorts();
const files = readRecordings(ports);

test('there are 12 files with 611 requests and 10 actions', () => {
  const cases = files.flatMap((file) => file.cases);
  assert.equal(files.length, 12);
  assert.deepEqual(
    [cases.filter((c) => c.request !== undefined).length, cases.filter((c) => c.action !== undefined).length],
    [611, 10],
  );
});

for (const target of targets()) {
  describe(`recordings against the ${target.name}`, () => {
    let others: Others;
    before(async () => {
      others = await holdOtherPorts(ports);
    });
    after(() => others.close());

    for (const file of files) {
      test(file.name, async (t) => {
        const skipped = await impossibleHere(file.cases);
        for (const name of skipped) console.log(`# SKIPPED on this machine: ${file.name} "${name}"`);
        t.diagnostic(`${file.cases.length - skipped.length} of ${file.cases.length} cases replayed`);
        const running = await target.start(file.config);
        try {
          for (const recorded of file.cases) {
            if (!skipped.includes(recorded.name)) await replay(running, without(skipped, recorded));
          }
        } finally {
          await running.stop();
        }
      });
    }
  });
}

after(() => ports.release());

async function replay(target: Target, recorded: RecordedCase): Promise<void> {
  // After a lethal case the recorder waited for the new process; `restart` does.
  const wait = recorded.name.endsWith('list 1s later') ? 0 : (recorded.delayMsBefore ?? 0);
  if (wait > 0) await sleep(wait);
  if (recorded.action === 'restart') return target.restart();
  if (recorded.action !== undefined) {
    for (const name of ['keeper', 'lethal'])
      await send(target.url, { method: 'DELETE', path: `/servers/${name}` });
    return;
  }
  const { request, response } = recorded;
  assert.ok(request !== undefined && response !== undefined, `${recorded.name}: a request and its answer`);
  const plain = recorded.name === 'plain http to https port';
  const answer = await send(plain ? target.url.replace('https:', 'http:') : target.url, requestOf(request));
  try {
    if (recorded.nondeterministicReply === true) {
      if (!answer.closed)
        assertSame(answer, { ...response, status: 200, headers: JSON_HEADERS, connectionClosed: false }, '');
      assert.equal(await target.exited(3000), response.exitCode, 'the exit code of the process');
      await target.restart();
    } else {
      assertSame(answer, response, request.method);
    }
  } catch (error) {
    if (error instanceof Error) error.message = `"${recorded.name}": ${error.message}`;
    throw error;
  }
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };

/** Cases that depend on the machine: well-known ports, privileges, IPv6. */
async function impossibleHere(cases: readonly RecordedCase[]): Promise<readonly string[]> {
  const named = (...parts: string[]): string[] =>
    cases.map(({ name }) => name).filter((name) => parts.some((part) => name.startsWith(part)));
  const skipped: string[] = [];
  if (!(await isFree(8080))) skipped.push(...named('port name http-alt'));
  if (!(await isFree(879))) skipped.push(...named('bind privileged as root'));
  const ipv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  );
  if (!ipv6) skipped.push(...named('bind ipv6:'));
  return skipped;
}

async function isFree(port: number): Promise<boolean> {
  const listener = await tryListen(port);
  if (listener !== null) await new Promise((resolve) => listener.close(resolve));
  return listener !== null;
}

/** The list at the end shows a skipped server, too: take it out. */
function without(skipped: readonly string[], recorded: RecordedCase): RecordedCase {
  const { response } = recorded;
  if (!skipped.includes('port name http-alt') || recorded.name !== 'list' || response === undefined)
    return recorded;
  const body = { ...(response.body as Record<string, unknown>) };
  delete body['bad_port_name_http-alt'];
  return { ...recorded, response: { ...response, body } };
}

interface Others {
  close(): Promise<void>;
}

/** The recorder held these two: "port used by other process". */
async function holdOtherPorts(range: PortRange): Promise<Others> {
  const tcp: Server = createServer().listen(range.port(900), '127.0.0.1');
  const udp: Socket = createSocket('udp4').bind(range.port(901), '127.0.0.1');
  await Promise.all([tcp, udp].map((one) => new Promise((resolve) => one.once('listening', resolve))));
  return {
    async close() {
      await Promise.all([
        new Promise((resolve) => tcp.close(resolve)),
        new Promise<void>((resolve) => udp.close(() => resolve())),
      ]);
    },
  };
}
