import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import type { Io } from '../../../src/cli/io.js';
import { runProgram } from '../../../src/cli/program.js';
import { createValidate } from '../../../src/cli/validate.js';
import { verbsWith } from '../../support/verbs.js';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Told {
  readonly service: string;
  readonly verdict: string;
  readonly problems: readonly {
    readonly code: string;
    readonly severity: string;
    readonly place: string;
    readonly mend: string;
  }[];
  readonly exposes: readonly { readonly word: string; readonly server: string | null }[];
}

async function validate(args: readonly string[], stdin = ''): Promise<Outcome> {
  let out = '';
  let err = '';
  const io: Io = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    progress: () => undefined,
    env: {},
    columns: null,
    colour: false,
    version: '1.2.3',
    onSignal: () => () => undefined,
  };
  const code = await runProgram(
    ['validate', '--hostname', 'gw1', ...args],
    verbsWith({ validate: createValidate(io, Readable.from([stdin])) }),
    io,
  );
  return { code, out, err };
}

async function told(args: readonly string[], stdin?: string): Promise<Told & { readonly code: number }> {
  const { code, out } = await validate([...args, '--output', 'json'], stdin);
  return { ...(JSON.parse(out) as Told), code };
}

const short = ({ code, severity, place }: Told['problems'][number]): string => `${severity} ${code} ${place}`;

describe('wrong usage', () => {
  test('nothing at all says how to use it, exit 64', async () => {
    const { code, out, err } = await validate([]);
    assert.equal(code, 64);
    assert.equal(out, '');
    assert.match(err, /^gobtw-janitor: validate wants to know what to check; write one of\n/);
    for (const way of ['--service ns1/svc/web', '--file web.conf', "'igw_gobtw_bind=80/tcp'"])
      assert.ok(err.includes(`gobtw-janitor validate ${way}`), way);
  });
  test('one clear line each, exit 64', async () => {
    const lines: readonly (readonly [readonly string[], RegExp])[] = [
      [['igw_gobtw_bind'], /igw_gobtw_bind is no keyword=value/],
      [['=x'], /is no keyword=value/],
      [['--file', 'x', 'a=1'], /--file and keywords cannot be checked together/],
      [['--service', 'a/b/c/d'], /a\/b\/c\/d is no path of a service/],
      [['--service', 'ns1/vol/web'], /ns1\/vol\/web is no path of a service/],
      [['--rate', 'x', 'a=1'], /--rate/],
    ];
    for (const [args, pattern] of lines) {
      const { code, out, err } = await validate(args);
      assert.deepEqual([code, out], [64, ''], args.join(' '));
      assert.match(err, pattern);
      assert.match(err, /^gobtw-janitor: [^\n]+\n$/);
    }
  });
});

