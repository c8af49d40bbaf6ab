import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDurationMs } from '../../../src/settings/duration.js';
import {
  duration,
  hostName,
  integer,
  listenAddress,
  type Parse,
  portRange,
  rate,
  seconds,
  socketPath,
} from '../../../src/settings/values.js';

function value<T>(parse: Parse<T>, input: string): T | string {
  const parsed = parse(input);
  return parsed.ok ? parsed.value : `refused: ${parsed.wrong}`;
}

test('durations are spelt as in Go', () => {
  const rows: readonly (readonly [string, number | null])[] = [
    ['0', 0],
    ['+0', 0],
    ['200ms', 200],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1s1s', 2000],
    ['3µs', 0.003],
    ['+2s', 2000],
    ['', null],
    ['5', null],
    ['-1s', null],
    ['1 s', null],
    ['1d', null],
    ['s', null],
    ['.s', null],
    ['1m30', null],
    ['597h', null],
  ];
  for (const [text, ms] of rows) assert.equal(parseDurationMs(text), ms, text);
});

test('a formatted duration parses to itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (ms) => {
      const back = parseDurationMs(formatDuration(ms));
      assert.ok(back !== null && Math.abs(back - ms) < 1e-3, formatDuration(ms));
    }),
  );
  assert.equal(formatDuration(90_000), '1m30s');
});

test('addresses to listen on', () => {
  assert.deepEqual(value(listenAddress, '[::1]:8889'), { addr: '::1', port: 8889 });
  assert.deepEqual(value(listenAddress, 'localhost:1'), { addr: '127.0.0.1', port: 1 });
  assert.deepEqual(value(listenAddress, ':9090'), { addr: '0.0.0.0', port: 9090 });
  assert.deepEqual(value(listenAddress, '127.0.0.1:0'), { addr: '127.0.0.1', port: 0 });
  for (const text of [
    '8889',
    '127.0.0.1',
    '127.0.0.1:',
    '[::1]',
    '[127.0.0.1]:1',
    'web:80',
    '1.2.3.4:65536',
    '[fe80::1%eth0]:1',
  ]) {
    assert.equal(listenAddress(text).ok, false, text);
  }
});

test('port ranges', () => {
  assert.deepEqual(value(portRange, '1-65535'), { from: 1, to: 65_535 });
  for (const text of ['0-10', '1-65536', '5', '5-', '9-1', '1-2-3', ' 1-2']) {
    assert.equal(portRange(text).ok, false, text);
  }
});

test('numbers are refused beyond their bounds and in other spellings', () => {
  assert.equal(value(integer(1, 9), '9'), 9);
  for (const text of ['0', '10', '1e0', '+1', ' 1', '1.0', 'NaN', '']) {
    assert.match(String(value(integer(1, 9), text)), /^refused/, text);
  }
  assert.equal(value(rate, '50/s'), 50);
  assert.equal(value(rate, '0'), 0);
  assert.equal(value(rate, '0.5'), 0.5);
  assert.match(String(value(rate, '-1')), /^refused/);
  assert.equal(value(seconds, '5'), 5000);
  assert.equal(value(seconds, '500ms'), 500);
  assert.equal(value(seconds, '0'), 'refused: must be more than 0');
  assert.equal(value(duration(1000), '999ms'), 'refused: is shorter than 1000 ms');
});

test('names and socket paths', () => {
  for (const name of ['gw1', 'gw1.example.com', 'gw1.example.com.', 'a_b', 'A'])
    assert.equal(value(hostName, name), name);
  for (const name of ['-a', 'a..b', 'a b', 'a/b', 'é', '.', 'a'.repeat(254)]) {
    assert.match(String(value(hostName, name)), /^refused/, name);
  }
  assert.equal(value(socketPath, `/${'s'.repeat(106)}`), `/${'s'.repeat(106)}`);
  assert.match(String(value(socketPath, `/${'s'.repeat(107)}`)), /107 bytes/);
});

test('no text makes a parser throw', () => {
  const parsers: readonly Parse<unknown>[] = [listenAddress, portRange, rate, seconds, hostName, socketPath];
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      for (const parse of parsers) assert.equal(typeof parse(text).ok, 'boolean');
    }),
  );
});
