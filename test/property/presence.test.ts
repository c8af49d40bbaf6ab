/**
 * Presence against random clusters and lying agents. The checker knows only the log of what was told (lists, silences,
 * restarts, announcements) and recomputes from it whether each `gone` was proven (SPEC §6): it shares no code with the tracker.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPresence } from '../../src/source/presence.js';
import { clusterList, keyOf } from '../support/cluster-lists.js';

const GRACE = 60_000;
const names = Array.from({ length: 24 }, (_, i) => `s${i}`);

interface Told {
  readonly at: number;
  readonly kind: 'list' | 'silent' | 'restart' | 'announce';
  readonly shown: ReadonlySet<string>;
  readonly status: string;
  readonly alive: readonly string[];
  readonly name: string;
}

const step = fc.record(
  {
    ms: fc.constantFrom(1000, 5000, 14_000, 30_000, 600_000),
    what: fc.constantFrom('list', 'list', 'list', 'list', 'list', 'list', 'silent', 'restart', 'announce'),
    /** Services hidden from this list, by a partial agent. */
    hidden: fc.constantFrom(0, 0, 0, 1, 2, 5, 13, 24),
    lasting: fc.integer({ min: 1, max: 30 }),
    status: fc.constantFrom('idle', 'idle', 'idle', 'idle', 'idle', 'init', 'maintenance'),
    n2: fc.constantFrom('idle', 'idle', 'idle', 'maintenance', null),
    which: fc.nat(23),
  },
  { noNullPrototype: true },
);

/** n2 holds the odd services, n1 the others. */
const scopeOf = (name: string): string => (Number(name.slice(1)) % 2 === 0 ? 'n1' : 'n2');

test('gone is said only with a proof in the log', () => {
  let absent = 0;
  let announced = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      const presence = createPresence({ deleteGraceMs: GRACE });
      const log: Told[] = [];
      const gone = new Set<string>();
      const ever = new Set<string>();
      let now = 0;
      for (const { ms, what, hidden, lasting, status, n2, which } of steps) {
        for (let i = 0; i < (what === 'list' ? lasting : 1); i++) {
          now += ms;
          const shown = new Set(names.slice(0, names.length - hidden));
          const alive = n2 === null ? ['n1'] : ['n1', 'n2'];
          const name = names[which] ?? '';
          const told: Told = {
            at: now,
            kind: what,
            shown,
            status,
            alive: alive.filter((node) => node === 'n1' || n2 === 'idle'),
            name,
          };
          if (what === 'silent') presence.unheard();
          else if (what === 'restart') presence.restarted();
          else if (what === 'announce') presence.announce(keyOf(name), now);
          else {
            const services = [...shown].map((path) => [path, { csums: { [scopeOf(path)]: 'c' } }] as const);
            const nodes = { n1: status, ...(n2 === null ? {} : { n2 }) };
            presence.observeList(
              clusterList({ nodes, members: ['n1', 'n2'], services: Object.fromEntries(services) }),
              'n1',
              now,
            );
          }
          log.push(told);
          for (const path of what === 'list' ? shown : []) ever.add(path);
          const had = [...ever].filter((path) => !gone.has(path)).length;
          for (const path of names) {
            const state = presence.state(keyOf(path));
            if (state?.state !== 'gone') gone.delete(path);
            else if (!gone.has(path)) {
              gone.add(path);
              if (state.reason === 'announced') announced++;
              else absent++;
              check(log, path, state.reason, had);
            }
          }
        }
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(
    absent > 20 && announced > 20,
    `${absent} absent, ${announced} announced: the property says little`,
  );
});

/** `had`: services that were shown once and not gone before the last list. */
function check(log: readonly Told[], path: string, reason: 'announced' | 'absent', had: number): void {
  const last = log.at(-1);
  assert.ok(
    last?.kind === 'list' && last.status === 'idle' && !last.shown.has(path),
    'the last list lacks it, settled',
  );
  if (reason === 'announced') {
    assert.ok(
      log.some(({ kind, name, at }) => kind === 'announce' && name === path && last.at - at <= 600_000),
    );
    return;
  }
  // Backwards through the log: heard time in which every list lacked it, settled, its node alive.
  let heard = 0;
  let later: Told | undefined;
  for (const told of [...log].reverse()) {
    if (told.kind === 'announce') continue;
    if (told.kind === 'restart') break;
    if (told.kind === 'silent') {
      later = undefined;
      continue;
    }
    const clean = told.status === 'idle' && !told.shown.has(path) && told.alive.includes(scopeOf(path));
    if (!clean) break;
    if (later !== undefined && later.at - told.at <= 45_000) heard += later.at - told.at;
    later = told;
  }
  assert.ok(heard >= GRACE, `${path} absent for ${heard} ms of heard time only`);
  if (shrunk(last.shown.size, had)) {
    const stood = longestStanding(log, had);
    assert.ok(stood >= 10 * GRACE, `${last.shown.size} of ${had} listed, believed after ${stood} ms`);
  }
}

const shrunk = (size: number, had: number): boolean => size * 2 < had && had - size >= 10;

/** Rule (c): the longest heard, settled, uninterrupted time in which the list was small, since it was last large. */
function longestStanding(log: readonly Told[], had: number): number {
  let longest = 0;
  let heard = 0;
  let later: Told | undefined;
  for (const told of [...log].reverse()) {
    if (told.kind === 'announce') continue;
    if (told.kind === 'list' && !shrunk(told.shown.size, had)) break;
    if (told.kind === 'restart' || (told.kind === 'list' && told.status !== 'idle')) heard = 0;
    if (told.kind !== 'list') {
      later = undefined;
      continue;
    }
    if (later !== undefined && told.status === 'idle' && later.at - told.at <= 45_000)
      heard += later.at - told.at;
    longest = Math.max(longest, heard);
    later = told.status === 'idle' ? told : undefined;
  }
  return longest;
}
