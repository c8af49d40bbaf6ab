import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, percentile } from '../../../bench/machine.js';
import { createRandom } from '../../../bench/random.js';
import { rowsOf } from '../../../bench/report.js';

test('a row has the median of its runs, held against its bound', () => {
  const figure = (value: number) => ({
    variant: 'janitor',
    name: 'wall',
    unit: 'ms',
    value,
    bound: { atMost: 10 },
  });
  const [row] = rowsOf([figure(9), figure(100), figure(10)]);
  assert.equal(row?.median, 10);
  assert.equal(row.ok, true);
  assert.equal(rowsOf([figure(9), figure(11), figure(12)])[0]?.ok, false);
  assert.equal(rowsOf([figure(Infinity)])[0]?.ok, false);
  assert.equal(rowsOf([figure(Number.NaN)])[0]?.ok, false);
});

test('a figure without a bound is held against nothing; variants are apart', () => {
  const rows = rowsOf([
    { variant: 'bare loop', name: 'wall', unit: 'ms', value: 1 },
    { variant: 'janitor', name: 'wall', unit: 'ms', value: 2, bound: { atLeast: 2 } },
    { variant: 'janitor', name: 'calls', unit: '', value: 0, bound: { exactly: 0 } },
  ]);
  assert.deepEqual(
    rows.map(({ ok, bound }) => [ok, bound]),
    [
      [null, null],
      [true, '≥ 2'],
      [true, '= 0'],
    ],
  );
});

test('percentile and median are values that were measured', () => {
  const samples = [5, 1, 4, 2, 3];
  assert.equal(percentile(samples, 0.5), 3);
  assert.equal(percentile(samples, 1), 5);
  assert.equal(median([4, 1, 3, 2]), 2);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test('one seed gives one sequence, and a shuffle keeps everything', () => {
  const [a, b, other] = [createRandom(7), createRandom(7), createRandom(8)];
  const first = Array.from({ length: 5 }, () => a.next());
  assert.deepEqual(
    Array.from({ length: 5 }, () => b.next()),
    first,
  );
  assert.notDeepEqual(
    Array.from({ length: 5 }, () => other.next()),
    first,
  );
  assert.deepEqual(
    [...a.shuffled(100)].sort((x, y) => x - y),
    Array.from({ length: 100 }, (_, i) => i),
  );
});
