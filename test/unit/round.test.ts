import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Problem } from '../../src/model/problem.js';
import type { Observed } from '../../src/model/server.js';
import { createArbiter } from '../../src/ports/arbiter.js';
import { createRound } from '../../src/round.js';
import type { Facts } from '../../src/source/source.js';
import { createInlineCompute } from '../../src/worker/compute.js';
import { createFakeClock } from '../support/fake-clock.js';
import { observedServer, web } from '../support/servers.js';
import { context, knownNames } from '../support/service-config.js';

const facts = (state: Facts['state'], env: Record<string, string> | null): Facts => ({
  key: web,
  state,
  reason: state === 'gone' ? 'absent' : '',
  slave: false,
  scope: [],
  config: env === null ? null : { csum: 'one', raw: JSON.stringify({ env }), evaluated: null, loop: null },
});

/** Rounds over one service; `look` gives its changes as `create <name>`. */
function rounds() {
  const present: Observed[] = [];
  let known: Facts | undefined;
  let problems: readonly Problem[] = [];
  const round = createRound({
    facts: () => known,
    context: () => context,
    knownNames: () => knownNames,
    balancer: { byKey: () => present, applied: () => null },
    dns: { preferred: () => '10.0.0.1', acceptable: () => true },
    arbiter: createArbiter({
      clock: createFakeClock(),
      range: { from: 2000, to: 2010 },
      reserved: new Set(),
    }),
    compute: createInlineCompute(),
    refresh: false,
    report: (_key, list) => {
      problems = list;
    },
    clock: createFakeClock(),
    onPhase: () => undefined,
  });
  return {
    present,
    round,
    codes: () => problems.map(({ code }) => code),
    async look(now: Facts | undefined) {
      known = now;
      await round.compile([web]);
      const { changes } = await round.settle([web], new Map());
      return changes.map((change) =>
        change.kind === 'delete' ? `delete ${change.name}` : `${change.kind} ${change.desired.name}`,
      );
    },
  };
}

const NAME = '_80._tcp.web.root.svc';

describe('a service that is gone', () => {
  test('and comes back with the same config is served again', async () => {
    const { look, present, round } = rounds();
    const config = facts('present', { igw_gobtw_bind: '80/tcp-:8080' });
    assert.deepEqual(await look(config), [`create ${NAME}`]);
    present.push(observedServer(NAME, 'any'));
    assert.deepEqual(await look({ ...config, state: 'gone', reason: 'absent' }), [`delete ${NAME}`]);
    assert.deepEqual(round.states().get(web)?.granted, []);
    present.pop();
    assert.deepEqual(await look(config), [`create ${NAME}`]);
  });

  test('leaves no problem behind, and no state once its servers went', async () => {
    const { look, present, round, codes } = rounds();
    await look(facts('present', { igw_gobtw_bind: '80/tcp-:8080', igw_gobtw_balanse: 'iphash' }));
    assert.ok(codes().includes('unknown-keyword'));
    present.push(observedServer(NAME, 'any'));
    await look(facts('gone', null));
    assert.deepEqual(codes(), []);
    present.pop();
    assert.deepEqual(await look(facts('gone', null)), []);
    assert.equal(round.states().size, 0);
  });
});

test('a service of which nothing is known yet loses no server', async () => {
  const { look, present } = rounds();
  present.push(observedServer(NAME, 'any'));
  assert.deepEqual(await look(undefined), [`adopt ${NAME}`]);
});
