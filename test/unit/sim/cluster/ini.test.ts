/** The ini dialect of the configs: what parses, what does not, and edits that touch nothing else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseIni, setKeyword, unsetKeyword } from '../../../../src/sim/cluster/ini.js';

const parsed = (text: string): Record<string, Record<string, string>> => {
  const result = parseIni(text);
  assert.ok(result.ok);
  return Object.fromEntries([...result.sections].map(([name, values]) => [name, Object.fromEntries(values)]));
};

const TEXT =
  '# header\n[DEFAULT]\nnodes = n1 n2\n\n[ip#0]\nexpose = 80/tcp\n\t443/tcp\n\n[env]\na = 1\nKey@n1 : x:y\n';

describe('parseIni', () => {
  test('sections, continuations, both delimiters and scopes', () => {
    assert.deepEqual(parsed(TEXT), {
      DEFAULT: { nodes: 'n1 n2' },
      'ip#0': { expose: '80/tcp\n443/tcp' },
      env: { a: '1', 'Key@n1': 'x:y' },
    });
  });

  test('the first delimiter of a line counts, and the last of two equal keywords', () => {
    assert.deepEqual(parsed('[env]\nb = 80/tcp-0.0.0.0:1024\nb = 81/tcp\nc = a=b\n'), {
      env: { b: '81/tcp', c: 'a=b' },
    });
  });

  test('a line that is no keyword makes the text unreadable, and says which', () => {
    assert.deepEqual(parseIni('[env]\na = 1\nnonsense\n'), { ok: false, line: 3, text: 'nonsense' });
    assert.equal(parseIni('a = 1\n').ok, false);
  });
});

describe('edits', () => {
  test('replace a keyword and its continuation lines, and nothing else', () => {
    const text = setKeyword(TEXT, 'ip#0', 'expose', '81/tcp');
    assert.equal(text, TEXT.replace('expose = 80/tcp\n\t443/tcp', 'expose = 81/tcp'));
  });

  test('add a keyword at the end of its section, and a section at the end of the file', () => {
    assert.equal(setKeyword(TEXT, 'DEFAULT', 'x', '1'), TEXT.replace('n1 n2\n', 'n1 n2\nx = 1\n'));
    assert.deepEqual(parsed(setKeyword(TEXT, 'new#1', 'x', 'l1\nl2'))['new#1'], { x: 'l1\nl2' });
    assert.deepEqual(parsed(setKeyword('', 'env', 'x', '1')), { env: { x: '1' } });
  });

  test('remove one keyword; one that is not there changes nothing', () => {
    assert.deepEqual(parsed(unsetKeyword(TEXT, 'env', 'a'))['env'], { 'Key@n1': 'x:y' });
    assert.equal(unsetKeyword(TEXT, 'env', 'nosuch'), TEXT);
  });
});
