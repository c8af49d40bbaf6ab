import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLedger } from '../../../src/gobetween/ledger.js';
import type { Listen, ServerName } from '../../../src/model/server.js';
import { desire, observedFake } from '../../support/fake-balancer.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { changeTo, removalOf } from '../../support/gobetween-rig.js';

const a1 = desire('a', '0.0.0.0:80', 1);
const a2 = desire('a', '0.0.0.0:80', 2);
const b = desire('b', '127.0.0.1:80');
const seen = (desired: typeof a1) => observedFake(desired.name, JSON.parse(desired.body) as never);

function setUp(...present: (typeof a1)[]) {
  const clock = createFakeClock();
  const ledger = createLedger(clock);
  ledger.replaceAll(present.map(seen), ledger.mark());
  const freed: string[] = [];
  ledger.whenFreed((listen: Listen, name: ServerName) =>
    freed.push(`${name} ${listen.proto}:${listen.port}`),
  );
  return { clock, ledger, freed };
}

describe('intents', () => {
  test('the newest wins, the same again is nothing new, and the time counts from the first', async () => {
    const { clock, ledger } = setUp();
    assert.equal(ledger.want(changeTo(ledger, a1)), 'new');
    await clock.advance(1000);
    assert.equal(ledger.want(changeTo(ledger, a1)), 'same');
    assert.equal(ledger.want(changeTo(ledger, a2)), 'superseded');
    assert.equal(ledger.intent(a1.name)?.want?.digest, a2.digest);
    assert.equal(ledger.intent(a1.name)?.sinceMs, 0);
    assert.equal(ledger.pending(), 1);
    ledger.drop(a1.name);
    assert.equal(ledger.pending(), 0);
  });

  test('adopt records what is there, also where it differs, and ends a pending wish', () => {
    const { ledger } = setUp(a1);
    ledger.want(changeTo(ledger, a2));
    const change = {
      kind: 'adopt',
      key: a2.key,
      desired: a2,
      digest: a1.digest,
      reason: 'stale-default',
    } as const;
    assert.equal(ledger.want(change), 'superseded');
    assert.equal(ledger.state(a1.name).applied, a1.digest);
    assert.deepEqual(ledger.assess(a1.name), { op: 'nothing' });
  });
});

describe('what to do', () => {
  test('follows from intent and belief alone', () => {
    const { ledger } = setUp(a1);
    ledger.want(changeTo(ledger, a1));
    assert.equal(ledger.assess(a1.name).op, 'nothing');
    ledger.want(changeTo(ledger, a2));
    assert.equal(ledger.assess(a1.name).op, 'replace');
    for (const change of removalOf(ledger, a1.name)) ledger.want(change);
    assert.equal(ledger.assess(a1.name).op, 'delete');
    ledger.want(changeTo(ledger, b));
    const work = ledger.assess(a1.name);
    assert.ok(work.op === 'delete' && work.waited === 'other');
    assert.equal(ledger.assess(b.name).op, 'blocked');
    ledger.deleted(a1.name);
    assert.equal(ledger.assess(b.name).op, 'create');
    ledger.doubt(b.name);
    assert.equal(ledger.assess(b.name).op, 'verify');
  });

  test('no wish for a foreign server leads to work', () => {
    const foreign = desire('foreign', '0.0.0.0:99');
    const { ledger } = setUp(foreign);
    assert.deepEqual(ledger.assess(foreign.name), { op: 'nothing' });
    for (const change of removalOf(ledger, foreign.name)) ledger.want(change);
    assert.deepEqual(ledger.assess(foreign.name), { op: 'foreign' });
    ledger.want(changeTo(ledger, desire('foreign', '0.0.0.0:99', 2)));
    assert.deepEqual(ledger.assess(foreign.name), { op: 'foreign' });
  });
});

describe('ports', () => {
  test('are held by what is there and by a POST in flight, and told when let go', () => {
    const { ledger, freed } = setUp(a1);
    assert.deepEqual(ledger.holders(b.listen, b.name), ['a']);
    ledger.deleted(a1.name);
    assert.deepEqual(freed, ['a tcp:80']);
    ledger.reserve(b.name, b.listen);
    assert.deepEqual(ledger.holders(a1.listen, a1.name), ['b']);
    ledger.created(b.name, b);
    assert.deepEqual(ledger.holders(a1.listen, a1.name), ['b']);
    assert.deepEqual(freed, ['a tcp:80']);
    ledger.replaceAll([], ledger.mark());
    assert.deepEqual(freed, ['a tcp:80', 'b tcp:80']);
  });

  test('a reservation that came to nothing is told as free', () => {
    const { ledger, freed } = setUp();
    ledger.reserve(b.name, b.listen);
    ledger.reserve(b.name, null);
    assert.deepEqual(freed, ['b tcp:80']);
  });
});

describe('belief', () => {
  test('a created server is known as GoBetween will show it', () => {
    const { ledger } = setUp();
    ledger.created(b.name, b);
    assert.deepEqual(ledger.byKey(b.key), [seen(b)]);
    assert.deepEqual(ledger.state(b.name), { observed: seen(b), applied: b.digest, inFlight: false });
  });

  test('a list is not believed where a write began, ended or runs since it was asked for', () => {
    const { ledger } = setUp(a1, b);
    const mark = ledger.mark();
    ledger.begin(a1.name);
    assert.ok(ledger.touchedSince(a1.name, mark));
    ledger.deleted(a1.name);
    ledger.end(a1.name);
    ledger.replaceAll([seen(a1)], mark);
    assert.equal(ledger.state(a1.name).observed, null, 'the list is older than our DELETE');
    assert.equal(ledger.state(b.name).observed, null);
    ledger.replaceAll([seen(a1)], ledger.mark());
    assert.equal(ledger.state(a1.name).observed?.digest, a1.digest);
  });

  test('what is missed stays on record until it is wanted no more', () => {
    const { ledger } = setUp();
    ledger.created(b.name, b);
    ledger.end(b.name);
    assert.deepEqual(ledger.replaceAll([], ledger.mark()).missing, ['b']);
    assert.deepEqual(ledger.replaceAll([], ledger.mark()).missing, ['b']);
    ledger.forget(b.name);
    assert.deepEqual(ledger.replaceAll([], ledger.mark()), { missing: [], mutated: [], extra: [] });
  });

  test('a restart forgets everything but the wishes, and refused ones are tried anew', () => {
    const { ledger, freed } = setUp(a1);
    const mark = ledger.mark();
    ledger.want(changeTo(ledger, a2));
    const intent = ledger.intent(a1.name);
    assert.ok(intent !== null);
    ledger.refuse(a1.name, intent);
    assert.equal(ledger.assess(a1.name).op, 'refused');
    ledger.forgetAll();
    assert.equal(ledger.assess(a1.name).op, 'create');
    assert.deepEqual(freed, ['a tcp:80']);
    assert.equal(ledger.size(), 0);
    ledger.replaceAll([seen(a1)], mark);
    assert.equal(ledger.state(a1.name).observed, null, 'a list of before the restart proves nothing');
    ledger.replaceAll([seen(b)], mark);
    assert.equal(ledger.size(), 0, 'not even of servers that nobody knew');
  });
});
