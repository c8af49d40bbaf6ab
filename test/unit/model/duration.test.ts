import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalDuration, formatDuration, parseDuration } from '../../../src/model/duration.js';

test('durations that Go parses, to the nanosecond', () => {
  const rows: readonly [string, bigint][] = [
    ['0', 0n],
    ['-0', 0n],
    ['+0', 0n],
    ['0s', 0n],
    ['5s', 5_000_000_000n],
    ['1h15m30.918273645s', 4_530_918_273_645n],
    ['.5s', 500_000_000n],
    ['5.s', 5_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['-3s', -3_000_000_000n],
    ['+1m', 60_000_000_000n],
    ['100us', 100_000n],
    ['100\u00b5s', 100_000n],
    ['100\u03bcs', 100_000n],
    ['1ns', 1n],
    ['0.3333333333333333333h', 1_200_000_000_000n],
    ['9223372036854775807ns', 9223372036854775807n],
    ['9223372036.854775807s', 9223372036854775807n],
    ['-9223372036854775808ns', -9223372036854775808n],
    ['10m10s10m', 1_210_000_000_000n],
  ];
  for (const [text, value] of rows) assert.equal(parseDuration(text), value, text);
});

test('durations that Go refuses', () => {
  const rows = [
    '',
    '5',
    'abc',
    '5 s',
    '1d',
    's',
    '.s',
    '-',
    '+',
    '1..5s',
    '--5s',
    '5S',
    ' 5s',
    '5s ',
    '3000000h',
  ];
  for (const text of [...rows, '9223372036854775808ns', '9223372036854775808h', '1e3s', '0x5s', '5s\n']) {
    assert.equal(parseDuration(text), null, JSON.stringify(text));
  }
});

test('equal values have one canonical text, which parses back', () => {
  assert.equal(canonicalDuration('60s'), '1m');
  assert.equal(canonicalDuration('1m0s'), '1m');
  assert.equal(canonicalDuration('1500ms'), '1500ms');
  assert.equal(canonicalDuration('0.5s'), '500ms');
  assert.equal(canonicalDuration('0h'), '0');
  assert.equal(canonicalDuration('-90s'), '-90s');
  assert.equal(canonicalDuration('5'), null);
  assert.equal(formatDuration(1n), '1ns');
  for (const text of ['1h', '90m', '1.000001ms', '-2h45m']) {
    const value = parseDuration(text);
    assert.ok(value !== null);
    assert.equal(parseDuration(formatDuration(value)), value, text);
  }
});
