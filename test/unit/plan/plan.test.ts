import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type PlanInput, planService } from '../../../src/plan/plan.js';
import { desiredServer, digestOf, nameOf, observedServer, web } from '../../support/servers.js';

const NAME = '_80._tcp.web.root.svc';
const OTHER = '_443._tcp.web.root.svc';

function input(overrides: Partial<PlanInput> & { appliedAs?: Record<string, string> } = {}): PlanInput {
  const { appliedAs = {}, ...rest } = overrides;
  return {
    key: web,
    desired: [],
    keep: 'none',
    present: [],
    applied: (name) => (appliedAs[name] === undefined ? null : digestOf(appliedAs[name])),
    removal: 'word-removed',
    heldNames: new Set(),
    isStaleDefault: () => false,
    ...rest,
  };
}

/** `kind name reason` of each change. */
function plan(overrides: Parameters<typeof input>[0]): readonly string[] {
  return planService(input(overrides)).map((change) => {
    const name = change.kind === 'delete' ? change.name : change.desired.name;
    return `${change.kind} ${name} ${change.reason}`;
  });
}

const d = [desiredServer(NAME, 'd')];
const same = [observedServer(NAME, 'd')];
const other = [observedServer(NAME, 'o')];

describe('a wanted server that is not there', () => {
  test('is created because it is new', () => {
    assert.deepEqual(plan({ desired: d }), [`create ${NAME} new`]);
  });
  test('is drift when we had written it', () => {
    assert.deepEqual(plan({ desired: d, appliedAs: { [NAME]: 'd' } }), [`create ${NAME} drift`]);
  });
  test('is a restart when that is the cause', () => {
    assert.deepEqual(plan({ desired: d, cause: 'restart' }), [`create ${NAME} restart`]);
    assert.deepEqual(plan({ desired: d, cause: 'drift' }), [`create ${NAME} drift`]);
    assert.deepEqual(plan({ desired: d, cause: 'dns' }), [`create ${NAME} new`]);
  });
});

describe('a wanted server that is there as wanted', () => {
  test('costs nothing when we know it', () => {
    assert.deepEqual(plan({ desired: d, present: same, appliedAs: { [NAME]: 'd' } }), []);
  });
  test('is adopted at first sight, without a call', () => {
    assert.deepEqual(plan({ desired: d, present: same }), [`adopt ${NAME} adopted`]);
  });
  test('is adopted when somebody made our change before us', () => {
    assert.deepEqual(plan({ desired: d, present: same, appliedAs: { [NAME]: 'x' } }), [
      `adopt ${NAME} adopted`,
    ]);
  });
});

describe('a wanted server that differs', () => {
  const differs = { desired: d, present: other };
  test('is an edit when GoBetween has what we wrote', () => {
    assert.deepEqual(plan({ ...differs, appliedAs: { [NAME]: 'o' } }), [`replace ${NAME} edited`]);
  });
  test('is the cause that is given', () => {
    for (const cause of ['dns', 'setting'] as const) {
      assert.deepEqual(plan({ ...differs, cause, appliedAs: { [NAME]: 'o' } }), [`replace ${NAME} ${cause}`]);
    }
    assert.deepEqual(plan({ ...differs, cause: 'restart', appliedAs: { [NAME]: 'o' } }), [
      `replace ${NAME} edited`,
    ]);
  });
  test('is drift when GoBetween has not what we wrote, whatever the cause', () => {
    assert.deepEqual(plan({ ...differs, appliedAs: { [NAME]: 'd' } }), [`replace ${NAME} drift`]);
    assert.deepEqual(plan({ ...differs, cause: 'dns', appliedAs: { [NAME]: 'd' } }), [
      `replace ${NAME} drift`,
    ]);
  });
  test('is an edit when all three differ', () => {
    assert.deepEqual(plan({ ...differs, appliedAs: { [NAME]: 'x' } }), [`replace ${NAME} edited`]);
  });
  test('is taken over at first sight', () => {
    assert.deepEqual(plan(differs), [`replace ${NAME} drift`]);
    assert.deepEqual(plan({ ...differs, cause: 'edited' }), [`replace ${NAME} edited`]);
  });
  test('keeps before and after together', () => {
    const [change] = planService(input(differs));
    assert.ok(change?.kind === 'replace');
    assert.equal(change.before, other[0]);
    assert.equal(change.desired, d[0]);
  });
});

describe('a server that differs in former defaults only', () => {
  const stale = { desired: d, present: other, isStaleDefault: () => true };
  test('is adopted as it is at first sight', () => {
    const [change] = planService(input(stale));
    assert.ok(change?.kind === 'adopt');
    assert.equal(change.reason, 'stale-default');
    assert.equal(change.digest, 'o');
  });
  test('costs nothing from then on', () => {
    assert.deepEqual(plan({ ...stale, appliedAs: { [NAME]: 'o' } }), []);
    assert.deepEqual(plan({ ...stale, appliedAs: { [NAME]: 'o' }, stale: new Set([nameOf(NAME)]) }), []);
  });
  test('is an edit when we wrote it ourselves and know so', () => {
    assert.deepEqual(plan({ ...stale, appliedAs: { [NAME]: 'o' }, stale: new Set() }), [
      `replace ${NAME} edited`,
    ]);
  });
  test('is drift when we wrote something else', () => {
    assert.deepEqual(plan({ ...stale, appliedAs: { [NAME]: 'd' } }), [`replace ${NAME} drift`]);
  });
  test('is replaced on --refresh', () => {
    assert.deepEqual(plan({ ...stale, refresh: true }), [`replace ${NAME} stale-default`]);
    assert.deepEqual(plan({ ...stale, refresh: true, appliedAs: { [NAME]: 'o' } }), [
      `replace ${NAME} stale-default`,
    ]);
  });
});

