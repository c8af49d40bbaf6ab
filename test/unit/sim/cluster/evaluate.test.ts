/** Evaluation of configs: references, scopes, types and arithmetic (reference/opensvc-v2-protocol.md §7). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compute, printComputed } from '../../../../src/sim/cluster/arithmetic.js';
import { type Evaluated, evaluateConfig } from '../../../../src/sim/cluster/evaluate.js';
import { parseIni } from '../../../../src/sim/cluster/ini.js';

function evaluate(text: string, scopeNode = 'n1', kind = 'svc'): Evaluated {
  const ini = parseIni(text);
  assert.ok(ini.ok);
  return evaluateConfig(ini.sections, {
    namespace: 'ns1',
    kind,
    name: 'web',
    path: 'ns1/svc/web',
    node: 'n1',
    scopeNode,
    clusterName: 'clu1',
    clusterId: 'id',
    clusterNodes: ['n1', 'n2'],
    dns: ['10.0.0.1', '10.0.0.2'],
  });
}

function env(lines: string, scopeNode?: string): Record<string, unknown> {
  const evaluated = evaluate(`[DEFAULT]\nid = 7\n\n[env]\n${lines}\n`, scopeNode);
  assert.equal(evaluated.kind, 'data');
  return evaluated.kind === 'data' ? (evaluated.data['env'] ?? {}) : {};
}

describe('references', () => {
  test('resolve through each other, by section or bare, and stay when unknown', () => {
    assert.deepEqual(env('a = {env.b}\nb = <{c}>\nc = {DEFAULT.id}\nd = {id}\ne = {env.nope} {nope}'), {
      a: '<7>',
      b: '<7>',
      c: '7',
      d: '7',
      e: '{env.nope} {nope}',
    });
  });

  test('JSON is no reference', () => {
    assert.deepEqual(env('a = {"k": 1}\nb = {}'), { a: '{"k": 1}', b: '{}' });
  });

  test('lists have a length and elements; upper and lower change the case', () => {
    assert.deepEqual(env('a = {#dns} {dns[1]} {upper:name} {fqdn}'), {
      a: '2 10.0.0.2 WEB web.ns1.svc.clu1',
    });
  });

  test('a loop is no value: the real agent would never answer', () => {
    assert.equal(evaluate('[env]\na = {env.b}\nb = {env.a}\n').kind, 'loop');
    assert.equal(evaluate('[env]\na = x{env.a}\n').kind, 'loop');
  });

  test('a loop behind a scope of another node is none', () => {
    const text = '[env]\na = {env.b}\nb = 1\nb@n2 = {env.a}\n';
    assert.equal(evaluate(text, 'n1').kind, 'data');
    assert.equal(evaluate(text, 'n2').kind, 'loop');
  });
});

describe('scopes', () => {
  test('the impersonated node counts for scopes, the answering one for {nodename}', () => {
    const lines = 'a = all\na@n2 = two\nb@n1 = one\nc = {nodename}';
    assert.deepEqual(env(lines), { a: 'all', b: 'one', c: 'n1' });
    assert.deepEqual(env(lines, 'n2'), { a: 'two', c: 'n1' });
  });
});

describe('types', () => {
  test('known keywords have theirs, env keeps text, except a whole expression', () => {
    const evaluated = evaluate(
      '[DEFAULT]\nnodes = n1 n2\nscaler_slave = true\nscale = 3\n\n[ip#0]\nexpose = 80/tcp 81/tcp\n\n[env]\na = 12\nb = $(6*7)\nc = x$(7/2)\n',
    );
    assert.deepEqual(evaluated, {
      kind: 'data',
      data: {
        DEFAULT: { nodes: ['n1', 'n2'], scaler_slave: true, scale: 3 },
        'ip#0': { expose: ['80/tcp', '81/tcp'] },
        env: { a: '12', b: 42, c: 'x3.5' },
      },
    });
  });

  test('an unknown section or a division by zero fails the whole config', () => {
    assert.deepEqual(evaluate('[nosuch#1]\nfoo = 1\n'), {
      kind: 'error',
      message: 'nosuch#1.foo not found in the keywords dictionary',
    });
    assert.equal(evaluate('[env]\na = $(1/0)\n').kind, 'error');
  });
});

test('arithmetic as Python computes it', () => {
  for (const [expression, printed] of [
    ['1+2*3', '7'],
    ['(1+2)*3', '9'],
    ['7//2', '3'],
    ['-7//2', '-4'],
    ['-7 % 3', '2'],
    ['4/2', '2.0'],
    ['2**3**2', '512'],
    ['-2**2', '-4'],
    ['1.5+1.5', '3.0'],
  ] as const) {
    assert.equal(printComputed(compute(expression)), printed, expression);
  }
  for (const bad of ['1+', '(1', 'a+1', '1 2', '1%0']) assert.throws(() => compute(bad), Error, bad);
});
