import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type JudgeRules, type Judgement, judge } from '../../src/judge.js';
import { createFakeClock } from '../support/fake-clock.js';
import { type EnvSection, context, input, knownNames } from '../support/service-config.js';

const rules: JudgeRules = {
  context,
  knownNames,
  clock: createFakeClock(),
  portRange: { from: 1024, to: 65535 },
  reserved: new Set([8888]),
  evaluates: true,
};

const codes = ({ problems }: Judgement): readonly string[] =>
  problems.map(({ code, severity }) => (severity === 'warning' ? `${code}?` : code));
const judged = (env: EnvSection, more: Partial<JudgeRules> = {}): Judgement =>
  judge(input(env), { ...rules, ...more });

test('a served service: each word, where it listens, its server and its record', () => {
  const { verdict, problems, exposes } = judged({ igw_gobtw_bind: '80/tcp 53/udp-[::1]:53' });
  assert.deepEqual([verdict, problems], ['served', []]);
  assert.deepEqual(exposes, [
    {
      word: '80/tcp',
      listens: '0.0.0.0:*/tcp',
      server: '_80._tcp.web.root.svc',
      record: '_80._tcp.web.root.svc.cluster1.',
    },
    {
      word: '53/udp-[::1]:53',
      listens: '[::1]:53/udp',
      server: '_53._udp.web.root.svc',
      record: '_53._udp.web.root.svc.cluster1.',
    },
  ]);
});

test('the record that a service sets itself', () => {
  const { exposes } = judged({
    igw_gobtw_bind: '80/tcp',
    igw_gobtw_discovery_srv_lookup_pattern: '_1._tcp.other',
  });
  assert.equal(exposes[0]?.record, '_1._tcp.other.');
});

test('which of several words for one port has the plain name, where that is known', () => {
  const explicit = judged({ igw_gobtw_bind: '80/tcp-:1 80/tcp-:2' });
  assert.deepEqual(
    explicit.exposes.map(({ server }) => server),
    ['_80._tcp.web.root.svc', '_80._tcp.web.root.svc@0.0.0.0:2'],
  );
  assert.deepEqual(
    judged({ igw_gobtw_bind: '80/tcp 80/tcp-:2' }).exposes.map(({ server }) => server),
    [null, null],
  );
});

describe('ports', () => {
  test('a reserved one', () => {
    const found = judged({ igw_gobtw_bind: '80/tcp-:8888 443/tcp' });
    assert.deepEqual(codes(found), ['port-reserved']);
    assert.deepEqual(
      found.exposes.map(({ word }) => word),
      ['443/tcp'],
    );
  });
  test('two words that exclude each other', () => {
    const found = judged({ igw_gobtw_bind: '80/tcp-:80 443/tcp-127.0.0.1:80' });
    assert.deepEqual(codes(found), ['port-conflict']);
    assert.equal(found.exposes.length, 1);
  });
});

describe('services that others serve', () => {
  const env = { igw_gobtw_bind: '80/tcp', igw_gobtw_target_lb: 'gw2' };
  test('are judged all the same', () => {
    const found = judged({ ...env, igw_gobtw_balance: 'x' });
    assert.deepEqual([found.verdict, codes(found)], ['spoiled', ['bad-keyword']]);
    const good = judged(env);
    assert.deepEqual([good.verdict, codes(good), good.exposes.length], ['elsewhere', [], 1]);
  });
  test('an unknown name is said once, and not where no cluster was asked', () => {
    const stray = { ...env, igw_gobtw_target_lb: 'gw9' };
    assert.deepEqual(codes(judged(stray)), ['target-unknown?']);
    const offline = judged(stray, { knownNames: null });
    assert.deepEqual([offline.verdict, codes(offline)], ['elsewhere', []]);
  });
  test('also when the target is evaluated or scoped', () => {
    const raw = {
      igw_gobtw_bind: '80/tcp',
      igw_gobtw_target_lb: '{env.x}',
      'igw_gobtw_target_lb@gw1': 'gw2',
    };
    const evaluatedEnv = { ...raw, igw_gobtw_target_lb: 'gw2' };
    const found = judge(input(raw, { evaluatedEnv }), rules);
    assert.deepEqual([found.verdict, codes(found)], ['elsewhere', []]);
  });
});

describe('where no agent is asked', () => {
  const offline = { evaluates: false };
  test('a reference or a scope is a warning, and the verdict is open', () => {
    for (const env of [
      { igw_gobtw_bind: '80/tcp', igw_gobtw_balance: '{env.x}' },
      { igw_gobtw_bind: '80/tcp', 'igw_gobtw_balance@gw1': 'weight' },
      { igw_gobtw_bind: '80/tcp', igw_gobtw_balance: '$(1 + 1)' },
      { igw_gobtw_bind: '{env.x}' },
    ]) {
      const found = judged(env, offline);
      assert.deepEqual([found.verdict, codes(found)], ['undecided', ['unresolved-reference?']]);
    }
  });
  test('the words are shown, for they depend on nothing else', () => {
    const { exposes } = judged({ igw_gobtw_bind: '80/tcp', igw_gobtw_balance: '{env.x}' }, offline);
    assert.deepEqual(
      exposes.map(({ server, record }) => [server, record]),
      [['_80._tcp.web.root.svc', null]],
    );
  });
  test('every other keyword is checked, and a problem is one', () => {
    const env = { igw_gobtw_bind: '80/tcp', igw_gobtw_balance: '{env.x}', igw_gobtw_max_connections: '-1' };
    const found = judged(env, offline);
    assert.deepEqual([found.verdict, codes(found)], ['spoiled', ['unresolved-reference?', 'bad-keyword']]);
  });
  test('where one is asked it is a problem', () => {
    const env = { igw_gobtw_bind: '80/tcp', igw_gobtw_balance: '{env.x}' };
    const found = judge(input(env, { evaluatedEnv: env }), rules);
    assert.deepEqual([found.verdict, codes(found)], ['spoiled', ['unresolved-reference']]);
  });
});

test('a slave, an absent bind, a config that is none', () => {
  assert.equal(judge(input({ igw_gobtw_bind: '80/tcp' }, { slave: true }), rules).verdict, 'slave');
  assert.equal(judged({}).verdict, 'unbound');
  const none = judge({ ...input({}), raw: 'x' }, rules);
  assert.deepEqual([none.verdict, codes(none)], ['spoiled', ['config-unreadable']]);
});
