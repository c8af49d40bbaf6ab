import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkGoRegexp } from '../../../src/model/go-regexp.js';
import { quote, unquote } from '../../../src/model/go-string.js';
import { leftReference } from '../../../src/model/references.js';

describe('Go string literals', () => {
  test('what Go unquotes', () => {
    const rows: readonly [string, string][] = [
      ['', ''],
      ['PING\\r\\n', 'PING\r\n'],
      ['+PONG\\x21', '+PONG!'],
      ['\\a\\b\\f\\n\\r\\t\\v\\\\\\"', '\u0007\b\f\n\r\t\v\\"'],
      ['\\101\\x41\\u0041\\U00000041', 'AAAA'],
      ['é\\u00e9\\xc3\\xa9', 'ééé'],
      ['\\U0001F600', '😀'],
      ['tab\there', 'tab\there'],
    ];
    for (const [quoted, text] of rows) assert.equal(unquote(quoted), text, quoted);
  });
  test('what Go refuses, and bytes that are no text', () => {
    for (const quoted of [
      '"',
      '\\',
      'a\\',
      '\\q',
      "\\'",
      '\\x1',
      '\\xg0',
      '\\08',
      '\\400',
      '\\u12',
      '\\ud800',
      '\\U00110000',
      '\n',
      '\\xff',
      '\\377',
    ]) {
      assert.equal(unquote(quoted), null, quoted);
    }
  });
  test('quoting and unquoting are inverse', () => {
    for (const text of ['', 'PING\r\n', '"\\', '\u0000\u001f\u007f\u0085', 'é😀', '\\n'])
      assert.equal(unquote(quote(text)), text);
  });
});

describe('Go regular expressions', () => {
  const accepted = [
    '',
    'a',
    '^\\d+$',
    '^HTTP/1\\.[01] 2\\d\\d',
    '(?i)ok|up',
    '(?:a|b){2,3}?',
    '[a-zA-Z0-9_.-]+',
    '[^\\s]*',
    'a{1000}',
    'é+',
    '{',
    'a|',
    '\\x41\\.',
    '.*?x',
  ];
  for (const text of accepted) test(`accepted ${text}`, () => assert.equal(checkGoRegexp(text), null));
  const refused = [
    '(',
    ')',
    'a)',
    '*',
    '+a',
    'a**',
    'a*+',
    'a{2}{3}',
    '[',
    '[]',
    '[z-a]',
    '[[:alpha:]]',
    '\\1',
    '\\',
    '\\q',
    '(?=a)',
    '(?<n>a)',
    '(?P<n>a)',
    'a{1001}',
    'a{99999}',
    'a{3,2}',
    '(a{50}){50}',
    '{2}',
    '|*',
    '(?i)*',
    '('.repeat(60) + ')'.repeat(60),
    `(${'a'.repeat(900)}){1000}`,
  ];
  for (const text of refused)
    test(`refused ${text.slice(0, 30)}`, () => assert.notEqual(checkGoRegexp(text), null));
});

test('references that were left; JSON is none', () => {
  assert.equal(leftReference('80/tcp-{env.addr}:80'), '{env.addr}');
  assert.equal(leftReference('{"rules":["allow {svcname}"]}'), '{svcname}');
  for (const text of ['', '{}', '{"a":1}', '{ "a": 1 }', '{"a":{"b":"c"}}', '{a b}', 'a}b{'])
    assert.equal(leftReference(text), null, text);
});
