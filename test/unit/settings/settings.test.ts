import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Environment,
  type Given,
  notices,
  parseSettings,
  reservedPorts,
  type Settings,
} from '../../../src/settings/settings.js';
import { variables } from '../../../src/settings/row.js';
import type { System } from '../../../src/settings/system.js';
import { rows } from '../../../src/settings/table.js';
import { bad, good } from '../../../src/settings/values.js';

const files: Record<string, string> = { '/pw': 's3cret\n', '/ca.pem': 'PEM', '/empty': '\n' };
const system: System = {
  readFile: (path) => {
    const content = files[path];
    return content === undefined ? bad('cannot be read (no such file)') : good(content);
  },
  cores: 4,
  terminal: false,
};

function settingsOf(given: Given, env: Environment = {}): Settings {
  const parsed = parseSettings(given, env, system);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.settings;
}

function errorsOf(given: Given, env: Environment = {}): readonly string[] {
  const parsed = parseSettings(given, env, system);
  assert.ok(!parsed.ok, 'accepted');
  return parsed.errors;
}

describe('defaults (SPEC §10)', () => {
  test('are those of the table of the specification', () => {
    const settings = settingsOf({});
    const expected = {
      socket: null,
      agentTimeoutMs: 30_000,
      gobetweenUrl: 'http://127.0.0.1:8888',
      gobetweenUser: null,
      gobetweenPassword: null,
      gobetweenCa: null,
      reqTimeoutMs: 5000,
      hostname: null,
      gateways: [],
      defaultAddr: '0.0.0.0',
      portRange: { from: 1024, to: 65_535 },
      reserve: [],
      writeBack: 'on',
      listen: { addr: '127.0.0.1', port: 8889 },
      metricsListen: null,
      control: '/run/gobtw-janitor.sock',
      policy: 'sync',
      rate: 5000,
      concurrency: 8,
      replaceRate: 50,
      quietWaitMs: 5000,
      workers: 3,
      windowMs: 20,
      sweepMs: 30_000,
      resyncMs: null,
      deleteGraceMs: 300_000,
      stateDir: null,
      allowExecHealthcheck: false,
      allowAcme: false,
      tlsDir: null,
      logLevel: 'info',
      logFormat: 'json',
      given: [],
      unknownVariables: [],
    };
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map((name) => [name, settings[name as keyof Settings]])),
      expected,
    );
    assert.ok(Object.isFrozen(settings));
    assert.deepEqual(notices(settings), []);
  });

  test('one core still means one worker, and a terminal means pretty logs', () => {
    const parsed = parseSettings({}, {}, { ...system, cores: 1, terminal: true });
    assert.ok(parsed.ok);
    assert.equal(parsed.settings.workers, 1);
    assert.equal(parsed.settings.logFormat, 'pretty');
  });
});

