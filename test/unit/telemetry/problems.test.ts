import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Problem, ProblemCode } from '../../../src/model/problem.js';
import { type ServiceKey, serviceKey } from '../../../src/model/service.js';
import { problemLine } from '../../../src/telemetry/problem-line.js';
import { createProblemBoard } from '../../../src/telemetry/problems.js';
import { createFakeClock } from '../../support/fake-clock.js';

const key = (name: string, namespace = 'root'): ServiceKey => serviceKey({ namespace, kind: 'svc', name });

function problem(name: string, fields: Partial<Problem> = {}): Problem {
  return {
    code: 'bad-word',
    severity: 'problem',
    key: key(name),
    place: 'igw_gobtw_bind 443/tcp-8443',
    message: 'the listen part has no colon',
    keeps: 'its other words are served',
    mend: 'write 443/tcp-:8443',
    ...fields,
  };
}

interface Line {
  readonly level: 'info' | 'warn';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function board(firstSyncDone = true) {
  const clock = createFakeClock();
  const lines: Line[] = [];
  const gauges = new Map<ProblemCode, number>();
  const turns: string[] = [];
  const log = {
    info: (fields: Line['fields'], message: string) => void lines.push({ level: 'info', fields, message }),
    warn: (fields: Line['fields'], message: string) => void lines.push({ level: 'warn', fields, message }),
  };
  const metrics = {
    problems: (code: ProblemCode, count: number) => void gauges.set(code, count),
    problemRaised: (code: ProblemCode) => void turns.push(code),
  };
  const it = createProblemBoard({ clock, log, metrics });
  if (firstSyncDone) it.firstSyncDone();
  return { it, clock, lines, gauges, turns };
}

const many = (count: number, code: ProblemCode = 'bad-word'): Problem[] =>
  Array.from({ length: count }, (_, index) => problem(`s${index}`, { code }));

test('a line says who, what, why, what keeps working, how to mend it, and the code', () => {
  assert.equal(
    problemLine(problem('web')),
    'web: igw_gobtw_bind 443/tcp-8443: the listen part has no colon. Meanwhile: its other words are served. ' +
      'To mend: write 443/tcp-:8443. [bad-word]',
  );
  const gateway = problem('x', {
    key: null,
    place: '',
    keeps: '',
    mend: '',
    message: 'No name.',
    code: 'identity-unknown',
  });
  assert.equal(problemLine(gateway), 'this gateway: No name. [identity-unknown]');
});

describe('transitions', () => {
  test('are logged once: saying the same again is silent', () => {
    const { it, lines, gauges, turns } = board();
    for (let round = 0; round < 3; round++) {
      it.set('web/compile', [problem('web')]);
      it.endRound();
    }
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, 'warn');
    assert.deepEqual(lines[0]?.fields, {
      code: 'bad-word',
      severity: 'problem',
      service: 'root/svc/web',
      place: 'igw_gobtw_bind 443/tcp-8443',
      transition: 'raised',
    });
    assert.equal(gauges.get('bad-word'), 1);
    it.set('web/compile', []);
    it.endRound();
    assert.equal(lines.length, 2);
    assert.equal(lines[1]?.message, 'web: igw_gobtw_bind 443/tcp-8443: mended [bad-word]');
    assert.equal(gauges.get('bad-word'), 0);
    assert.deepEqual(turns, ['bad-word']);
  });

  test('a changed message is the same problem, and shows', () => {
    const { it, lines } = board();
    it.set('a', [problem('web', { message: 'one' })]);
    it.endRound();
    it.set('a', [problem('web', { message: 'two' })]);
    it.endRound();
    assert.equal(lines.length, 1);
    assert.deepEqual(
      it.all().map(({ message }) => message),
      ['two'],
    );
  });

  test('raised and cleared within a round is silent', () => {
    const { it, lines } = board();
    it.set('a', [problem('web')]);
    it.set('a', []);
    it.endRound();
    assert.deepEqual(lines, []);
  });

  test('a problem that two stages hold is counted once and cleared with the last', () => {
    const { it, lines, gauges } = board();
    it.set('a', [problem('web')]);
    it.set('b', [problem('web')]);
    it.endRound();
    assert.equal(gauges.get('bad-word'), 1);
    it.set('a', []);
    it.endRound();
    assert.equal(lines.length, 1);
    it.set('b', []);
    it.endRound();
    assert.equal(lines.length, 2);
    assert.equal(it.counts().size, 0);
  });

  test('outside of rounds they are written a second later', async () => {
    const { it, lines, clock } = board();
    it.set('gateway', [problem('x', { key: null, code: 'no-dns' })]);
    await clock.advance(999);
    assert.equal(lines.length, 0);
    await clock.advance(1);
    assert.equal(lines.length, 1);
    assert.equal(clock.pending, 0);
  });
});

