import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { completionScript } from '../../../src/cli/completion.js';
import { verbDocs } from '../../../src/cli/verbs.js';
import { rows } from '../../../src/settings/table.js';

/** What bash offers for `gobtw-janitor ...words`, the last one being typed. */
function offered(...words: readonly string[]): readonly string[] {
  const line = ['gobtw-janitor', ...words];
  const script = [
    completionScript('bash'),
    `COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${line.length - 1}`,
    '_gobtw_janitor',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  test('for bash: verbs, options of a verb, and values', () => {
    assert.deepEqual(offered('sta'), ['status']);
    assert.deepEqual(offered('pause', '--fo'), ['--for']);
    assert.deepEqual(offered('explain', 'port-c'), ['port-conflict']);
    assert.deepEqual(offered('policy', 'u'), ['upsert-only']);
    assert.deepEqual(offered('run', '--policy', 'o'), ['observe']);
    assert.deepEqual(offered('--log-level', 'd'), ['debug']);
    assert.deepEqual(offered('plan', '--outp'), ['--output']);
    assert.deepEqual(offered('status', '--no-t'), [], 'an option of another verb');
  });

  test('has every verb and every setting, and no secret, for each shell', () => {
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      const script = completionScript(shell);
      for (const verb of Object.keys(verbDocs)) assert.ok(script.includes(verb), `${shell}: ${verb}`);
      for (const [, row] of rows) {
        const found = new RegExp(`(--|-l )${row.flag}\\b(?!-)`).test(script);
        assert.equal(found, row.secret !== true, `${shell}: ${row.flag}`);
      }
    }
  });

  for (const shell of ['zsh', 'fish'] as const) {
    const absent = spawnSync(shell, ['--version']).error !== undefined;
    test(`for ${shell} can be read by it`, { skip: absent ? `SKIPPED: no ${shell} here` : false }, () => {
      const dir = mkdtempSync(join(tmpdir(), 'igw-completion-'));
      const file = join(dir, shell);
      writeFileSync(file, completionScript(shell));
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      rmSync(dir, { recursive: true });
      assert.equal(status, 0, stderr);
    });
  }
});