describe('sources', () => {
  test('every row has a flag of its own and accepts its own example from both sources', () => {
    const seen = new Set<string>();
    for (const [, row] of rows) {
      assert.ok(!seen.has(row.flag), row.flag);
      seen.add(row.flag);
      assert.ok(row.parse(row.example).ok, `${row.flag} refuses its example ${row.example}`);
    }
    assert.equal(
      variables(rows.find(([name]) => name === 'reqTimeoutMs')?.[1] ?? assert.fail())[0],
      'GOBTW_JANITOR_REQ_TIMEOUT',
    );
  });

  test('a flag beats its variable, and an empty variable is none', () => {
    const env = { GOBTW_JANITOR_RATE: '7', GOBTW_JANITOR_CONCURRENCY: '', GOBTW_JANITOR_SWEEP: '1m30s' };
    const settings = settingsOf({ rate: '9' }, env);
    assert.equal(settings.rate, 9);
    assert.equal(settings.concurrency, 8);
    assert.equal(settings.sweepMs, 90_000);
    assert.deepEqual([...settings.given].sort(), ['rate', 'sweepMs']);
  });

  test('a wrong variable that a flag overrules is not read', () => {
    assert.equal(settingsOf({ rate: '9' }, { GOBTW_JANITOR_RATE: 'fast' }).rate, 9);
  });

  test('OPENSVC_LSNR_SOCK and GOBETWEEN_URL come after our own variables', () => {
    const env = { OPENSVC_LSNR_SOCK: '/old.sock', GOBETWEEN_URL: 'http://10.0.0.9:1' };
    assert.equal(settingsOf({}, env).socket, '/old.sock');
    assert.equal(settingsOf({}, { ...env, GOBTW_JANITOR_SOCKET: '/new.sock' }).socket, '/new.sock');
    assert.equal(settingsOf({}, env).gobetweenUrl, 'http://10.0.0.9:1');
  });

  test('lists are repeated, or separated by blanks or commas', () => {
    assert.deepEqual(settingsOf({ gateway: ['igw', 'igw2'] }).gateways, ['igw', 'igw2']);
    assert.deepEqual(settingsOf({}, { GOBTW_JANITOR_GATEWAY: 'igw, igw2' }).gateways, ['igw', 'igw2']);
    assert.deepEqual(settingsOf({ reserve: ['80,443', '9100'] }).reserve, [80, 443, 9100]);
  });

  test('switches take on and off from the environment', () => {
    assert.equal(settingsOf({ 'allow-acme': true }).allowAcme, true);
    for (const [text, value] of [
      ['1', true],
      ['Yes', true],
      ['off', false],
      ['0', false],
    ] as const) {
      assert.equal(settingsOf({}, { GOBTW_JANITOR_ALLOW_ACME: text }).allowAcme, value);
    }
    assert.match(errorsOf({}, { GOBTW_JANITOR_ALLOW_ACME: 'maybe' })[0] ?? '', /neither on nor off/);
  });
});

describe("GoBetween's address", () => {
  test('the flags of the former janitor make the URL', () => {
    assert.equal(settingsOf({ addr: '10.0.0.1', port: '9000' }).gobetweenUrl, 'http://10.0.0.1:9000');
    assert.equal(settingsOf({ port: '9000' }).gobetweenUrl, 'http://127.0.0.1:9000');
    assert.equal(settingsOf({ addr: '::1' }).gobetweenUrl, 'http://[::1]:8888');
    assert.equal(settingsOf({ addr: 'lb.example.' }).gobetweenUrl, 'http://lb.example.:8888');
  });

  test('the nearer source wins, and twice on one level is refused', () => {
    assert.equal(
      settingsOf({ port: '9000' }, { GOBETWEEN_URL: 'http://x:1' }).gobetweenUrl,
      'http://127.0.0.1:9000',
    );
    assert.equal(
      settingsOf({ gobetween: 'http://x:1' }, { GOBTW_JANITOR_PORT: '9000' }).gobetweenUrl,
      'http://x:1',
    );
    assert.match(
      errorsOf({ gobetween: 'http://x:1', port: '9000' })[0] ?? '',
      /^--gobetween and --port name GoBetween twice/,
    );
  });

  test('a URL is reduced to its origin; credentials in it are refused and not repeated', () => {
    assert.equal(settingsOf({ gobetween: 'HTTPS://LB.example:443/' }).gobetweenUrl, 'https://lb.example');
    const [line = ''] = errorsOf({ gobetween: 'http://admin:hunter2@lb:8888' });
    assert.match(line, /holds credentials/);
    assert.doesNotMatch(line, /hunter2/);
    for (const url of ['lb:8888', 'ftp://lb', 'http://', 'http://lb/api', 'http://lb/?x=1']) {
      assert.equal(errorsOf({ gobetween: url }).length, 1, url);
    }
  });
});

