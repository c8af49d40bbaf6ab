import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceKey } from '../../../src/model/service.js';
import { createHistory } from '../../../src/operator/history.js';
import { createFakeClock } from '../../support/fake-clock.js';

const event = (service: string | null, text: string) =>
  ({ kind: 'create', service, server: null, text }) as const;

test('one service that flaps pushes out its own past, not that of others', () => {
  const history = createHistory(createFakeClock(), { inAll: 50, ofOne: 5 });
  history.note(event('quiet', 'once'));
  for (let i = 0; i < 500; i++) history.note(event('web', `change ${i}`));
  assert.deepEqual(
    history.of('root/svc/quiet' as ServiceKey).map(({ text }) => text),
    ['once'],
  );
  assert.deepEqual(
    history.of('root/svc/web' as ServiceKey).map(({ text }) => text),
    ['change 499', 'change 498', 'change 497', 'change 496', 'change 495'],
  );
  assert.equal(history.last(100).length, 6);
});

test('as a whole it keeps the newest', () => {
  const history = createHistory(createFakeClock(), { inAll: 10, ofOne: 5 });
  for (let i = 1; i <= 30; i++) history.note(event(`s${i}`, `change ${i}`));
  assert.deepEqual(
    history.last(3).map(({ id }) => id),
    [30, 29, 28],
  );
  assert.equal(history.last(100).length, 10);
  assert.deepEqual(history.of('root/svc/s1' as ServiceKey), []);
  assert.deepEqual(
    history.after(27, 10).map(({ id }) => id),
    [28, 29, 30],
  );
  assert.deepEqual(
    history.after(0, 2).map(({ id }) => id),
    [29, 30],
  );
  assert.equal(history.newest(), 30);
});
