import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAgent } from '../../support/bind-agent.js';

const fills = (entries: Record<string, number>, addr = '0.0.0.0') =>
  new Map(Object.entries(entries).map(([word, port]) => [word, { addr, port }]));

const one = fills({ '443/tcp': 1025 });

describe('writing allocated ports back', () => {
  test('reads, fills, writes; nothing else in the value changes', async () => {
    const agent = createAgent({ web: '  80/tcp-:8080   443/tcp ' });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    assert.equal(agent.writeBack.pending(), 1);
    await agent.clock.advance(1000);
    assert.deepEqual(agent.calls, ['read web', 'write web   80/tcp-:8080   443/tcp-0.0.0.0:1025 ']);
    assert.deepEqual(agent.writtenBack, ['web']);
    assert.equal(agent.writeBack.pending(), 0);
    assert.equal(agent.problems.length, 0);
  });

  test('ports that come close together make one write, with the newest', async () => {
    const agent = createAgent({ web: '443/tcp 80/tcp' });
    const key = agent.key('web');
    agent.writeBack.want(key, one, 'c1');
    await agent.clock.advance(200);
    agent.writeBack.want(key, fills({ '443/tcp': 1026, '80/tcp': 1027 }), 'c1');
    await agent.clock.advance(1000);
    assert.deepEqual(agent.calls, ['read web', 'write web 443/tcp-0.0.0.0:1026 80/tcp-0.0.0.0:1027']);
  });

  test('a service that changes all the time is written all the same', async () => {
    const agent = createAgent({ web: '443/tcp' });
    for (let n = 0; n < 5; n++) {
      agent.writeBack.want(agent.key('web'), one, `c${n}`);
      await agent.clock.advance(200);
    }
    assert.ok(agent.calls.includes('write web 443/tcp-0.0.0.0:1025'));
  });

  test('MUST NOT overwrite what another gateway has written', async () => {
    const agent = createAgent({ web: '443/tcp-0.0.0.0:7777 80/tcp' });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(1000);
    assert.deepEqual(agent.calls, ['read web']);
    agent.writeBack.want(agent.key('web'), fills({ '443/tcp': 1025, '80/tcp': 1026 }), 'c2');
    await agent.clock.advance(1000);
    assert.deepEqual(agent.calls.slice(1), [
      'read web',
      'write web 443/tcp-0.0.0.0:7777 80/tcp-0.0.0.0:1026',
    ]);
  });

  test('one request at a time over all services, in the order of arrival', async () => {
    const agent = createAgent({ a: '443/tcp', b: '443/tcp', c: '443/tcp' }, { delayMs: 300 });
    for (const name of ['a', 'b', 'c']) {
      agent.writeBack.want(agent.key(name), one, 'c1');
      await agent.clock.advance(1);
    }
    await agent.clock.advance(5000);
    assert.equal(agent.mostAtOnce(), 1);
    assert.deepEqual(
      agent.calls.map((call) => call.slice(0, 7).trim()),
      ['read a', 'write a', 'read b', 'write b', 'read c', 'write c'],
    );
  });

  test('the same wish for the same config is asked for once, and looked at again after a minute', async () => {
    const agent = createAgent({ web: '443/tcp' });
    const key = agent.key('web');
    for (let n = 0; n < 5; n++) {
      agent.writeBack.want(key, one, 'c1');
      await agent.clock.advance(2000);
    }
    assert.equal(agent.calls.length, 2);
    await agent.clock.advance(60_000);
    agent.writeBack.want(key, one, 'c1');
    await agent.clock.advance(2000);
    assert.deepEqual(agent.calls.slice(2), ['read web']);
  });

  test('a wish withdrawn in time costs nothing', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    agent.writeBack.want(agent.key('web'), new Map(), 'c2');
    agent.writeBack.want(agent.key('app'), one, 'c1');
    agent.writeBack.forget(agent.key('app'));
    await agent.clock.advance(10_000);
    assert.deepEqual(agent.calls, []);
    assert.equal(agent.writeBack.pending(), 0);
  });

  test('a wish that changes during a read is not written in its old form', async () => {
    const agent = createAgent({ web: '443/tcp' }, { delayMs: 300 });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(600);
    agent.writeBack.want(agent.key('web'), fills({ '443/tcp': 2000 }), 'c1');
    await agent.clock.advance(5000);
    assert.deepEqual(agent.calls, ['read web', 'read web', 'write web 443/tcp-0.0.0.0:2000']);
  });

  test('a service that goes during a read is not written', async () => {
    const agent = createAgent({ web: '443/tcp' }, { delayMs: 300 });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(600);
    agent.writeBack.forget(agent.key('web'));
    await agent.clock.advance(5000);
    assert.deepEqual(agent.calls, ['read web']);
  });
});

