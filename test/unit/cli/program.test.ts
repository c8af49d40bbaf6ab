import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Io } from '../../../src/cli/io.js';
import { runProgram } from '../../../src/cli/program.js';
import { type ExitCode, type Verbs, verbDocs } from '../../../src/cli/verbs.js';
import type { Environment, Settings } from '../../../src/settings/settings.js';
import { rows } from '../../../src/settings/table.js';

interface Outcome {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly {
    readonly verb: string;
    readonly settings: Settings;
    readonly options: unknown;
  }[];
}

async function cli(
  line: string,
  fields: { env?: Environment; io?: Partial<Io>; code?: ExitCode } = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const calls: { verb: string; settings: Settings; options: unknown }[] = [];
  const io: Io = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    progress: () => undefined,
    env: fields.env ?? {},
    columns: null,
    colour: false,
    version: '9.8.7',
    onSignal: () => () => undefined,
    ...fields.io,
  };
  const record = (verb: string) => async (settings: Settings, options?: unknown) => {
    calls.push({ verb, settings, options });
    return fields.code ?? 0;
  };
  const all: Verbs = {
    demo: record('demo'),
    validate: record('validate'),
    plan: record('plan'),
    apply: record('apply'),
    run: record('run'),
    status: record('status'),
    explain: record('explain'),
    watch: record('watch'),
    pause: record('pause'),
    resume: record('resume'),
    policy: record('policy'),
    resync: record('resync'),
    'confirm-deletes': record('confirm-deletes'),
    'support-bundle': record('support-bundle'),
  };
  const code = await runProgram(
    line.split(' ').filter((word) => word !== ''),
    all,
    io,
  );
  return { code, out, err, calls };
}

describe('verbs', () => {
  test('each is called once with its options and valid settings', async () => {
    const lines: readonly (readonly [string, string, unknown])[] = [
      ['demo', 'demo', { check: false }],
      ['demo --check', 'demo', { check: true }],
      ['validate', 'validate', { service: null, file: null, keywords: [], output: 'text' }],
      [
        'validate --service ns1/svc/web --file - a=1 b=2=3 --output json',
        'validate',
        { service: 'ns1/svc/web', file: '-', keywords: ['a=1', 'b=2=3'], output: 'json' },
      ],
      ['plan', 'plan', { output: 'text', refresh: false }],
      ['diff --output json --refresh', 'plan', { output: 'json', refresh: true }],
      ['apply', 'apply', { refresh: false }],
      ['apply --refresh', 'apply', { refresh: true }],
      ['run', 'run', undefined],
      ['status', 'status', { service: null, output: 'text', all: false }],
      [
        'status ns1/svc/web --output json --all',
        'status',
        { service: 'ns1/svc/web', output: 'json', all: true },
      ],
      ['explain 443', 'explain', { subject: '443', output: 'text', tries: true }],
      ['explain web --no-try', 'explain', { subject: 'web', output: 'text', tries: false }],
      ['watch', 'watch', { output: 'text' }],
      ['pause', 'pause', { service: null, forText: '1h' }],
      ['pause web --for 10m', 'pause', { service: 'web', forText: '10m' }],
      ['resume web', 'resume', { service: 'web' }],
      ['policy observe', 'policy', { to: 'observe' }],
      ['resync', 'resync', undefined],
      ['confirm-deletes', 'confirm-deletes', undefined],
      ['support-bundle --file -', 'support-bundle', { file: '-' }],
    ];
    for (const [line, verb, options] of lines) {
      const { code, calls, err } = await cli(line);
      assert.equal(code, 0, line);
      assert.equal(err, '', line);
      assert.equal(calls.length, 1, line);
      assert.equal(calls[0]?.verb, verb);
      assert.deepEqual(calls[0]?.options, options);
      assert.equal(calls[0]?.settings.policy, 'sync', line);
    }
  });

  test('their exit code is the exit code', async () => {
    for (const code of [0, 1, 2] as const) assert.equal((await cli('plan', { code })).code, code);
  });

  test('version', async () => {
    for (const line of ['version', '--version', '-V', 'run --version']) {
      assert.deepEqual(await cli(line), { code: 0, out: 'gobtw-janitor 9.8.7\n', err: '', calls: [] }, line);
    }
  });
});

