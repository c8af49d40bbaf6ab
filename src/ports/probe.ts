/**
 * The deterministic choice of a port (SPEC §5, DESIGN §5.2). Invariant: with claims served in rank order the layout is a
 * pure function of the claims, the range and the ports that are taken. The rings depend on the range alone: what is
 * reserved is skipped like a taken port, so gateways that reserve different ports still agree on all the others.
 */
import type { L4 } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** The kernel's default, a constant: gateways must agree, whatever their sysctl says. */
const EPHEMERAL: PortRange = { from: 32768, to: 60999 };

export interface Rings {
  readonly preferred: Uint16Array;
  /** Ephemeral ports: an outgoing connection may hold one at the wrong moment, so they come last. */
  readonly last: Uint16Array;
}

export function createRings(range: PortRange): Rings {
  const preferred: number[] = [];
  const last: number[] = [];
  for (let port = range.from; port <= range.to; port++) {
    (port >= EPHEMERAL.from && port <= EPHEMERAL.to ? last : preferred).push(port);
  }
  return { preferred: Uint16Array.from(preferred), last: Uint16Array.from(last) };
}

/** What a claim is hashed by: the word's address is no part of it, because an allocated port is free on every address. */
export interface Home {
  readonly key: ServiceKey;
  readonly label: number;
  readonly proto: L4;
}

/** FNV-1a with a final mix, for the low bits decide: an unsigned 32-bit number. */
export function homeHash({ key, label, proto }: Home): number {
  let hash = fnv(fnv(0x811c9dc5, key), `|${label}|${proto}`);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fnv(hash: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

export interface Chooser {
  /** The first port from the claim's home on for which `isFree` holds; null when there is none. */
  choose(home: Home, isFree: (port: number) => boolean): number | null;
}

/**
 * Chooses for one L4 protocol while ports are only taken, never freed: a ring found full is not walked again, which
 * keeps 50,000 claims in a range of 36,280 preferred ports from walking 36,280 steps each.
 */
export function createChooser(rings: Rings): Chooser {
  const open = [rings.preferred, rings.last].filter((ring) => ring.length > 0);

  function probe(ring: Uint16Array, hash: number, isFree: (port: number) => boolean): number | null {
    const start = hash % ring.length;
    for (let step = 0; step < ring.length; step++) {
      const port = ring[(start + step) % ring.length];
      if (port !== undefined && isFree(port)) return port;
    }
    return null;
  }

  return {
    choose(home, isFree) {
      const hash = homeHash(home);
      for (let ring = open[0]; ring !== undefined; ring = open[0]) {
        const port = probe(ring, hash, isFree);
        if (port !== null) return port;
        open.shift();
      }
      return null;
    },
  };
}
