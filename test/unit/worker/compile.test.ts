import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { analyseReferences } from '../../../src/model/reference-loop.js';
import type { ServiceKey } from '../../../src/model/service.js';
import { unknownTargetProblems } from '../../../src/model/unknown-targets.js';
import { compile } from '../../../src/worker/compile.js';
import { codesOf, context, input, knownNames } from '../../support/service-config.js';

const bound = { igw_gobtw_bind: '80/tcp' };

describe('verdicts, in their order', () => {
  test('a scaler slave, by the status or by its config, says nothing', () => {
    const bad = { igw_gobtw_bind: 'http/tcp', igw_gobtw_nonsense: '1' };
    const byStatus = compile(input(bad, { slave: true }), context);
    assert.deepEqual([byStatus.verdict, byStatus.words, byStatus.problems], ['slave', [], []]);
    for (const value of ['true', true, 'True']) {
      const raw = JSON.stringify({ DEFAULT: { scaler_slave: value }, env: bound });
      const key = 'root/svc/0.web' as ServiceKey;
      assert.equal(compile({ ...input({}), key, raw }, context).verdict, 'slave');
    }
  });
  test('a scaler whose config carries the flag of its slaves is served: the agent answers so after it scaled', () => {
    const raw = JSON.stringify({ DEFAULT: { nodes: 'n1', scaler_slave: 'true' }, env: bound });
    assert.equal(compile({ ...input({}), raw }, context).verdict, 'served');
  });
  test('no bind, an empty one, or no env at all: unbound', () => {
    for (const env of [{}, { igw_gobtw_bind: '' }, { igw_gobtw_bind: ' \n' }, { igw_gobtw_bind: null }]) {
      assert.equal(compile(input(env), context).verdict, 'unbound');
    }
    assert.equal(compile({ ...input({}), raw: '{}' }, context).verdict, 'unbound');
  });
  test('another gateway: elsewhere, with its words, quiet about its keywords', () => {
    const compiled = compile(
      input({ ...bound, igw_gobtw_target_lb: 'gw2', igw_gobtw_balance: 'nonsense' }),
      context,
    );
    assert.equal(compiled.verdict, 'elsewhere');
    assert.equal(compiled.words.length, 1);
    assert.equal(compiled.template, null);
    assert.deepEqual(codesOf(compiled), []);
  });
  test('a bad keyword: spoiled, with its words', () => {
    const compiled = compile(input({ ...bound, igw_gobtw_balance: 'nonsense' }), context);
    assert.deepEqual([compiled.verdict, compiled.words.length, compiled.template], ['spoiled', 1, null]);
    assert.deepEqual(codesOf(compiled), ['bad-keyword']);
  });
  test('a good one: served', () => {
    const compiled = compile(input(bound), context);
    assert.equal(compiled.verdict, 'served');
    assert.deepEqual(compiled.problems, []);
    assert.equal(compiled.badWords, false);
    assert.notEqual(compiled.template, null);
  });
  test('a bad word spoils that word only, and forbids deletions', () => {
    const compiled = compile(input({ igw_gobtw_bind: '80/tcp http/tcp' }), context);
    assert.deepEqual([compiled.verdict, compiled.words.length, compiled.badWords], ['served', 1, true]);
    assert.deepEqual(codesOf(compiled), ['bad-word']);
  });
});

describe('a config that cannot be read spoils its own service', () => {
  for (const raw of ['', 'x', '[]', 'null', '{"env":', '1']) {
    test(JSON.stringify(raw), () => {
      const compiled = compile({ ...input({}), raw }, context);
      assert.deepEqual([compiled.verdict, compiled.badWords], ['spoiled', true]);
      assert.deepEqual(codesOf(compiled), ['config-unreadable']);
    });
  }
  test('an evaluation that is no JSON', () => {
    assert.equal(compile({ ...input(bound), evaluated: 'x' }, context).verdict, 'spoiled');
  });
});

