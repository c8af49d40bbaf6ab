/** Everything that can be said to an arbiter, true or not (sweeps are late, processes come and go), and what must hold whatever was. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { conflicts } from '../../src/model/bind.js';
import type { L4, Listen } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';
import type { Arbiter, Claim } from '../../src/ports/arbiter.js';
import { claimOf, keyOf } from './claims.js';
import type { FakeClock } from './fake-clock.js';

const NAMES = ['a', 'b', 'c'];
export const PORTS = { min: 2000, max: 2004 };
export const RESERVED = 2001;
export const KEYS = NAMES.map(keyOf);

const addrArb = fc.constantFrom('0.0.0.0', '127.0.0.1', '127.0.0.2');
const protoArb = fc.constantFrom<L4>('tcp', 'udp');
const nameArb = fc.constantFrom(...NAMES);
const listenArb: fc.Arbitrary<Listen> = fc.record(
  { proto: protoArb, addr: addrArb, port: fc.integer(PORTS) },
  { noNullPrototype: true },
);
const wordArb = fc.record(
  {
    label: fc.integer({ min: 1, max: 2 }),
    listen: fc.option(fc.integer(PORTS), { freq: 2 }),
    addr: addrArb,
    proto: protoArb,
    served: fc.boolean(),
  },
  { noNullPrototype: true },
);

export const eventArb = fc.oneof(
  fc.tuple(fc.constant('claims' as const), nameArb, fc.array(wordArb, { maxLength: 4 }), fc.boolean()),
  fc.tuple(fc.constant('remove' as const), nameArb),
  fc.tuple(fc.constant('hold' as const), nameArb, fc.integer({ min: 1, max: 2 }), listenArb),
  fc.tuple(fc.constant('foreign' as const), fc.integer({ min: 1, max: 2 }), listenArb),
  fc.tuple(fc.constant('release' as const), fc.integer({ min: 0, max: 7 })),
  fc.tuple(fc.constant('busy' as const), listenArb, fc.boolean()),
  fc.tuple(fc.constant('wait' as const), fc.integer({ min: 0, max: 200_000 })),
);

export type Event = typeof eventArb extends fc.Arbitrary<infer T> ? T : never;

function ownName(name: string, label: number): string {
  return `_${label}._tcp.${name}.root.svc`;
}

export const SERVERS = [
  ...NAMES.flatMap((name) => [ownName(name, 1), ownName(name, 2)]),
  'foreign-1',
  'foreign-2',
];

/** What was said, as it stands now. */
export interface Told {
  readonly claims: Map<ServiceKey, readonly Claim[]>;
  readonly servers: Map<string, { readonly key: ServiceKey | null; readonly listen: Listen }>;
}

export function createTold(): Told {
  return { claims: new Map(), servers: new Map() };
}

export async function tell(event: Event, arbiter: Arbiter, clock: FakeClock, told: Told): Promise<void> {
  const { claims, servers } = told;
  switch (event[0]) {
    case 'claims': {
      const [, name, words] = event;
      const own = words.map(({ label, listen, addr, proto, served }) =>
        claimOf(name, label, listen, { addr, proto, served }),
      );
      // One claim per id: the parser drops a word that asks for the same twice.
      const unique = [...new Map(own.map((claim) => [claim.id, claim])).values()];
      arbiter.setClaims(keyOf(name), unique);
      claims.set(keyOf(name), unique);
      break;
    }
    case 'remove':
      arbiter.removeKey(keyOf(event[1]));
      claims.delete(keyOf(event[1]));
      break;
    case 'hold': {
      const [, name, label, listen] = event;
      arbiter.hold(ownName(name, label), keyOf(name), listen);
      servers.set(ownName(name, label), { key: keyOf(name), listen });
      break;
    }
    case 'foreign':
      arbiter.hold(`foreign-${event[1]}`, null, event[2]);
      servers.set(`foreign-${event[1]}`, { key: null, listen: event[2] });
      break;
    case 'release': {
      const name = SERVERS[event[1]] ?? '';
      arbiter.release(name);
      servers.delete(name);
      break;
    }
    case 'busy':
      arbiter.busy(event[1], event[2]);
      break;
    case 'wait':
      await clock.advance(event[1]);
      break;
  }
}

/** Decides for everybody: exclusive, no foreign port, no explicit claim moved, everybody answered. */
export function assertSound(arbiter: Arbiter, { claims, servers }: Told): void {
  const { grants } = arbiter.decide(KEYS);
  const room = arbiter.usage();
  const live: { claim: Claim; listen: Listen }[] = [];
  for (const claim of [...claims.values()].flat()) {
    const grant = grants.get(claim.id);
    assert.ok(grant !== undefined, 'every claim is answered');
    if (grant.kind === 'held') {
      assert.ok(claim.served || grant.code === 'port-exhausted');
      if (claim.listen === null) {
        assert.equal(grant.code, 'port-exhausted');
        assert.equal(room[claim.proto].free, 0);
      }
      continue;
    }
    if (claim.listen !== null) assert.equal(grant.port, claim.listen);
    const listen = { proto: claim.proto, addr: grant.addr, port: grant.port };
    if (claim.served) {
      assert.notEqual(listen.port, RESERVED);
      live.push({ claim, listen });
    }
  }
  for (const one of live) {
    for (const other of live) assert.ok(one === other || !conflicts(one.listen, other.listen));
    const own = [...servers.values()].some(
      ({ key, listen }) =>
        key === one.claim.key && listen.port === one.listen.port && conflicts(listen, one.listen),
    );
    for (const { key, listen } of servers.values()) {
      assert.ok(own || key !== null || !conflicts(listen, one.listen), 'a foreign port');
    }
  }
  const { tcp, udp } = room;
  for (const { free, used, reserved, quarantined, total } of [tcp, udp]) {
    assert.equal(free + used + reserved + quarantined, total);
    assert.ok(free >= 0);
  }
}
