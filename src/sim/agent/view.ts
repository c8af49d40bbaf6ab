/**
 * What this agent knows of the cluster at a moment. A settled agent knows everything; one that starts knows its own node
 * first, then its configs, then one instance status after the other, and its peers last. Invariant: `shows(change)` is
 * true exactly for the changes that concern what `status()` would contain.
 */
import type { SimCluster } from '../cluster/cluster.js';
import type { Change, Json } from '../cluster/dataset.js';

/**
 * `empty`: nothing at all, not even `cluster`. `init`: every config of this node and `statuses` of its instance
 * statuses. `rejoin`: this node is complete, peers appear. `idle`: settled.
 */
export interface Phase {
  readonly name: 'empty' | 'init' | 'rejoin' | 'idle';
  readonly statuses: number;
}

export const SETTLED: Phase = { name: 'idle', statuses: Number.POSITIVE_INFINITY };

type Fields = Record<string, Json>;
type NodeFields = Fields & { services: { status: Fields; config: Fields } };
export interface MonitorFields {
  readonly monitor: Fields & { nodes: Record<string, NodeFields>; services: Fields };
  readonly cluster: Fields;
}

export interface View {
  phase(): Phase;
  /** Moves to a phase and returns the changes that a subscriber sees of it. */
  enter(phase: Phase): readonly Change[];
  shows(change: Change): boolean;
  knowsConfigs(): boolean;
  /** The instance status of `path` is already known on `node`. */
  knowsInstance(path: string, node: string): boolean;
  /** `monitor` and `cluster` of `daemon_status`: a private copy unless the agent is settled. */
  status(): MonitorFields;
}

export function createView(cluster: SimCluster, node: string): View {
  let phase = SETTLED;

  const full = (): MonitorFields => cluster.dataset.tree as unknown as MonitorFields;

  function knownStatuses(): ReadonlySet<string> {
    const own = full().monitor.nodes[node]?.services.status ?? {};
    return new Set(Object.keys(own).slice(0, phase.name === 'empty' ? 0 : phase.statuses));
  }

  function knows(): { configs: boolean; peers: boolean } {
    return { configs: phase.name !== 'empty', peers: phase.name === 'rejoin' || phase.name === 'idle' };
  }

  function status(): MonitorFields {
    if (phase.name === 'idle') return full();
    const copy = structuredClone(full());
    const { configs, peers } = knows();
    const statuses = knownStatuses();
    const own = copy.monitor.nodes[node];
    for (const other of Object.keys(copy.monitor.nodes)) {
      if (other !== node && !peers) Reflect.deleteProperty(copy.monitor.nodes, other);
    }
    for (const path of Object.keys(own?.services.status ?? {})) {
      if (!statuses.has(path)) Reflect.deleteProperty(own?.services.status ?? {}, path);
    }
    if (!configs && own !== undefined) own.services.config = {};
    for (const path of Object.keys(copy.monitor.services)) {
      const elsewhere =
        peers && Object.values(copy.monitor.nodes).some((each) => path in each.services.status);
      const known = configs && own !== undefined && path in own.services.config;
      if (!known && !elsewhere) Reflect.deleteProperty(copy.monitor.services, path);
    }
    return copy;
  }

  function entries(): Map<string, Change> {
    const found = new Map<string, Change>();
    const shown = status().monitor;
    const add = (change: Change): void => void found.set(JSON.stringify(change[0]), change);
    for (const [name, fields] of Object.entries(shown.nodes)) {
      const services = ['monitor', 'nodes', name, 'services'];
      if (name !== node) {
        add([['monitor', 'nodes', name], fields]);
        continue;
      }
      for (const [path, value] of Object.entries(fields.services.config))
        add([[...services, 'config', path], value]);
      for (const [path, value] of Object.entries(fields.services.status))
        add([[...services, 'status', path], value]);
    }
    for (const [path, value] of Object.entries(shown.services)) add([['monitor', 'services', path], value]);
    return found;
  }

  return {
    phase: () => phase,
    enter(next) {
      const before = entries();
      phase = next;
      const after = entries();
      return [...after].flatMap(([key, change]) => (before.has(key) ? [] : [change]));
    },
    shows([path]) {
      if (phase.name === 'idle' || path[0] !== 'monitor') return true;
      const { configs, peers } = knows();
      if (path[1] === 'services') return configs;
      if (path[1] !== 'nodes') return true;
      if (path[2] !== node) return peers;
      if (path[3] !== 'services') return true;
      if (path[4] === 'status') return path[5] === undefined || knownStatuses().has(String(path[5]));
      return configs;
    },
    knowsConfigs: () => knows().configs,
    knowsInstance(path, on) {
      if (on !== node) return knows().peers;
      return phase.name === 'idle' || knownStatuses().has(path);
    },
    status,
  };
}
