import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runProgram, startProgram } from '../support/process.js';

const AT_A_TIME = 4;

/** Arguments or variables, and what the line must name. */
const wrong: readonly (readonly [args: readonly string[], env: Record<string, string>, names: RegExp])[] = [
  [['run', '--rate', 'fast'], {}, /--rate "fast"/],
  [['run', '--policy', 'delete-all'], {}, /--policy "delete-all"/],
  [['run', '--port-range', '70000-1'], {}, /--port-range "70000-1"/],
  [['run', '--gobetween', 'ftp://x'], {}, /--gobetween "ftp:\/\/x"/],
  [['run', '--delete-grace', '5'], {}, /--delete-grace "5"/],
  [['run', '--listen', 'here'], {}, /--listen "here"/],
  [['run', '--default-addr', 'localhost'], {}, /--default-addr "localhost"/],
  [['run', '--concurrency', '0'], {}, /--concurrency "0"/],
  [
    ['run', '--gobetween-password-file', '/no/such/file', '--gobetween-user', 'x'],
    {},
    /--gobetween-password-file "\/no\/such\/file"/,
  ],
  [['run', '--gobetween', 'http://127.0.0.1:1', '--port', '8888'], {}, /name GoBetween twice/],
  [['run', '--no-such-flag'], {}, /--no-such-flag/],
  [['run', 'surplus'], {}, /surplus|argument/],
  [['frobnicate'], {}, /frobnicate/],
  [['plan', '--output', 'xml'], {}, /xml/],
  [['run'], { GOBTW_JANITOR_RATE: 'fast' }, /GOBTW_JANITOR_RATE "fast"/],
  [['run'], { GOBTW_JANITOR_WINDOW: '-1s' }, /GOBTW_JANITOR_WINDOW "-1s"/],
  [['run'], { GOBETWEEN_URL: 'nonsense' }, /GOBETWEEN_URL "nonsense"/],
  [['apply'], { GOBTW_JANITOR_WRITE_BACK: 'maybe' }, /GOBTW_JANITOR_WRITE_BACK "maybe"/],
];

describe('wrong usage', () => {
  test('Wrong flag or environment value: exit 64 and one clear line each', async (t) => {
    const check = async ([args, env, names]: (typeof wrong)[number]): Promise<void> => {
      const { code, stdout, stderr } = await runProgram(t, args, env);
      const shown = [...args, ...Object.entries(env).map((pair) => pair.join('='))].join(' ');
      assert.equal(code, 64, `${shown}: exit code ${code}`);
      assert.equal(stdout, '', shown);
      assert.match(stderr, names);
      assert.equal(stderr.trimEnd().split('\n').length, 1, `${shown}:\n${stderr}`);
      assert.doesNotMatch(stderr, /\bat .*\.js:\d+/, 'no stack');
    };
    for (let i = 0; i < wrong.length; i += AT_A_TIME)
      await Promise.all(wrong.slice(i, i + AT_A_TIME).map(check));
  });

  test('all that is wrong is said at once, a line each, and no secret is shown', async (t) => {
    const { code, stderr } = await runProgram(
      t,
      ['run', '--rate', 'fast', '--sweep', 'often', '--gobetween', 'http://me:s3cret@:x'],
      {
        GOBTW_JANITOR_POLICY: 'none',
        GOBTW_JANITOR_GOBETWEEN_PASSWORD: 's3cret',
      },
    );
    assert.equal(code, 64);
    const lines = stderr.trimEnd().split('\n');
    for (const name of ['--rate', '--sweep', '--gobetween', 'GOBTW_JANITOR_POLICY']) {
      assert.equal(lines.filter((line) => line.includes(`${name} "`)).length, 1, `${name}:\n${stderr}`);
    }
    assert.ok(!stderr.includes('s3cret'), stderr);
  });

  test('--help and --version answer, and are no error', async (t) => {
    for (const args of [['--help'], ['run', '--help'], ['--version']]) {
      const { code, stdout, stderr } = await runProgram(t, args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(stdout.length > 3);
    }
  });
});

describe('run', () => {
  test('says that it runs, as whom and against what, that it looks again, and that it stops', async (t) => {
    const flags = ['--socket', '/no/such/socket', '--gobetween', 'http://127.0.0.1:1', '--listen', 'off'];
    const janitor = startProgram(t, ['run', ...flags, '--hostname', 'gw1', '--gateway', 'igw']);
    const line = JSON.parse(await janitor.line(/gobtw-janitor [\d.]+ runs/)) as Record<string, unknown>;
    const { names, policy, gobetween } = line;
    assert.deepEqual(
      { names, policy, gobetween },
      { names: ['gw1', 'igw'], policy: 'sync', gobetween: 'http://127.0.0.1:1' },
    );
    await janitor.line(/the OpenSVC agent: \/no\/such\/socket: ENOENT: there is no such socket/);
    janitor.signal('SIGHUP');
    await janitor.line(/SIGHUP: looking at the whole cluster/);
    janitor.signal('SIGTERM');
    await janitor.line(/stopping: .*every server stays/);
    assert.equal((await janitor.exited).code, 0);
  });
});