describe('where the value comes from', () => {
  test('raw text may be rewritten', () => {
    const compiled = compile(input({ igw_gobtw_bind: ' 80/tcp  ' }), context);
    assert.deepEqual([compiled.bindOrigin, compiled.bindText], ['raw', ' 80/tcp  ']);
  });
  test('a reference is evaluated, and stays the user’s', () => {
    const compiled = compile(
      input(
        { igw_gobtw_bind: '{env.port}/tcp', port: '443' },
        { evaluatedEnv: { igw_gobtw_bind: '443/tcp', port: '443' } },
      ),
      context,
    );
    assert.deepEqual(
      [compiled.bindOrigin, compiled.bindText, compiled.words[0]?.port],
      ['reference', '{env.port}/tcp', 443],
    );
  });
  test('arithmetic too, even where it became a number', () => {
    const compiled = compile(
      input({ igw_gobtw_bind: '$(80+0)' }, { evaluatedEnv: { igw_gobtw_bind: 80 } }),
      context,
    );
    assert.deepEqual(
      [compiled.bindOrigin, compiled.verdict, compiled.words[0]?.port],
      ['reference', 'served', 80],
    );
  });
  test('a scope', () => {
    const compiled = compile(
      input(
        { 'igw_gobtw_bind@gw1': '443/tcp', igw_gobtw_bind: '80/tcp' },
        { evaluatedEnv: { igw_gobtw_bind: '443/tcp' } },
      ),
      context,
    );
    assert.deepEqual([compiled.bindOrigin, compiled.words[0]?.port], ['scope', 443]);
  });
  test('a scope for other nodes only: unbound here', () => {
    const compiled = compile(input({ 'igw_gobtw_bind@n9': '443/tcp' }, { evaluatedEnv: {} }), context);
    assert.equal(compiled.verdict, 'unbound');
  });
  test('an empty value of a reference is no removal', () => {
    const compiled = compile(
      input({ igw_gobtw_bind: '{env.nope}' }, { evaluatedEnv: { igw_gobtw_bind: '' } }),
      context,
    );
    assert.deepEqual(
      [compiled.verdict, compiled.badWords, codesOf(compiled)],
      ['spoiled', true, ['unresolved-reference']],
    );
  });
  test('an empty target of a reference is not every gateway', () => {
    const env = { ...bound, igw_gobtw_target_lb: '{env.nope}' };
    const compiled = compile(input(env, { evaluatedEnv: { ...bound, igw_gobtw_target_lb: '' } }), context);
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['unresolved-reference']]);
  });
  test('a reference left as it is', () => {
    const env = { ...bound, igw_gobtw_balance: '{env.nope}' };
    const compiled = compile(input(env, { evaluatedEnv: env }), context);
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['unresolved-reference']]);
  });
  test('JSON is no reference', () => {
    const env = { ...bound, igw_gobtw_access: '{"default": "deny", "rules":["allow 10.0.0.0/8"]}' };
    assert.equal(compile(input(env), context).verdict, 'served');
  });
});

describe('a reference loop', () => {
  test('elsewhere in the config: a warning', () => {
    const compiled = compile(input(bound, { loop: 'env.a -> env.b -> env.a' }), context);
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['served', ['reference-loop?']]);
  });
  test('in reach of a keyword: spoiled, said once', () => {
    const compiled = compile(
      input({ igw_gobtw_bind: '{env.a}', a: '{env.a}' }, { loop: 'env.a -> env.a' }),
      context,
    );
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['reference-loop']]);
  });
  test('a plain target that names another gateway still counts', () => {
    const env = { ...bound, igw_gobtw_balance: '{env.a}', igw_gobtw_target_lb: 'gw2' };
    assert.equal(compile(input(env, { loop: 'env.a -> env.a' }), context).verdict, 'elsewhere');
  });
});

