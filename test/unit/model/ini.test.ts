import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIni } from '../../../src/model/ini.js';

/** Plain objects, for comparison. */
function sectionsOf(text: string): unknown {
  const parsed = parseIni(text);
  return parsed.ok ? JSON.parse(JSON.stringify(parsed.sections)) : parsed;
}

test('sections, keywords, scopes, comments and continued values', () => {
  const text = [
    '\ufeff# a comment',
    '[DEFAULT]',
    'id = 1f',
    '',
    '[ip#1]',
    'expose = 80/tcp',
    '; another',
    '[env]',
    'igw_gobtw_bind = 80/tcp-:8080',
    '    443/tcp',
    '  # no part of the value',
    '',
    '\t53/udp',
    'igw_gobtw_balance@n1: leastconn',
    'igw_gobtw_access = {"a": "b=c # d"}',
    'empty =',
    'Case = X',
  ].join('\n');
  assert.deepEqual(sectionsOf(text), {
    DEFAULT: { id: '1f' },
    'ip#1': { expose: '80/tcp' },
    env: {
      igw_gobtw_bind: '80/tcp-:8080\n443/tcp\n53/udp',
      'igw_gobtw_balance@n1': 'leastconn',
      igw_gobtw_access: '{"a": "b=c # d"}',
      empty: '',
      Case: 'X',
    },
  });
});

test('the last of two equal keywords wins, and a section may come twice', () => {
  assert.deepEqual(sectionsOf('[env]\r\na = 1\r\na = 2\r\n[x]\r\n[env]\r\nb=3'), {
    env: { a: '2', b: '3' },
    x: {},
  });
});

test('a section may be indented as a whole', () => {
  assert.deepEqual(sectionsOf('  [env]\n  a = 1\n    2\n  b = 3'), { env: { a: '1\n2', b: '3' } });
});

test('what cannot be read is named by its line', () => {
  assert.deepEqual(sectionsOf('[env]\na = 1\n\njunk'), { ok: false, line: 4, text: 'junk' });
  assert.deepEqual(sectionsOf('a = 1'), { ok: false, line: 1, text: 'a = 1' });
  assert.deepEqual(sectionsOf('[env]\n= 1'), { ok: false, line: 2, text: '= 1' });
});

test('names of JavaScript are names like any other', () => {
  const parsed = parseIni('[__proto__]\nconstructor = 1\n[env]\n__proto__ = 2');
  assert.ok(parsed.ok);
  assert.deepEqual(Object.keys(parsed.sections), ['__proto__', 'env']);
  assert.equal(parsed.sections['__proto__']?.['constructor'], '1');
  assert.equal(({} as Record<string, unknown>)['constructor'], Object);
});

test('what is written is read, and nothing makes it throw', () => {
  const word = fc.stringMatching(/^[a-z_]{1,8}(@[a-z0-9]{1,4})?$/);
  const line = fc.stringMatching(/^[!-~]([ -~]{0,18}[!-~])?$/).filter((text) => !/^[#;]/.test(text));
  const value = fc.array(line, { minLength: 1, maxLength: 3 });
  const config = fc.dictionary(word, fc.dictionary(word, value, { noNullPrototype: true }), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(config, (sections) => {
      const text = Object.entries(sections)
        .map(([name, keywords]) =>
          [
            `[${name}]`,
            ...Object.entries(keywords).map(([key, lines]) => `${key} = ${lines.join('\n\t')}`),
          ].join('\n'),
        )
        .join('\n\n');
      const expected = Object.fromEntries(
        Object.entries(sections).map(([name, keywords]) => [
          name,
          Object.fromEntries(Object.entries(keywords).map(([key, lines]) => [key, lines.join('\n')])),
        ]),
      );
      assert.deepEqual(sectionsOf(text), expected);
    }),
    { numRuns: 300 },
  );
  fc.assert(fc.property(fc.string(), (text) => void parseIni(text)));
});
