import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { conflicts } from '../../../src/model/bind.js';
import { type Contestant, contest, RIGHTS } from '../../../src/ports/contest.js';
import type { Standing } from '../../../src/ports/slots.js';
import { claimOf, keyOf } from '../../support/claims.js';

function contestant(name: string, overrides: Partial<Contestant> = {}): Contestant {
  const claim = claimOf(name, 80, 8080);
  const standing: Standing = {
    claim,
    since: 0,
    port: 8080,
    grant: null,
    grantedAtMs: 0,
    writtenElsewhereAtMs: null,
  };
  const listen = { proto: 'tcp' as const, addr: '0.0.0.0', port: 8080 };
  return {
    right: 'new',
    standing,
    key: keyOf(name),
    listen,
    since: 0,
    explicit: true,
    id: claim.id,
    ...overrides,
  };
}

function winners(...contestants: readonly Contestant[]): readonly string[] {
  return contest(contestants)
    .filter(({ beatenBy }) => beatenBy === null)
    .map(({ contestant: { key, id } }) => key?.slice(9) ?? id);
}

describe('who gets a port', () => {
  test('the better right, in the order of the table', () => {
    RIGHTS.slice(1).forEach((right, index) => {
      const better = RIGHTS[index];
      assert.ok(better !== undefined);
      // A foreign server is there, whoever is before it.
      const both = right === 'foreign' ? ['z', 'a'] : ['z'];
      assert.deepEqual(winners(contestant('a', { right }), contestant('z', { right: better })), both, better);
    });
  });
  test('then the oldest, then explicit, then the smaller path, then the smaller claim', () => {
    assert.deepEqual(winners(contestant('a', { since: 2 }), contestant('z', { since: 1 })), ['z']);
    assert.deepEqual(winners(contestant('a', { explicit: false }), contestant('z')), ['z']);
    assert.deepEqual(winners(contestant('b'), contestant('a')), ['a']);
    const [one, two] = [contestant('a', { id: '1' }), contestant('a', { id: '2' })];
    assert.equal(contest([two, one])[0]?.contestant, one);
  });
  test('who does not conflict is no rival', () => {
    const on = (addr: string) => ({ listen: { proto: 'tcp' as const, addr, port: 8080 } });
    assert.deepEqual(winners(contestant('a', on('127.0.0.1')), contestant('b', on('127.0.0.2'))), ['a', 'b']);
    assert.deepEqual(
      winners(contestant('a', on('127.0.0.1')), contestant('b', on('::')), contestant('c', on('127.0.0.2'))),
      ['a', 'c'],
    );
  });
  test('a loser stands in nobody’s way', () => {
    const on = (addr: string) => ({ listen: { proto: 'tcp' as const, addr, port: 8080 } });
    const verdicts = contest([
      contestant('a', on('::1')),
      contestant('b', on('::')),
      contestant('c', on('::2')),
    ]);
    assert.deepEqual(
      verdicts.map(({ beatenBy }) => beatenBy?.key ?? null),
      [null, keyOf('a'), null],
    );
  });
  test('a kept server stands in the way of other services only', () => {
    const kept = { right: 'kept' as const, standing: null, id: 'server' };
    assert.deepEqual(winners(contestant('a', kept), contestant('a'), contestant('b')), ['a', 'a']);
  });
});

test('conflicts is symmetric, and every address conflicts with itself and with wildcards', () => {
  const addr = fc.constantFrom('', '0.0.0.0', '::', '::1', '127.0.0.1', '10.0.0.1');
  const listen = fc.record(
    { proto: fc.constantFrom('tcp' as const, 'udp' as const), addr, port: fc.integer({ min: 1, max: 2 }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(listen, listen, (a, b) => {
      assert.equal(conflicts(a, b), conflicts(b, a));
      assert.ok(conflicts(a, a));
      const wild = { ...a, addr: '::' };
      assert.equal(conflicts(wild, b), a.proto === b.proto && a.port === b.port);
    }),
  );
});
