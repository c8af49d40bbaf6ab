/**
 * `daemon_status` and `object_status`, key for key as recorded. A selector filters only the three object maps; everything
 * about the daemon itself always comes.
 */
import type { SimCluster } from '../cluster/cluster.js';
import type { Json } from '../cluster/dataset.js';
import { parseIni } from '../cluster/ini.js';
import { type ObjectPath, splitPath } from '../cluster/object-path.js';
import type { Options } from './config-read.js';
import { type Candidate, selects } from './selector.js';
import type { MonitorFields, View } from './view.js';

/** `listener` and the other threads of the daemon, with the counters that every connection moves. */
export interface ListenerState {
  readonly threads: Record<string, Json>;
}

interface Parts {
  readonly cluster: SimCluster;
  readonly node: string;
  readonly view: View;
  readonly listener: ListenerState;
}

/** An object as selectors see it from this node. */
export function candidate({ cluster, node }: Parts, path: string): Candidate & ObjectPath {
  return {
    ...splitPath(path),
    path,
    keyword(name) {
      const parsed = parseIni(cluster.file(path, node)?.text ?? '');
      const dot = name.indexOf('.');
      return parsed.ok ? parsed.sections.get(name.slice(0, dot))?.get(name.slice(dot + 1)) : undefined;
    },
    status: (field) => cluster.dataset.get(['monitor', 'services', path, ...field.split('.')]),
  };
}

function filtered(status: MonitorFields, keep: (path: string) => boolean): MonitorFields {
  const copy = structuredClone(status);
  const prune = (map: Record<string, Json>): void => {
    for (const path of Object.keys(map)) if (!keep(path)) Reflect.deleteProperty(map, path);
  };
  for (const { services } of Object.values(copy.monitor.nodes)) {
    prune(services.status);
    prune(services.config);
  }
  prune(copy.monitor.services);
  return copy;
}

/** The whole answer. `namespace` and `selector` narrow the object maps. */
export function daemonStatus(parts: Parts, options: Options): Readonly<Record<string, unknown>> {
  const { selector, namespace } = options;
  const everything = typeof selector !== 'string' && typeof namespace !== 'string';
  const keep = (path: string): boolean => {
    const each = candidate(parts, path);
    if (typeof namespace === 'string' && each.namespace !== namespace) return false;
    return typeof selector !== 'string' || selects(selector, each);
  };
  const shown = parts.view.status();
  const { monitor, cluster } = everything ? shown : filtered(shown, keep);
  const { listener, ...threads } = parts.listener.threads;
  return {
    monitor,
    daemon: threads['daemon'],
    cluster,
    scheduler: threads['scheduler'],
    listener,
    dns: threads['dns'],
  };
}

/** `object_status`: aggregate, and status and config by node; an unknown object is `{"nodes": {}}`. */
export function objectStatus({ view }: Parts, path: string): Readonly<Record<string, unknown>> {
  const { nodes, services } = view.status().monitor;
  const aggregate = services[path];
  const byNode = Object.entries(nodes).flatMap(([name, fields]) => {
    const status = fields.services.status[path];
    return status === undefined ? [] : [[name, { status, config: fields.services.config[path] }] as const];
  });
  return { ...(typeof aggregate === 'object' ? aggregate : {}), nodes: Object.fromEntries(byNode) };
}
