import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otherTargets, sameName, targetsUs, unknownTargets } from '../../../src/model/gateway-names.js';

test('names compare without case and final dot; both dotted: whole, else by first label', () => {
  const same: readonly [string, string, boolean][] = [
    ['gw1', 'GW1.', true],
    ['gw1', 'gw1.example.com', true],
    ['gw1.example.com', 'gw1', true],
    ['gw1.example.com.', 'GW1.example.com', true],
    ['gw1.example.com', 'gw1.example.org', false],
    ['gw1', 'gw10', false],
    ['gw1', 'gw2', false],
    ['', '', false],
    ['.', 'gw1', false],
  ];
  for (const [a, b, expected] of same) {
    assert.equal(sameName(a, b), expected, `${a} ${b}`);
    assert.equal(sameName(b, a), expected, `${b} ${a}`);
  }
});

test('no target is every gateway; several are alternatives', () => {
  assert.equal(targetsUs([], []), true);
  assert.equal(targetsUs(['gw2', 'gw1'], ['x', 'GW1']), true);
  assert.equal(targetsUs(['gw2'], ['gw1', 'ogwl4']), false);
});

test('a target that nobody knows', () => {
  const known = new Set(['n1', 'n2.example.com', 'ogwl4', '0.scaled']);
  const targets = [
    'N1',
    'n1.example.com',
    'n2',
    'n2.example.com',
    'ogwl4.',
    'gw1.x',
    'n3',
    'n2.example.org',
    'toString',
  ];
  assert.deepEqual(unknownTargets(otherTargets(targets, ['gw1']), known), [
    'n3',
    'n2.example.org',
    'toString',
  ]);
});