describe('keywords', () => {
  test('valid ones: exit 0, and what they would expose', async () => {
    const { code, out } = await validate(['igw_gobtw_bind=80/tcp', 'env.igw_gobtw_balance=RoundRobin']);
    assert.equal(code, 0);
    assert.equal(
      out,
      [
        'NAME: no problem',
        '',
        'It exposes:',
        'WORD    LISTENS ON     SERVER                  SRV RECORD',
        '80/tcp  0.0.0.0:*/tcp  _80._tcp.NAME.root.svc  _80._tcp.NAME.root.svc.<cluster>.',
        '',
      ].join('\n'),
    );
  });
  test('every problem with its place, code and mending: exit 1', async () => {
    const { code, out } = await validate([
      'igw_gobtw_bind=443/tcp-8443 80/tcp',
      'igw_gobtw_balance=x',
      'igw_gobtw_access=rules="allow host"',
    ]);
    assert.equal(code, 1);
    assert.match(out, /^NAME: 3 problems$/m);
    assert.match(
      out,
      /^problem: igw_gobtw_bind 443\/tcp-8443 \[bad-word\]\n .+\n {2}To mend: did you mean 443\/tcp-:8443\?$/m,
    );
    assert.match(out, /^problem: igw_gobtw_balance \[bad-keyword\]$/m);
    assert.match(out, /^problem: igw_gobtw_access \[bad-section\]$/m);
  });
  test('warnings only: exit 0', async () => {
    const { code, problems } = await told([
      'igw_gobtw_bind=80/tcp',
      'igw_gobtw_discovery_interval=0',
      'foo=1',
    ]);
    assert.equal(code, 0);
    assert.deepEqual(problems.map(short), [
      'warning discovery-once igw_gobtw_discovery_interval',
      'warning unknown-keyword foo',
    ]);
  });
  test('without a bind they are checked all the same', async () => {
    const good = await told(['igw_gobtw_balance=leastconn']);
    assert.deepEqual([good.code, good.exposes], [0, []]);
    assert.deepEqual(good.problems.map(short), ['warning forced-default igw_gobtw_bind']);
    const wrong = await told(['igw_gobtw_protocol=tls']);
    assert.equal(wrong.code, 1);
    assert.deepEqual(wrong.problems.map(short).slice(0, 1), ['problem bad-section igw_gobtw_tls']);
  });
  test('settings count: what this gateway allows, reserves and listens on', async () => {
    const exec = ['igw_gobtw_healthcheck_kind=exec', 'igw_gobtw_healthcheck_exec_command=/bin/true'];
    assert.equal((await told(['igw_gobtw_bind=80/tcp', ...exec])).code, 1);
    assert.equal((await told(['--allow-exec-healthcheck', 'igw_gobtw_bind=80/tcp', ...exec])).code, 0);
    const reserved = await told(['--reserve', '8080', 'igw_gobtw_bind=80/tcp-:8080']);
    assert.deepEqual(reserved.problems.map(short), ['problem port-reserved igw_gobtw_bind 80/tcp-:8080']);
    const { out } = await validate(['--default-addr', '10.0.0.1', 'igw_gobtw_bind=80/tcp']);
    assert.match(out, /10\.0\.0\.1:\*\/tcp/);
  });
  test('--service says whose they are', async () => {
    const named = await told(['--service', 'ns1/svc/web', 'igw_gobtw_bind=80/tcp']);
    assert.deepEqual([named.service, named.exposes[0]?.server], ['ns1/svc/web', '_80._tcp.web.ns1.svc']);
  });
  test('what was typed cannot steer the terminal', async () => {
    const { out } = await validate(['igw_gobtw_bind=80/tcp\u001b[31m', '\u001b[2J=1']);
    assert.ok(!out.includes('\u001b'));
  });
});

describe('a config file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'validate-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const config = '[ip#1]\nexpose = 80/tcp\n\n[env]\nigw_gobtw_bind = 80/tcp\n  443/tcp\n';

  test('is judged as the service that it is named for, expose lines too', async () => {
    const place = join(folder, 'namespaces', 'ns1', 'svc');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'web.conf'), config);
    const found = await told(['--file', join(place, 'web.conf')]);
    assert.deepEqual([found.code, found.service], [0, 'ns1/svc/web']);
    assert.deepEqual(found.problems.map(short), ['warning not-exposed igw_gobtw_bind 443/tcp']);
    writeFileSync(join(folder, 'api.conf'), config);
    assert.equal((await told(['--file', join(folder, 'api.conf')])).service, 'api');
  });
  test('from standard input', async () => {
    const found = await told(['--file', '-', '--service', 'web'], config);
    assert.deepEqual([found.service, found.exposes.length], ['web', 2]);
  });
  test('a reference cannot be evaluated: a warning', async () => {
    const found = await told(['--file', '-'], `${config}igw_gobtw_balance = {env.b}\nb = weight\n`);
    assert.deepEqual([found.code, found.verdict], [0, 'undecided']);
    assert.match(found.problems[0]?.mend ?? '', /validate --service/);
  });
  test('a reference loop is seen in the text: a problem', async () => {
    const found = await told(['--file', '-'], '[env]\nigw_gobtw_bind = {env.a}\na = {env.a}\n');
    assert.equal(found.code, 1);
    assert.deepEqual(found.problems.map(short), ['problem reference-loop the config']);
  });
  test('a slave, and a service that asks for nothing', async () => {
    const text = `[DEFAULT]\nscaler_slave = true\n${config}`;
    const slave = await told(['--file', '-', '--service', 'ns1/svc/0.web'], text);
    assert.deepEqual([slave.code, slave.verdict], [0, 'slave']);
    assert.match((await validate(['--file', '-'], '[env]\na = 1\n')).out, /It asks for nothing/);
  });
  test('that is none: the line, exit 1', async () => {
    const { code, out } = await validate(['--file', '-'], '[env]\nigw_gobtw_bind 80/tcp\n');
    assert.equal(code, 1);
    assert.match(out, /^problem: line 2 \[config-unreadable\]$/m);
  });
  test('that cannot be read: one line, exit 1', async () => {
    for (const path of [join(folder, 'absent.conf'), folder]) {
      const { code, out, err } = await validate(['--file', path]);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /^gobtw-janitor: cannot read [^\n]+\n$/);
    }
  });
});
