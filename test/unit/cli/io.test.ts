import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { colourOf, columnsOf } from '../../../src/cli/io.js';

const main = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

function start(args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
}

test('colours: NO_COLOR wins, FORCE_COLOR colours a pipe, a dumb terminal gets none', () => {
  assert.equal(colourOf({}, true), true);
  assert.equal(colourOf({}, false), false);
  assert.equal(colourOf({ NO_COLOR: '1', FORCE_COLOR: '1' }, true), false);
  assert.equal(colourOf({ NO_COLOR: '' }, true), true);
  assert.equal(colourOf({ FORCE_COLOR: '1' }, false), true);
  assert.equal(colourOf({ FORCE_COLOR: '0' }, true), false);
  assert.equal(colourOf({ TERM: 'dumb' }, true), false);
});

test('COLUMNS beats the terminal, when it is a number that makes sense', () => {
  assert.equal(columnsOf({}, 80), 80);
  assert.equal(columnsOf({}, null), null);
  assert.equal(columnsOf({ COLUMNS: '120' }, 80), 120);
  assert.equal(columnsOf({ COLUMNS: '120' }, null), 120);
  assert.equal(columnsOf({ COLUMNS: '3' }, 80), 80);
  assert.equal(columnsOf({ COLUMNS: 'wide' }, 80), 80);
});

test('the built program: help, version and errors, without a terminal', () => {
  const help = start(['--help']);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^gobtw-janitor \d+\.\d+\.\d+\n/);
  const wrong = start(['rnu'], { COLUMNS: '60' });
  assert.equal(wrong.status, 64);
  assert.equal(wrong.stdout, '');
  assert.match(wrong.stderr, /Did you mean run\?/);
  assert.equal(start(['validate', 'igw_gobtw_bind=80/tcp'], { GOBTW_JANITOR_RATE: 'x' }).status, 64);
  assert.equal(start(['validate', 'igw_gobtw_bind=80/tcp'], { GOBTW_JANITOR_RATE: '5' }).status, 0);
});

test('a reader that closes the pipe early ends it quietly', () => {
  const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${main}" --help | head -c 10`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.equal(stderr, '');
});
