/**
 * Keeps one backend running for each address and port that the cluster's instances expose: a service that is scaled gets
 * more of them, one that stops or leaves loses them. Invariant after `settled()`: the running set equals the exposed set.
 */
import type { SimCluster } from '../cluster/cluster.js';
import { displayPath } from '../cluster/object-path.js';
import { instances } from '../dns/zone.js';
import { type SimBackend, startBackend } from './backend.js';

export interface Skipped {
  readonly endpoint: string;
  readonly reason: string;
}

export interface FollowedBackends {
  /** Running backends by `proto address:port`. */
  running(): ReadonlyMap<string, SimBackend>;
  /** Endpoints without a backend: a port below 1024, or an address that is not of this machine or taken. */
  skipped(): readonly Skipped[];
  /** Resolves when everything that the cluster asks for now was started or stopped. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

interface Wanted {
  readonly address: string;
  readonly port: number;
  readonly proto: 'tcp' | 'udp';
  readonly name: string;
  readonly instance: string;
}

const LOWEST_PORT = 1024;

/** Follows the cluster until stopped. Stopped instances (`avail` down) have no backend, though the DNS still lists them. */
export function followCluster(cluster: SimCluster): FollowedBackends {
  const running = new Map<string, SimBackend>();
  let skipped: Skipped[] = [];
  let stale = true;
  let stopped = false;
  let work: Promise<void> | undefined;

  function wanted(): ReadonlyMap<string, Wanted> {
    const found = new Map<string, Wanted>();
    skipped = [];
    if (stopped) return found;
    for (const { path, node, service, namespace, endpoints } of instances(cluster)) {
      const name = displayPath({ namespace, kind: 'svc', name: service });
      const avail = cluster.dataset.get(['monitor', 'nodes', node, 'services', 'status', path, 'avail']);
      if (avail !== 'up') continue;
      for (const { address, exposes } of endpoints) {
        for (const { port, proto } of exposes) {
          const endpoint = `${proto} ${address}:${port}`;
          if (proto !== 'tcp' && proto !== 'udp') skipped.push({ endpoint, reason: 'unknown protocol' });
          else if (port < LOWEST_PORT) skipped.push({ endpoint, reason: 'privileged port' });
          else found.set(endpoint, { address, port, proto, name, instance: `${path}@${node}` });
        }
      }
    }
    return found;
  }

  async function settle(): Promise<void> {
    while (stale) {
      stale = false;
      const target = wanted();
      for (const [endpoint, backend] of [...running]) {
        if (target.get(endpoint)?.instance === backend.identity.instance) continue;
        running.delete(endpoint);
        await backend.stop();
      }
      for (const [endpoint, each] of target) {
        if (running.has(endpoint)) continue;
        try {
          running.set(endpoint, await startBackend(each));
        } catch (error) {
          skipped.push({ endpoint, reason: error instanceof Error ? error.message : String(error) });
        }
      }
    }
  }

  function kick(): Promise<void> {
    stale = true;
    work ??= Promise.resolve()
      .then(settle)
      .finally(() => {
        work = undefined;
        // asked for between the last look and here
        if (stale) void kick();
      });
    return work;
  }

  const unsubscribe = cluster.dataset.subscribe(([path]) => {
    if (path[0] === 'monitor' && path[1] === 'nodes') void kick();
  });
  void kick();

  return {
    running: () => running,
    skipped: () => skipped,
    settled: kick,
    async stop() {
      unsubscribe();
      stopped = true;
      await kick();
    },
  };
}