describe('a server that is not wanted', () => {
  const known = { [NAME]: 'o' };
  test('goes, with the reason of the removal', () => {
    for (const removal of ['word-removed', 'target-elsewhere', 'slave', 'announced', 'absent'] as const) {
      assert.deepEqual(plan({ present: other, removal, appliedAs: known }), [`delete ${NAME} ${removal}`]);
    }
  });
  test('is extra when a present service never had it, as far as we know', () => {
    assert.deepEqual(plan({ present: other }), [`delete ${NAME} extra`]);
    assert.deepEqual(plan({ present: other, removal: 'slave' }), [`delete ${NAME} slave`]);
  });
  test('MUST NOT be deleted while its service is spoiled, unreadable, missing or has a bad word', () => {
    assert.deepEqual(plan({ present: other, keep: 'all', appliedAs: known }), []);
    const needed = { heldNames: new Set([nameOf(NAME)]), needed: () => true };
    assert.deepEqual(plan({ present: other, keep: 'all', ...needed }), []);
  });
  test('the other words of a service with a bad word are served all the same', () => {
    const desired = [desiredServer(OTHER, 'n', 8443)];
    assert.deepEqual(plan({ desired, present: other, keep: 'all' }), [`create ${OTHER} new`]);
  });
  test('keeps serving while its word waits for its port', () => {
    const heldNames = new Set([nameOf(NAME)]);
    assert.deepEqual(plan({ present: other, heldNames, appliedAs: known }), []);
    assert.deepEqual(plan({ present: other, heldNames, needed: () => false }), []);
  });
  test('goes while its word waits when another claim needs its port', () => {
    const heldNames = new Set([nameOf(NAME)]);
    assert.deepEqual(plan({ present: other, heldNames, needed: () => true }), [`delete ${NAME} edited`]);
  });
});

test('deletes come first, then the others, each by name', () => {
  const desired = [desiredServer('_9._tcp.web.root.svc', 'n', 9), desiredServer(OTHER, 'n', 8443)];
  const present = [
    observedServer('_7._tcp.web.root.svc', 'o', 7),
    observedServer('_5._tcp.web.root.svc', 'o', 5),
  ];
  assert.deepEqual(plan({ desired, present }), [
    'delete _5._tcp.web.root.svc extra',
    'delete _7._tcp.web.root.svc extra',
    `create ${OTHER} new`,
    'create _9._tcp.web.root.svc new',
  ]);
});

describe('historical names', () => {
  const old = '_80_web';
  test('are adopted in place where the content is what is wanted', () => {
    const changes = planService(input({ desired: d, present: [observedServer(old, 'd')] }));
    assert.deepEqual(
      changes.map(({ kind, reason }) => [kind, reason]),
      [['adopt', 'adopted']],
    );
    assert.ok(changes[0]?.kind === 'adopt');
    assert.equal(changes[0].desired.name, old);
    assert.deepEqual(
      plan({ desired: d, present: [observedServer(old, 'd')], appliedAs: { [old]: 'd' } }),
      [],
    );
  });
  test('are adopted where only former defaults differ: an upgrade replaces nothing', () => {
    const stale = { desired: d, present: [observedServer(old, 'o')], isStaleDefault: () => true };
    assert.deepEqual(plan(stale), [`adopt ${old} stale-default`]);
    assert.deepEqual(plan({ ...stale, appliedAs: { [old]: 'o' } }), []);
  });
  test('the stale-default rule sees the name that the word gives', () => {
    const seen: string[] = [];
    planService(
      input({
        desired: d,
        present: [observedServer(old, 'o')],
        isStaleDefault: (desired) => {
          seen.push(desired.name);
          return true;
        },
      }),
    );
    assert.deepEqual(new Set(seen), new Set([NAME]));
  });
  test('are replaced once where the content differs', () => {
    assert.deepEqual(plan({ desired: d, present: [observedServer(old, 'o')] }), [
      `delete ${old} historical`,
      `create ${NAME} historical`,
    ]);
  });
  test('are replaced under a bad word too: that is no removal', () => {
    assert.deepEqual(plan({ desired: d, keep: 'all', present: [observedServer(old, 'o')] }), [
      `delete ${old} historical`,
      `create ${NAME} historical`,
    ]);
    assert.deepEqual(plan({ keep: 'all', present: [observedServer(old, 'o')] }), []);
  });
  test('go when no word wants them', () => {
    assert.deepEqual(plan({ present: [observedServer(old, 'o')], removal: 'slave' }), [
      `delete ${old} slave`,
    ]);
    assert.deepEqual(plan({ desired: d, present: [...same, observedServer('_8080_web', 'o', 9)] }), [
      'delete _8080_web extra',
      `adopt ${NAME} adopted`,
    ]);
  });
  test('keep serving while their word waits for its port', () => {
    const present = [observedServer(old, 'o')];
    assert.deepEqual(plan({ present, heldNames: new Set([nameOf(NAME)]) }), []);
    assert.deepEqual(plan({ present, heldNames: new Set([nameOf(old)]) }), []);
    assert.deepEqual(plan({ present, heldNames: new Set([nameOf('_8._tcp.web.root.svc')]) }), [
      `delete ${old} extra`,
    ]);
  });
});
