import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adoptHistorical, servedAs } from '../../../src/plan/adopt-historical.js';
import { desiredServer, nameOf, observedServer } from '../../support/servers.js';

const never = (): boolean => false;

function names(wishes: ReturnType<typeof adoptHistorical>): readonly string[] {
  return wishes.map(({ desired }) => desired.name);
}

test('a wanted server takes the historical name of the server that has its content', () => {
  const desired = [desiredServer('_80._tcp.web.root.svc', 'a'), desiredServer('_443._tcp.web.root.svc', 'b')];
  const wishes = adoptHistorical(desired, [observedServer('_443_web', 'b')], never);
  assert.deepEqual(names(wishes), ['_80._tcp.web.root.svc', '_443_web']);
  assert.equal(wishes[1]?.original, desired[1]);
  assert.equal(wishes[1]?.desired.digest, 'b');
});

test('one historical server stands in for one wanted server, and the same one each time', () => {
  const desired = [desiredServer('_80._tcp.web.root.svc', 'a')];
  const historical = [observedServer('_81_web', 'a'), observedServer('_80_web', 'a')];
  assert.deepEqual(names(adoptHistorical(desired, historical, never)), ['_80_web']);
  assert.deepEqual(names(adoptHistorical(desired, [...historical].reverse(), never)), ['_80_web']);
});

test('equal content is preferred to former defaults', () => {
  const desired = [desiredServer('_80._tcp.web.root.svc', 'a'), desiredServer('_81._tcp.web.root.svc', 'b')];
  const historical = [observedServer('_81_web', 'b'), observedServer('_90_web', 'c')];
  assert.deepEqual(names(adoptHistorical(desired, historical, () => true)), ['_90_web', '_81_web']);
});

test('a wish that has a historical name already keeps it to itself', () => {
  const desired = [desiredServer('_80_web', 'a'), desiredServer('_80._tcp.web.root.svc', 'a')];
  assert.deepEqual(names(adoptHistorical(desired, [observedServer('_80_web', 'a')], never)), [
    '_80_web',
    '_80._tcp.web.root.svc',
  ]);
});

test('a historical server served the word with its label and protocol', () => {
  const old = observedServer('_80_web', 'a');
  assert.ok(servedAs(old, nameOf('_80._tcp.web.root.svc')));
  assert.ok(servedAs(old, nameOf('_80._tcp.web.root.svc@127.0.0.1:81')));
  assert.ok(!servedAs(old, nameOf('_80._udp.web.root.svc')));
  assert.ok(!servedAs(old, nameOf('_8080._tcp.web.root.svc')));
  assert.ok(!servedAs({ ...old, listen: null }, nameOf('_80._tcp.web.root.svc')));
  assert.ok(!servedAs(observedServer('_80._tcp.web.root.svc', 'a'), nameOf('_80._tcp.web.root.svc')));
});
