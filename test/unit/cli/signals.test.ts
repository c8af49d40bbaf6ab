import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Io } from '../../../src/cli/io.js';
import { onSignals } from '../../../src/cli/signals.js';

/** An io that only knows signals. */
function fakeIo() {
  const handlers = new Map<string, () => void>();
  const onSignal: Io['onSignal'] = (signal, fn) => {
    handlers.set(signal, fn);
    return () => void handlers.delete(signal);
  };
  return { io: { onSignal } as unknown as Io, raise: (signal: string) => handlers.get(signal)?.(), handlers };
}

test('SIGTERM asks to stop, SIGHUP to reload', () => {
  const { io, raise, handlers } = fakeIo();
  const seen: string[] = [];
  const off = onSignals(io, { stop: () => seen.push('stop'), reload: () => seen.push('reload') });
  raise('SIGHUP');
  raise('SIGHUP');
  raise('SIGTERM');
  assert.deepEqual(seen, ['reload', 'reload', 'stop']);
  off();
  assert.equal(handlers.size, 0);
});

test('the second signal ends the process at once, with the code of its signal', (t) => {
  const exits: unknown[] = [];
  t.mock.method(process, 'exit', (code: unknown) => void exits.push(code));
  const { io, raise } = fakeIo();
  let stops = 0;
  onSignals(io, { stop: () => (stops += 1) });
  raise('SIGHUP');
  assert.deepEqual({ stops, exits }, { stops: 1, exits: [] });
  raise('SIGINT');
  assert.ok(exits.includes(130));
});