describe('settings', () => {
  test('stand before or after the verb, and beat the environment', async () => {
    const env = { GOBTW_JANITOR_RATE: '1', GOBTW_JANITOR_CONCURRENCY: '2' };
    for (const line of ['--rate 7 run', 'run --rate 7', 'run --rate=7']) {
      const [call] = (await cli(line, { env })).calls;
      assert.equal(call?.settings.rate, 7, line);
      assert.equal(call?.settings.concurrency, 2, line);
    }
  });

  test('every flag of the table is accepted', async () => {
    for (const [, row] of rows) {
      if (
        row.secret === true ||
        ['gobetween-password-file', 'gobetween-ca', 'gobetween-user'].includes(row.flag)
      )
        continue;
      const { code, err } = await cli(`run --${row.flag}${row.argument === null ? '' : ` ${row.example}`}`);
      assert.equal(code, 0, `${row.flag}: ${err}`);
    }
  });

  test('without a verb they mean run, as the former janitor was started', async () => {
    const [call] = (await cli('-a 10.0.0.1 -p 9000 --req-timeout 3 --gateway a --gateway b')).calls;
    assert.equal(call?.verb, 'run');
    assert.equal(call?.settings.gobetweenUrl, 'http://10.0.0.1:9000');
    assert.equal(call?.settings.reqTimeoutMs, 3000);
    assert.deepEqual(call?.settings.gateways, ['a', 'b']);
  });

  test('wrong ones are one line each on standard error, exit 64, and the verb is not called', async () => {
    const { code, out, err, calls } = await cli('run --rate x --sweep 5', {
      env: { GOBTW_JANITOR_POLICY: 'x' },
    });
    assert.equal(code, 64);
    assert.equal(out, '');
    assert.equal(calls.length, 0);
    const lines = err.trimEnd().split('\n');
    assert.equal(lines.length, 3);
    for (const line of lines) assert.match(line, /^gobtw-janitor: .+; write for example /);
  });
});

describe('wrong usage', () => {
  test('is one clear line that says where to look, and exit 64', async () => {
    const lines: readonly (readonly [string, RegExp])[] = [
      ['rum', /unknown verb 'rum' \(Did you mean run\?\)/],
      ['stauts web', /unknown verb 'stauts' \(Did you mean status\?\)/],
      ['run --ratee 5', /unknown option '--ratee' \(Did you mean --rate\?\)/],
      ['--ratee 5', /unknown option '--ratee'/],
      ['run --rate', /'--rate <N>' argument missing/],
      ['run now', /too many arguments for 'run'/],
      ['plan --output xml', /argument 'xml' is invalid. Allowed choices are text, json/],
      ['explain', /missing required argument 'subject'/],
      ['policy off', /argument 'policy'\. Allowed choices are sync, upsert-only, observe/],
      ['completion tcsh', /Allowed choices are bash, zsh, fish/],
      ['run --gobetween-password x', /unknown option '--gobetween-password'/],
      ['run --allow-acme=yes', /'--allow-acme/],
    ];
    for (const [line, pattern] of lines) {
      const { code, out, err, calls } = await cli(line);
      assert.equal(code, 64, line);
      assert.equal(out, '', line);
      assert.equal(calls.length, 0, line);
      assert.match(err, pattern);
      assert.match(err, /^gobtw-janitor: [^\n]+; see gobtw-janitor --help\n$/, line);
    }
  });

  test('nothing at all shows the help on standard error', async () => {
    const { code, out, err } = await cli('');
    assert.equal(code, 64);
    assert.equal(out, '');
    assert.match(err, /Verbs, in order of use/);
    assert.match((await cli('help nonsense')).err, /Verbs, in order of use/);
  });

  test('what was typed cannot steer the terminal', async () => {
    const { err } = await cli('\u001b[31mred');
    assert.ok(!err.includes('\u001b'));
  });
});

describe('help', () => {
  test('shows intro, verbs in order, examples, exit codes and every setting, on standard output', async () => {
    const { code, out, err } = await cli('--help');
    assert.equal(code, 0);
    assert.equal(err, '');
    const sections = [
      'Usage',
      'Verbs, in order of use',
      'Examples',
      'Exit codes',
      'Settings',
      'GoBetween',
      'Pace',
    ];
    const places = sections.map((section) => out.indexOf(`\n${section}\n`));
    assert.deepEqual(
      [...places].sort((a, b) => a - b),
      places,
    );
    assert.ok(places.every((place) => place > 0));
    for (const verb of Object.keys(verbDocs)) assert.match(out, new RegExp(`^ {2}${verb} `, 'm'));
    for (const [, row] of rows)
      assert.equal(
        out.includes(`--${row.flag} `) || out.includes(`--${row.flag}\n`),
        row.secret !== true,
        row.flag,
      );
    assert.doesNotMatch(out, /[ \t]$/m);
  });

  test('fits the terminal', async () => {
    for (const columns of [72, 80, 200]) {
      const { out } = await cli('--help', { io: { columns } });
      const widest = Math.max(...out.split('\n').map((line) => line.length));
      assert.ok(widest <= Math.min(columns, 110), `${widest} > ${columns}`);
    }
  });

  test('colours only where colours are wanted', async () => {
    // eslint-disable-next-line no-control-regex -- colours are what is looked for
    const colours = /\u001b\[1m/;
    assert.doesNotMatch((await cli('--help')).out, colours);
    assert.match((await cli('--help', { io: { colour: true } })).out, colours);
  });

  test('of a verb shows its own options', async () => {
    assert.match((await cli('validate --help')).out, /validate \[keyword=value\.\.\.\] \[options\]/);
    for (const line of ['plan --help', 'help plan', 'diff -h']) {
      const { code, out } = await cli(line);
      assert.equal(code, 0, line);
      assert.match(out, /gobtw-janitor plan \[options\] \[settings\]/);
      assert.match(out, /--output <format>/);
    }
  });
});
