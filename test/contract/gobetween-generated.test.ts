/**
 * The same generated requests to the stand-in and to the real GoBetween: the same answers, to the byte. Runs only with
 * GOBETWEEN_BIN; GENERATED is the number of sequences, SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { arbitraryBody } from '../support/gobetween-bodies.js';
import { type RawAnswer, send } from '../support/gobetween-http.js';
import { type PortRange, takePorts } from '../support/gobetween-ports.js';
import { STAND_IN, type Target, realTarget } from '../support/gobetween-target.js';

const TLS = fileURLToPath(new URL('../../../test/fixtures/gobetween/tls/', import.meta.url));
const SEQUENCES = Number(process.env['GENERATED'] ?? 2000);
const SEED = Number(process.env['SEED'] ?? 20260101);
const NAMES = ['a', '_80._tcp.web.root.svc', 'c d', '%', '\u00e9<', 'x/y', '..'] as const;
/** In the numbering of the recordings; each side has its own thousand. */
const PORTS = [21001, 21002, 21003, 21004];
/** A younger udp server may kill the real program when it is deleted. */
const UDP_SETTLE_MS = 350;
const PORT_TRIES = 20;
const PORT_PAUSE_MS = 10;

type Step =
  | { readonly kind: 'post'; readonly name: string; readonly body: string }
  | { readonly kind: 'get' | 'delete' | 'list'; readonly name: string };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('post' as const), name, body: arbitraryBody(TLS, PORTS) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('get' as const, 'delete' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), name }) },
);

const real = realTarget();

describe('generated requests', { skip: real === null ? 'GOBETWEEN_BIN is not set' : false }, () => {
  const sides: { readonly target: Target; readonly ports: PortRange }[] = [];
  let udp = new Set<string>();
  const counts = { requests: 0, created: 0, refused: 0, malformed: 0, closed: 0, retried: 0 };

  before(async () => {
    for (const side of [STAND_IN, real]) {
      if (side === null) continue;
      const ports = await takePorts();
      const bind = `127.0.0.1:${ports.port(998)}`;
      sides.push({ target: await side.start({ api: { enabled: true, bind } }), ports });
    }
  });
  after(async () => {
    for (const { target, ports } of sides) {
      await target.stop();
      await ports.release();
    }
  });

  /** One request to both; the answers in the numbering of the recordings. */
  async function both(method: string, path: string, body?: string): Promise<readonly string[]> {
    const ask = async ({ target, ports }: (typeof sides)[number]): Promise<string> => {
      const answer = await send(target.url, {
        method,
        path,
        ...(body !== undefined && { body: ports.move(body) }),
      });
      return shown(answer, ports);
    };
    const answers = await Promise.all(sides.map(ask));
    // A listener may outlive the answer to its DELETE by milliseconds: the side that found the port busy asks again.
    for (let tries = 1; tries <= PORT_TRIES && answers[0] !== answers[1]; tries++) {
      const late = answers.findIndex((answer) => answer.includes('address already in use'));
      const side = sides[late];
      if (side === undefined) break;
      counts.retried++;
      await sleep(PORT_PAUSE_MS);
      answers[late] = await ask(side);
    }
    return answers;
  }

  async function agree(what: string, method: string, path: string, body?: string): Promise<string> {
    const [mine = '', theirs = ''] = await both(method, path, body);
    assert.equal(mine, theirs, `${what} ${body ?? ''}`);
    return mine;
  }

  async function play(steps: readonly Step[]): Promise<void> {
    for (const one of steps) {
      const path = one.kind === 'list' ? '/servers' : `/servers/${encodeURIComponent(one.name)}`;
      counts.requests++;
      if (one.kind === 'delete') await remove(one.name);
      else if (one.kind !== 'post') await agree(one.kind, 'GET', path);
      else await create(one.name, path, one.body);
    }
  }

  async function create(posted: string, path: string, body: string): Promise<void> {
    const answer = await agree('post', 'POST', path, body);
    if (answer.startsWith('200')) {
      counts.created++;
      const shownConfig = await agree('get', 'GET', path);
      if (shownConfig.includes('"protocol": "udp"')) udp.add(posted);
    } else if (answer.startsWith('409')) counts.refused++;
    else if (answer.startsWith('400')) counts.malformed++;
    else if (answer === 'closed') counts.closed++;
  }

  async function remove(deleted: string): Promise<void> {
    if (udp.delete(deleted)) await sleep(UDP_SETTLE_MS);
    await agree('delete', 'DELETE', `/servers/${encodeURIComponent(deleted)}`);
  }

  async function clear(): Promise<void> {
    if (udp.size > 0) await sleep(UDP_SETTLE_MS);
    udp = new Set();
    for (const one of NAMES) await agree('clear', 'DELETE', `/servers/${encodeURIComponent(one)}`);
    await agree('list', 'GET', '/servers');
  }

  test(`${SEQUENCES} sequences have the same answers`, { timeout: 1_800_000 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        try {
          await play(steps);
        } finally {
          await clear();
        }
        // The end of a server's statistics follows the answer, and what leaks, leaks in both.
        await sleep(5);
        for (const one of NAMES) {
          const stats = await both('GET', `/servers/${encodeURIComponent(one)}/stats`);
          const [mine, theirs] = stats.map((text) => text.includes('null'));
          assert.equal(mine, theirs, `statistics of ${one}`);
        }
      }),
      { numRuns: SEQUENCES, seed: SEED, endOnFailure: process.env['SHRINK'] === undefined },
    );
    t.diagnostic(JSON.stringify({ sequences: SEQUENCES, seed: SEED, ...counts }));
  });
});

function shown(answer: RawAnswer, ports: PortRange): string {
  if (answer.closed) return 'closed';
  return ports.restore(`${answer.status} ${answer.headers['content-type'] ?? ''} ${answer.text}`);
}