describe('warnings that name the mend', () => {
  test('an unknown keyword, with or without a bind, in any scope', () => {
    for (const env of [
      { igw_gobtw_balanse: 'x' },
      { ...bound, igw_gobtw_balanse: 'x' },
      { 'igw_gobtw_balanse@n1': 'x' },
    ]) {
      const compiled = compile(input(env), context);
      assert.deepEqual(codesOf(compiled), ['unknown-keyword?']);
      assert.match(compiled.problems[0]?.mend ?? '', /igw_gobtw_balance\?/);
    }
  });
  test('a target that nobody knows', () => {
    const compiled = compile(input({ ...bound, igw_gobtw_target_lb: 'gw1 gw9' }), context);
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['served', []]);
    const [problem] = unknownTargetProblems(compiled, knownNames);
    assert.match(`${problem?.code} ${problem?.place}`, /target-unknown .*gw9/);
    const elsewhere = compile(input({ ...bound, igw_gobtw_target_lb: 'gw9' }), context);
    assert.deepEqual([elsewhere.verdict, elsewhere.otherTargets], ['elsewhere', ['gw9']]);
  });
  test('a word that no expose line publishes', () => {
    const compiled = compile(input({ igw_gobtw_bind: '81/tcp' }), context);
    assert.deepEqual([compiled.verdict, codesOf(compiled)], ['served', ['not-exposed?']]);
    assert.match(compiled.problems[0]?.mend ?? '', /expose = 81\/tcp/);
  });
  test('not where the service sets the record itself', () => {
    const env = {
      igw_gobtw_bind: '81/tcp',
      igw_gobtw_discovery_srv_lookup_pattern: '_81._tcp.other.root.svc.c1',
    };
    assert.deepEqual(codesOf(compile(input(env), context)), []);
  });
});

test('JSON nested too deeply to be printed is a wrong value, never an absent one', () => {
  const deep = '['.repeat(50_000) + ']'.repeat(50_000);
  for (const [name, code] of [
    ['igw_gobtw_bind', 'bad-word'],
    ['igw_gobtw_balance', 'bad-keyword'],
  ] as const) {
    for (const value of [`{"a":${deep}}`, `[${deep}]`, deep]) {
      const raw = `{"env":{"igw_gobtw_bind":"80/tcp","${name}":${value}}}`;
      const read = JSON.parse(raw) as Parameters<typeof analyseReferences>[0];
      assert.equal(analyseReferences(read).loop, null);
      const { key, slave } = input(bound);
      const compiled = compile({ key, slave, raw, evaluated: raw, loop: null }, context);
      assert.ok(codesOf(compiled).includes(code), `${name}: ${codesOf(compiled).join(' ')}`);
    }
  }
});

test('a service that cannot be named is spoiled, and says so', () => {
  const compiled = compile(input(bound, { key: 'root/svc/we b' as ServiceKey }), context);
  assert.deepEqual([compiled.verdict, codesOf(compiled)], ['spoiled', ['name-unusable']]);
});

test('the order of words never matters', () => {
  const one = compile(input({ igw_gobtw_bind: '80/tcp 53/udp 443/tcp-:1' }), context);
  const other = compile(input({ igw_gobtw_bind: '443/tcp-:1 80/tcp 53/udp' }), context);
  assert.deepEqual({ ...one, bindText: '' }, { ...other, bindText: '' });
});

test('every problem says who, what, why, what keeps working and how to mend it', () => {
  const env = {
    igw_gobtw_bind: 'x 80/tcp 80',
    igw_gobtw_balance: '?',
    igw_gobtw_nope: '1',
    igw_gobtw_target_lb: 'gw1 zz',
  };
  const compiled = compile(input(env), context);
  const problems = [...compiled.problems, ...unknownTargetProblems(compiled, knownNames)];
  assert.equal(problems.length, 5);
  for (const problem of problems) {
    assert.equal(problem.key, 'root/svc/web');
    for (const text of [problem.place, problem.message, problem.keeps, problem.mend])
      assert.match(text, /^.{3,}$/);
  }
});