describe('secrets and files', () => {
  const user = { 'gobetween-user': 'admin' };

  test('the password comes from a file, without its line end, or from the environment', () => {
    assert.equal(settingsOf({ ...user, 'gobetween-password-file': '/pw' }).gobetweenPassword, 's3cret');
    assert.equal(settingsOf(user, { GOBTW_JANITOR_GOBETWEEN_PASSWORD: 'x' }).gobetweenPassword, 'x');
    const both = settingsOf(
      { ...user, 'gobetween-password-file': '/pw' },
      { GOBTW_JANITOR_GOBETWEEN_PASSWORD: 'x' },
    );
    assert.equal(both.gobetweenPassword, 's3cret');
  });

  test('never from a flag', () => {
    const [line = ''] = errorsOf({ ...user, 'gobetween-password': 'x' });
    assert.match(line, /given without a password/);
  });

  test('half of a pair, an unreadable file and an empty one are refused', () => {
    assert.match(errorsOf({ 'gobetween-password-file': '/pw' })[0] ?? '', /without a user/);
    assert.match(
      errorsOf({ ...user, 'gobetween-password-file': '/none' })[0] ?? '',
      /^--gobetween-password-file "\/none" cannot be read/,
    );
    assert.match(errorsOf({ ...user, 'gobetween-password-file': '/empty' })[0] ?? '', /empty file/);
    assert.match(errorsOf({ 'gobetween-ca': '/ca.pem' })[0] ?? '', /is not https/);
    assert.equal(settingsOf({ 'gobetween-ca': '/ca.pem', gobetween: 'https://lb' }).gobetweenCa, 'PEM');
  });
});

describe('errors', () => {
  test('all of them at once, one clear line each: place, value, what is wrong, an example', () => {
    assert.deepEqual(
      errorsOf(
        { rate: 'fast', listen: '::1:8889', 'port-range': '9-1', hostname: '' },
        { GOBTW_JANITOR_SWEEP: '30', GOBTW_JANITOR_POLICY: 'dry\nrun' },
      ),
      [
        '--hostname "" is empty; write for example --hostname gw1',
        'GOBTW_JANITOR_POLICY "dry?run" is none of sync, upsert-only, observe; write for example GOBTW_JANITOR_POLICY=observe',
        '--port-range "9-1" begins after its end; write for example --port-range 20000-29999',
        'GOBTW_JANITOR_SWEEP "30" has no unit; write for example GOBTW_JANITOR_SWEEP=30s',
        '--rate "fast" is not a number of calls a second (0 is no limit); write for example --rate 5000',
        '--listen "::1:8889" needs brackets around the IPv6 address; write for example --listen 127.0.0.1:8889',
      ],
    );
  });

  test('two servers on one port are refused', () => {
    assert.match(errorsOf({ 'metrics-listen': '0.0.0.0:8889' })[0] ?? '', /share port 8889/);
    assert.equal(settingsOf({ 'metrics-listen': '10.0.0.1:8889' }).metricsListen?.addr, '10.0.0.1');
    assert.equal(settingsOf({ listen: '127.0.0.1:0', 'metrics-listen': '127.0.0.1:0' }).listen?.port, 0);
  });
});

test('variables that look like ours and are none are named', () => {
  assert.deepEqual(notices(settingsOf({}, { GOBTW_JANITOR_RAET: '1', HOME: '/' })), [
    'GOBTW_JANITOR_RAET is no variable of gobtw-janitor; it is ignored',
  ]);
});

test("reserved ports are those of this gateway's programs, the agent's and --reserve (SPEC §5)", () => {
  const ports = reservedPorts(settingsOf({ reserve: ['9100'], 'metrics-listen': '0.0.0.0:9889' }));
  assert.deepEqual(
    [...ports].sort((a, b) => a - b),
    [1214, 1215, 8888, 8889, 9100, 9284, 9889],
  );
  assert.ok(reservedPorts(settingsOf({ gobetween: 'https://lb' })).has(443));
  assert.ok(!reservedPorts(settingsOf({ listen: 'off' })).has(8889));
});