describe('floods (SPEC §8)', () => {
  test('20 of a kind in a round are 20 lines, 21 are one with the count and the first five', () => {
    const few = board();
    for (const each of many(20)) few.it.set(String(each.key), [each]);
    few.it.endRound();
    assert.equal(few.lines.length, 20);
    const flood = board();
    for (const each of many(21)) flood.it.set(String(each.key), [each]);
    flood.it.endRound();
    assert.equal(flood.lines.length, 1);
    assert.equal(flood.lines[0]?.fields.count, 21);
    assert.equal((flood.lines[0]?.fields.first as string[]).length, 5);
    assert.match(flood.lines[0]?.message ?? '', /^21 times raised: s0: .* and 16 more \[bad-word\]$/);
  });

  test('a flood does not hide another kind', () => {
    const { it, lines } = board();
    for (const each of many(50)) it.set(String(each.key), [each]);
    it.set('web', [problem('web', { code: 'port-conflict' })]);
    it.endRound();
    assert.deepEqual(lines.map(({ fields }) => fields.code).sort(), ['bad-word', 'port-conflict']);
  });

  test('a first sync of 20,000 services is at most 20 lines', async () => {
    const { it, lines, clock } = board(false);
    for (let round = 0; round < 157; round++) {
      for (let index = 0; index < 128; index++) {
        const name = `r${round}s${index}`;
        const code =
          (['bad-word', 'not-exposed', 'port-conflict', 'hc-timeout'] as const)[index % 4] ?? 'bad-word';
        it.set(name, [problem(name, { code })]);
      }
      it.endRound();
      await clock.advance(130);
    }
    it.firstSyncDone();
    await clock.advance(60_000);
    assert.ok(lines.length <= 20, `${lines.length} lines`);
    const told = lines.reduce((sum, { fields }) => sum + Number(fields.count ?? 1), 0);
    assert.equal(told, 157 * 128);
    it.stop();
  });

  test('a kind that goes on for an hour is summed up at growing intervals, and nothing is lost', async () => {
    const { it, lines, clock } = board();
    for (let index = 0; index < 3600; index++) {
      it.set(`s${index}`, [problem(`s${index}`)]);
      it.endRound();
      await clock.advance(1000);
    }
    it.stop();
    assert.ok(lines.length < 100, `${lines.length} lines`);
    const told = lines.reduce((sum, { fields }) => sum + Number(fields.count ?? 1), 0);
    assert.equal(told, 3600);
    assert.equal(clock.pending, 0);
  });

  test('after it was quiet for a while a kind is written line by line again', async () => {
    const { it, lines, clock } = board();
    for (const each of many(30)) it.set(String(each.key), [each]);
    it.endRound();
    await clock.advance(30_000);
    it.set('web', [problem('web')]);
    it.endRound();
    assert.equal(lines.length, 2);
    assert.match(lines[1]?.message ?? '', /^web: /);
  });
});

test('all and of answer what is in force', () => {
  const { it } = board();
  it.set('a', [problem('web'), problem('api')]);
  it.set('b', [problem('web', { code: 'port-conflict' })]);
  assert.equal(it.all().length, 3);
  assert.deepEqual(
    it.of(key('web')).map(({ code }) => code),
    ['bad-word', 'port-conflict'],
  );
  assert.deepEqual(it.of(key('web', 'ns1')), []);
  it.set('a', []);
  assert.equal(it.all().length, 1);
});

test('the problems of a service are found without looking through those of all others', () => {
  const { it } = board();
  for (const each of many(20_000)) it.set(each.key ?? '', [each]);
  it.set('server _443._tcp.s7.root.svc', [problem('s7', { code: 'port-busy' })]);
  it.set('cluster', [problem('s8', { code: 'port-busy' }), problem('s9', { code: 'port-busy' })]);
  it.set('cluster', [problem('s9', { code: 'port-busy' })]);
  const before = process.cpuUsage();
  for (let round = 0; round < 1000; round += 1) it.of(key(`s${round}`));
  const cpuMs = process.cpuUsage(before).user / 1000;
  assert.ok(cpuMs < 200, `${cpuMs} ms for 1000 services`);
  const codes = (name: string) => it.of(key(name)).map(({ code }) => code);
  assert.deepEqual(
    [codes('s7'), codes('s8'), codes('s9')],
    [['bad-word', 'port-busy'], ['bad-word'], ['bad-word', 'port-busy']],
  );
  it.set(key('s7'), []);
  assert.deepEqual(codes('s7'), ['port-busy']);
});