describe('what is not rewritten', () => {
  for (const origin of ['reference', 'scope'] as const) {
    test(`MUST NOT rewrite a value that comes from a ${origin}`, async () => {
      const agent = createAgent({ web: '443/tcp' });
      agent.origin.set('web', origin);
      agent.writeBack.want(agent.key('web'), one, 'c1');
      await agent.clock.advance(1000);
      assert.deepEqual(agent.calls, ['read web']);
      const problem = agent.problems[0];
      assert.equal(problem?.code, 'not-written-back');
      assert.equal(problem?.severity, 'warning');
      assert.equal(problem?.place, 'igw_gobtw_bind 443/tcp');
      assert.match(problem?.message ?? '', new RegExp(origin));
      assert.match(problem?.mend ?? '', /443\/tcp-0\.0\.0\.0:1025/);
      assert.equal(agent.writeBack.pending(), 0);
    });
  }

  test('the warning ends when the port is written by its owner, or the service goes', async () => {
    const agent = createAgent({ web: '443/tcp', app: '443/tcp' });
    for (const name of ['web', 'app']) {
      agent.origin.set(name, 'scope');
      agent.writeBack.want(agent.key(name), one, 'c1');
    }
    await agent.clock.advance(1000);
    agent.writeBack.want(agent.key('web'), new Map(), 'c2');
    agent.writeBack.forget(agent.key('app'));
    assert.deepEqual(
      agent.problems.map((problem) => problem?.code ?? null),
      ['not-written-back', 'not-written-back', null, null],
    );
  });

  test('a value that is known to come from a reference or a scope is said so without a request', async () => {
    const agent = createAgent({ web: '{env.ports}' });
    for (const origin of ['reference', 'scope'] as const) {
      agent.writeBack.want(agent.key('web'), one, origin, origin);
      await agent.clock.advance(2000);
    }
    assert.deepEqual(agent.calls, []);
    assert.deepEqual(
      agent.problems.map((problem) => problem?.code),
      ['not-written-back', 'not-written-back'],
    );
    agent.values.set('web', '443/tcp');
    agent.writeBack.want(agent.key('web'), one, 'plain again');
    await agent.clock.advance(2000);
    assert.deepEqual(agent.calls, ['read web', 'write web 443/tcp-0.0.0.0:1025']);
    assert.equal(agent.problems.at(-1), null);
  });

  test('MUST NOT send anything when it is not allowed', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.allow(false);
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(100_000);
    assert.deepEqual(agent.calls, []);
    assert.equal(agent.writeBack.pending(), 0);
    agent.allow(true);
    agent.writeBack.resume();
    await agent.clock.advance(1000);
    assert.equal(agent.calls.length, 2);
  });

  test('MUST NOT write when the policy changes during the read', async () => {
    const agent = createAgent({ web: '443/tcp' }, { delayMs: 300 });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(600);
    agent.allow(false);
    await agent.clock.advance(10_000);
    assert.deepEqual(agent.calls, ['read web']);
    agent.allow(true);
    agent.writeBack.resume();
    await agent.clock.advance(1000);
    assert.deepEqual(agent.calls.slice(1), ['read web', 'write web 443/tcp-0.0.0.0:1025']);
  });
});

describe('writes that do not hold', () => {
  /** Somebody restores the value; the janitor sees the filled config, then the restored one. */
  async function revert(agent: ReturnType<typeof createAgent>): Promise<void> {
    agent.writeBack.want(agent.key('web'), new Map(), 'filled');
    agent.values.set('web', '443/tcp');
    agent.writeBack.want(agent.key('web'), one, 'restored');
    await agent.clock.advance(10_000);
  }

  const writes = (agent: ReturnType<typeof createAgent>): number =>
    agent.calls.filter((call) => call.startsWith('write')).length;

  test('reverted three times in ten minutes: an hour of silence, with a problem', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.writeBack.want(agent.key('web'), one, 'restored');
    await agent.clock.advance(1000);
    await revert(agent);
    await revert(agent);
    assert.equal(writes(agent), 3);
    assert.equal(agent.problems.length, 0);
    await revert(agent);
    assert.equal(writes(agent), 3);
    assert.equal(agent.problems.at(-1)?.code, 'write-back-reverted');
    const calls = agent.calls.length;
    await agent.clock.advance(3_500_000);
    assert.equal(agent.calls.length, calls, 'silence');
    agent.writeBack.want(agent.key('web'), new Map(), 'filled');
    agent.writeBack.want(agent.key('web'), one, 'again');
    assert.equal(agent.problems.at(-1)?.code, 'write-back-reverted', 'the hour is not over');
    await agent.clock.advance(120_000);
    assert.equal(writes(agent), 4);
    assert.equal(agent.problems.at(-1), null);
  });

  test('reverts that are rare do not add up', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.writeBack.want(agent.key('web'), one, 'restored');
    await agent.clock.advance(1000);
    for (let n = 0; n < 5; n++) {
      await revert(agent);
      await agent.clock.advance(300_000);
    }
    assert.equal(writes(agent), 6);
    assert.equal(agent.problems.length, 0);
  });

  test('a config that has not reached us yet is no revert', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(1000);
    for (let n = 0; n < 5; n++) agent.writeBack.want(agent.key('web'), one, `late${n}`);
    await agent.clock.advance(60_000);
    assert.equal(writes(agent), 1);
    assert.equal(agent.problems.length, 0);
  });
});

