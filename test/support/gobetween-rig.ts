/** An applier, a ledger and a fake GoBetween on a fake clock, and what the applier told. */
import type { ServiceKey } from '../../src/model/service.js';
import type { ApplierEvents } from '../../src/gobetween/applier-events.js';
import { type Applier, type ApplierLimits, createApplier } from '../../src/gobetween/applier.js';
import type { GuardedBalancer } from '../../src/gobetween/guard.js';
import { type Ledger, createLedger } from '../../src/gobetween/ledger.js';
import type { Desired, ServerName } from '../../src/model/server.js';
import type { Change, ChangeReason } from '../../src/plan/change.js';
import {
  type FakeBalancer,
  type FakeOptions,
  createFakeBalancer,
  desire,
  observedFake,
  parseFake,
} from './fake-balancer.js';
import { type FakeClock, createFakeClock } from './fake-clock.js';

export interface Rig {
  readonly clock: FakeClock;
  readonly balancer: FakeBalancer;
  readonly ledger: Ledger;
  readonly applier: Applier;
  /** `create web new`, `failed web port-busy`, `held web flapping`, `outage down`… in order. */
  readonly told: string[];
  /** Serves these already, and the ledger knows. */
  have(...desired: readonly Desired[]): void;
  /** Submits what brings these servers to be as wished. */
  wish(...desired: readonly Desired[]): void;
  unwish(...names: readonly string[]): void;
  writes(): string[];
}

const noLimits: ApplierLimits = { rate: 0, replaceRate: 0, concurrency: 8, quietWaitMs: 0 };

export interface RigOptions extends FakeOptions {
  readonly limits?: Partial<ApplierLimits>;
  readonly on?: ApplierEvents;
  readonly restless?: (key: ServiceKey) => boolean;
  readonly guard?: (balancer: FakeBalancer) => GuardedBalancer;
}

export function createRig(options: RigOptions = {}): Rig {
  const clock = createFakeClock();
  const balancer = createFakeBalancer(clock, options);
  const ledger = createLedger(clock);
  const told: string[] = [];
  const applier = createApplier(
    {
      balancer: options.guard?.(balancer) ?? balancer,
      ledger,
      clock,
      random: { next: () => 0.5 },
      parse: (name, text) => parseFake(`{${JSON.stringify(name)}:${text}}`)?.[0] ?? null,
      on: {
        applied: ({ name, kind, reason }) => told.push(`${kind} ${name} ${reason}`),
        failed: ({ name, outcome, restored }) =>
          told.push(`failed ${name} ${outcome}${restored ? ' restored' : ''}`),
        held: ({ name, code }) => told.push(`held ${name} ${code}`),
        outage: (up) => told.push(`outage ${up ? 'over' : 'begins'}`),
        superseded: (count) => told.push(`superseded ${count}`),
        paced: ({ cause, count }) => told.push(`paced ${cause} ${count}`),
        cleared: (name) => told.push(`cleared ${name}`),
        calmed: (name) => told.push(`calmed ${name}`),
        drifted: (name) => told.push(`drifted ${name}`),
        ...options.on,
      },
      restless: options.restless ?? (() => false),
    },
    { ...noLimits, ...options.limits },
  );

  return {
    clock,
    balancer,
    ledger,
    applier,
    told,
    have(...desired) {
      for (const each of desired) balancer.servers.set(each.name, each.body);
      const observed = [...balancer.servers].map(([name, body]) =>
        observedFake(name, JSON.parse(body) as Parameters<typeof observedFake>[1]),
      );
      ledger.replaceAll(observed, ledger.mark());
      applier.submit(
        desired.map((each) => ({
          kind: 'adopt',
          key: each.key,
          desired: each,
          digest: each.digest,
          reason: 'adopted',
        })),
      );
      told.length = 0;
    },
    wish: (...desired) => applier.submit(desired.map((each) => changeTo(ledger, each))),
    unwish: (...names) => applier.submit(names.flatMap((name) => removalOf(ledger, name as ServerName))),
    writes: () => balancer.writes(),
  };
}

export function changeTo(ledger: Ledger, desired: Desired, reason?: ChangeReason): Change {
  const before = ledger.state(desired.name).observed;
  return before === null
    ? { kind: 'create', key: desired.key, desired, reason: reason ?? 'new' }
    : { kind: 'replace', key: desired.key, desired, before, reason: reason ?? 'edited' };
}

export function removalOf(ledger: Ledger, name: ServerName, reason: ChangeReason = 'word-removed'): Change[] {
  const before =
    ledger.state(name).observed ?? observedFake(name, JSON.parse(desire(name, ':1').body) as never);
  return [{ kind: 'delete', key: before.key, name, before, reason }];
}
