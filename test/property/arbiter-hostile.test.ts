import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { L4, Listen } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';
import { type Claim, createArbiter } from '../../src/ports/arbiter.js';
import { conflicts } from '../../src/model/bind.js';
import { claimOf, keyOf } from '../support/claims.js';
import { createFakeClock } from '../support/fake-clock.js';

const NAMES = ['a', 'b', 'c'];
const PORTS = { min: 2000, max: 2004 };
const RESERVED = 2001;

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

/** Everything that can be said to an arbiter, true or not: sweeps are late, processes come and go. */
const eventArb = fc.oneof(
  fc.tuple(fc.constant('claims' as const), nameArb, fc.array(wordArb, { maxLength: 4 }), fc.boolean()),
  fc.tuple(fc.constant('remove' as const), nameArb),
  fc.tuple(fc.constant('hold' as const), nameArb, fc.integer({ min: 1, max: 2 }), listenArb),
  fc.tuple(fc.constant('foreign' as const), fc.integer({ min: 1, max: 2 }), listenArb),
  fc.tuple(fc.constant('release' as const), fc.integer({ min: 0, max: 7 })),
  fc.tuple(fc.constant('busy' as const), listenArb, fc.boolean()),
  fc.tuple(fc.constant('wait' as const), fc.integer({ min: 0, max: 200_000 })),
);

function ownName(name: string, label: number): string {
  return `_${label}._tcp.${name}.root.svc`;
}

const SERVERS = [...NAMES.flatMap((name) => [ownName(name, 1), ownName(name, 2)]), 'foreign-1', 'foreign-2'];

test('whatever it is told, it stays exclusive, leaves foreign ports alone, and never moves an explicit claim', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(eventArb, { minLength: 1, maxLength: 40 }), async (events) => {
      const clock = createFakeClock();
      const arbiter = createArbiter({
        clock,
        range: { from: PORTS.min, to: PORTS.max },
        reserved: new Set([RESERVED]),
      });
      const claims = new Map<ServiceKey, readonly Claim[]>();
      const servers = new Map<string, { key: ServiceKey | null; listen: Listen }>();
      for (const event of events) {
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
        const { grants } = arbiter.decide(NAMES.map(keyOf));
        const live: { claim: Claim; listen: Listen }[] = [];
        for (const claim of [...claims.values()].flat()) {
          const grant = grants.get(claim.id);
          assert.ok(grant !== undefined, 'every claim is answered');
          if (grant.kind === 'held') {
            assert.ok(claim.served || grant.code === 'port-exhausted');
            if (claim.listen === null) assert.equal(grant.code, 'port-exhausted');
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
        const { tcp, udp } = arbiter.usage();
        for (const { free, used, reserved, quarantined, total } of [tcp, udp]) {
          assert.equal(free + used + reserved + quarantined, total);
          assert.ok(free >= 0);
        }
      }
      for (const name of NAMES) arbiter.removeKey(keyOf(name));
      for (const name of SERVERS) arbiter.release(name);
      await clock.advance(8 * 3_600_000);
      const { affected } = arbiter.decide([]);
      for (const key of affected) assert.ok(NAMES.map(keyOf).includes(key));
      const { tcp, udp } = arbiter.usage();
      assert.equal(tcp.used + udp.used + tcp.quarantined + udp.quarantined, 0, 'nothing is left behind');
      assert.equal(arbiter.exhausted(), 0);
    }),
    { numRuns: 300 },
  );
});
