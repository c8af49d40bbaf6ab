/** Claims and arbiters in one line each. */
import type { L4 } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';
import { type Arbiter, type Claim, createArbiter, type Grant } from '../../src/ports/arbiter.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';

export function keyOf(name: string): ServiceKey {
  return `root/svc/${name}` as ServiceKey;
}

export interface ClaimOptions {
  readonly addr?: string;
  readonly proto?: L4;
  readonly served?: boolean;
}

/** A claim of service `name`; `listen` null is allocated. */
export function claimOf(
  name: string,
  label: number,
  listen: number | null,
  { addr = '0.0.0.0', proto = 'tcp', served = true }: ClaimOptions = {},
): Claim {
  const id = `${keyOf(name)}|${proto}|${label}|${addr}|${listen ?? '*'}`;
  return { id, key: keyOf(name), served, proto, label, addr, listen, wordText: `${label}/${proto}` };
}

/** The claims of each service, by key. */
export function byService(claims: readonly Claim[]): ReadonlyMap<ServiceKey, readonly Claim[]> {
  const found = new Map<ServiceKey, Claim[]>();
  for (const claim of claims) found.set(claim.key, [...(found.get(claim.key) ?? []), claim]);
  return found;
}

export interface Bench {
  readonly arbiter: Arbiter;
  readonly clock: FakeClock;
  /** Sets the claims of one service and decides for it; the names of the other services affected. */
  readonly set: (name: string, ...claims: readonly Claim[]) => readonly string[];
  /** Decides for nothing in particular; the names of the services affected. */
  readonly look: () => readonly string[];
  /** The grant of a claim, `port` or the code. */
  readonly got: (claim: Claim) => number | string;
  readonly grant: (claim: Claim) => Grant;
  /** The server of a claim comes up, or goes. */
  readonly up: (claim: Claim, port?: number) => void;
  readonly down: (claim: Claim) => void;
}

export function serverName({ key, label, proto }: Claim): string {
  return `_${label}._${proto}.${key.split('/')[2]}.root.svc`;
}

export function createBench(
  options: { from?: number; to?: number; reserved?: readonly number[] } = {},
): Bench {
  const { from = 1024, to = 65535, reserved = [] } = options;
  const clock = createFakeClock();
  const arbiter = createArbiter({ clock, range: { from, to }, reserved: new Set(reserved) });
  const names = (keys: Iterable<ServiceKey>): string[] => [...keys].map((key) => key.slice(9)).sort();
  const grant = (claim: Claim): Grant => {
    const { grants, affected } = arbiter.decide([claim.key]);
    const found = grants.get(claim.id);
    if (found === undefined) throw new Error(`no grant for ${claim.id}`);
    if (affected.size > 0) throw new Error(`asking changed ${[...affected].join()}`);
    return found;
  };
  const got = (claim: Claim): number | string => {
    const found = grant(claim);
    return found.kind === 'granted' ? found.port : found.code;
  };
  return {
    arbiter,
    clock,
    set(name, ...claims) {
      arbiter.setClaims(keyOf(name), claims);
      return names(arbiter.decide([keyOf(name)]).affected);
    },
    look: () => names(arbiter.decide([]).affected),
    got,
    grant,
    up(claim, port) {
      const found = port ?? claim.listen ?? Number(got(claim));
      arbiter.hold(serverName(claim), claim.key, { proto: claim.proto, addr: claim.addr, port: found });
    },
    down: (claim) => arbiter.release(serverName(claim)),
  };
}
