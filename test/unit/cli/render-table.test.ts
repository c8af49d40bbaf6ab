import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderTable, textWidth, visible, wrapText } from '../../../src/cli/render-table.js';

const plain = { width: null, overflow: 'cut' } as const;

test('columns are as wide as their widest cell, and no line ends in blanks', () => {
  const table = renderTable(
    [
      ['web', '443', 'served'],
      ['ns1/svc/api', '80', ''],
    ],
    { ...plain, head: ['SERVICE', 'PORT', 'STATE'] },
  );
  assert.equal(
    table,
    ['SERVICE      PORT  STATE', 'web          443   served', 'ns1/svc/api  80'].join('\n'),
  );
});

test('an empty table is its head, or nothing', () => {
  assert.equal(renderTable([], { ...plain, head: ['A', 'B'] }), 'A  B');
  assert.equal(renderTable([], plain), '');
});

test('the last column is cut to a terminal, and never to a pipe', () => {
  const rows = [['web', 'x'.repeat(100)]];
  assert.equal(renderTable(rows, { ...plain, width: 40 }).length, 40);
  assert.ok(renderTable(rows, { ...plain, width: 40 }).endsWith('…'));
  assert.ok(renderTable(rows, plain).endsWith('x'));
});

test('or stands below its row, where the columns before it leave no room', () => {
  const rows = [
    ['x'.repeat(60), 'a reason of some length'],
    ['y', ''],
  ];
  const table = renderTable(rows, { width: 70, overflow: 'wrap', head: ['ROW', 'WHY'] });
  assert.deepEqual(table.split('\n'), [
    `ROW${' '.repeat(59)}WHY`,
    'x'.repeat(60),
    '    a reason of some length',
    'y',
  ]);
});

test('or wrapped under itself', () => {
  const table = renderTable([['--rate N', 'calls to GoBetween a second']], {
    width: 34,
    overflow: 'wrap',
    indent: 2,
  });
  assert.equal(table, ['  --rate N  calls to GoBetween a', '            second'].join('\n'));
});

test('wide and combining characters count as a terminal shows them', () => {
  assert.equal(textWidth('abc'), 3);
  assert.equal(textWidth('日本'), 4);
  assert.equal(textWidth('e\u0301'), 1);
  assert.equal(textWidth('👍'), 2);
  assert.equal(textWidth('👩‍👩‍👧'), 2);
  assert.equal(textWidth('é'), 1);
  const [first = '', second = ''] = renderTable(
    [
      ['日本', 'x'],
      ['abcd', 'x'],
    ],
    plain,
  ).split('\n');
  assert.equal(textWidth(first), textWidth(second));
});

test("control characters of other people's text never reach the terminal", () => {
  const table = renderTable([['\u001b[2Jweb', 'a\nb\u202e']], plain);
  assert.equal(table, '?[2Jweb  a?b?');
});

test('rows of any text give one line each, within the width', () => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
      const lines = renderTable(rows, { ...plain, width: 80 }).split('\n');
      assert.equal(lines.length, rows.length);
      for (const line of lines) {
        assert.equal(line, visible(line));
        assert.ok(textWidth(line) <= 80);
      }
    }),
  );
});

test('wrapping keeps every word in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 9, max: 40 }),
      (words, width) => {
        const lines = wrapText(words.join(' '), width);
        assert.equal(lines.join(' '), words.join(' '));
        for (const line of lines) assert.ok(line.length <= width);
      },
    ),
  );
});
