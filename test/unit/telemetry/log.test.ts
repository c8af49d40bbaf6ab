import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createLog, type LogOptions } from '../../../src/telemetry/log.js';
import { createFakeClock } from '../../support/fake-clock.js';

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = createFakeClock();
  const log = createLog({
    clock,
    level: 'info',
    format: 'json',
    colour: false,
    write: (line) => lines.push(line),
    ...options,
  });
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, parsed, clock };
}

test('a line is one JSON object with level, ISO time of the injected clock, fields and message', async () => {
  const { log, lines, parsed, clock } = capture();
  await clock.advance(1000);
  log.info({ service: 'ns1/svc/web' }, 'served');
  assert.equal(lines[0]?.endsWith('\n'), true);
  assert.deepEqual(parsed(), [
    { level: 'info', time: '2023-11-14T22:13:21.000Z', service: 'ns1/svc/web', msg: 'served' },
  ]);
});

test('levels below the chosen one are silent', () => {
  const { log, lines } = capture({ level: 'warn' });
  log.debug({}, 'a');
  log.info({}, 'b');
  log.warn({}, 'c');
  log.error({}, 'd');
  assert.equal(lines.length, 2);
});

test('a child puts its fields in each line', () => {
  const { log, parsed } = capture();
  log.child({ round: 7 }).warn({ keys: 2 }, 'slow');
  assert.equal(parsed()[0]?.round, 7);
  assert.equal(parsed()[0]?.keys, 2);
});

test('MUST NOT write a secret, at any depth and in children', () => {
  const { log, lines } = capture();
  const secret = 'hunter2';
  log.info({ password: secret, cluster: { secret }, request: { headers: { Authorization: secret } } }, 'm');
  log.child({ gobetweenPassword: secret }).info({}, 'm');
  log.child({ nested: { token: secret } }).info({}, 'm');
  assert.equal(lines.length, 3);
  assert.doesNotMatch(lines.join(''), /hunter2/);
  assert.match(lines.join(''), /\[hidden\]/);
});

test('pretty lines are for people: one line, no colours unless asked', () => {
  const { log, lines } = capture({ format: 'pretty' });
  log.info({ service: 'web' }, 'served');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^\[2023-11-14T22:13:20\.000Z\] INFO: served \{"service":"web"\}\n$/);
  const coloured = capture({ format: 'pretty', colour: true });
  coloured.log.info({}, 'served');
  // eslint-disable-next-line no-control-regex -- colours are what is looked for
  assert.match(coloured.lines[0] ?? '', /\u001b\[/);
});

test('an Error keeps its message and stack', () => {
  const { log, parsed } = capture();
  log.error({ err: new Error('broken') }, 'm');
  assert.equal((parsed()[0]?.err as { message: string }).message, 'broken');
});

test('text of others cannot forge a line', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { log, lines } = capture({ format });
    log.warn({ service: 'a\n{"level":"info","msg":"forged"}' }, 'x');
    assert.equal(lines.join('').trimEnd().split('\n').length, 1, format);
  }
});

test('for people a line does not repeat what its message says; for programs it has every field', () => {
  const fields = {
    code: 'bad-word',
    severity: 'problem',
    place: 'igw_gobtw_bind x',
    transition: 'raised',
    server: 's1',
  };
  const pretty = capture({ format: 'pretty' });
  pretty.log.warn(fields, 'x is no port [bad-word]');
  assert.match(pretty.lines.join(''), /x is no port \[bad-word\] \{"server":"s1"\}\n$/);
  const json = capture({ format: 'json' });
  json.log.warn(fields, 'x');
  const { code, transition } = JSON.parse(json.lines.join('')) as Record<string, unknown>;
  assert.deepEqual({ code, transition }, { code: 'bad-word', transition: 'raised' });
});

test('lines written before the exit are there after it', () => {
  const url = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
  const program = `
    const { createLog } = await import(${url('telemetry/log.js')});
    const { systemClock } = await import(${url('clock.js')});
    const log = createLog({ clock: systemClock, level: 'info', format: 'json', colour: false });
    for (let line = 0; line < 500; line++) log.info({ line }, 'x');
    log.flush();
    process.exit(0);`;
  const { stderr, stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.equal(stdout, '');
  assert.equal(stderr.trimEnd().split('\n').length, 500);
});