describe('failures', () => {
  test('are retried with growing pauses, and are a problem from the third on', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.failures.push('backoff', 'backoff', 'backoff');
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(501 + 2_000);
    assert.equal(agent.calls.length, 2);
    assert.equal(agent.problems.length, 0);
    await agent.clock.advance(4_000);
    assert.equal(agent.problems.at(-1)?.code, 'write-back-failed');
    assert.match(agent.problems.at(-1)?.message ?? '', /agent says no/);
    await agent.clock.advance(8_000);
    assert.equal(agent.values.get('web'), '443/tcp-0.0.0.0:1025');
    assert.equal(agent.problems.at(-1), null);
  });

  test('pauses end at five minutes', async () => {
    const agent = createAgent({ web: '443/tcp' });
    for (let n = 0; n < 100; n++) agent.failures.push('backoff');
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(3_600_000);
    const calls = agent.calls.length;
    await agent.clock.advance(3_600_000);
    assert.ok(agent.calls.length - calls >= 12 && agent.calls.length - calls <= 24);
  });

  test('a service that fails holds up no other', async () => {
    const agent = createAgent({ a: '443/tcp', b: '443/tcp' });
    agent.failures.push('backoff');
    agent.writeBack.want(agent.key('a'), one, 'c1');
    await agent.clock.advance(600);
    agent.writeBack.want(agent.key('b'), one, 'c1');
    await agent.clock.advance(600);
    assert.deepEqual(agent.writtenBack, ['b']);
    await agent.clock.advance(2000);
    assert.deepEqual(agent.writtenBack, ['b', 'a']);
  });

  test('soon means soon', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.failures.push('soon', 'soon');
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(501 + 2_000);
    assert.equal(agent.values.get('web'), '443/tcp-0.0.0.0:1025');
  });

  test('what can never work is a problem at once and waits for a change', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.failures.push('no');
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(3_600_000);
    assert.deepEqual(agent.calls, ['read web']);
    assert.equal(agent.problems.at(-1)?.code, 'write-back-failed');
    agent.writeBack.want(agent.key('web'), one, 'c2');
    await agent.clock.advance(1000);
    assert.equal(agent.values.get('web'), '443/tcp-0.0.0.0:1025');
    assert.equal(agent.problems.at(-1), null);
  });

  test('a write that fails is based on a new read the next time', async () => {
    const agent = createAgent({ web: '443/tcp' });
    agent.writeFailures.push('backoff');
    agent.writeBack.want(agent.key('web'), one, 'c1');
    await agent.clock.advance(600);
    agent.values.set('web', '443/tcp 80/tcp-:8080');
    await agent.clock.advance(5000);
    assert.equal(agent.values.get('web'), '443/tcp-0.0.0.0:1025 80/tcp-:8080');
    assert.equal(agent.calls.filter((call) => call.startsWith('read')).length, 2);
  });
});

describe('stopping', () => {
  test('ends the request under way and starts no other', async () => {
    const agent = createAgent({ a: '443/tcp', b: '443/tcp' }, { delayMs: 300 });
    agent.writeBack.want(agent.key('a'), one, 'c1');
    agent.writeBack.want(agent.key('b'), one, 'c1');
    await agent.clock.advance(600);
    const stopped = agent.writeBack.stop();
    await agent.clock.advance(5000);
    await stopped;
    assert.deepEqual(agent.calls, ['read a']);
    agent.writeBack.want(agent.key('b'), one, 'c2');
    await agent.clock.advance(5000);
    assert.deepEqual(agent.calls, ['read a']);
  });
});
