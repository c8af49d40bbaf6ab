/**
 * The cluster's zone, made from the instance statuses exactly as the v2.1 agent's DNS thread makes it: SRV by port and by
 * service name, A by service, by node and by address, whatever the state of the instance (§8 of the protocol reference).
 */
import type { SimCluster } from '../cluster/cluster.js';
import type { Json } from '../cluster/dataset.js';
import { splitPath } from '../cluster/object-path.js';

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** What a zone is made of: of a simulated cluster, or of any copy of an agent's dataset. */
export type ZoneSource = Pick<SimCluster, 'name' | 'dns' | 'dataset'>;

/** Names are in lower case and without the final dot. */
export interface Zone {
  readonly name: string;
  readonly addresses: ReadonlyMap<string, ReadonlySet<string>>;
  readonly services: ReadonlyMap<string, readonly SrvRecord[]>;
  readonly nameServers: readonly string[];
}

/** What getservbyport knows on the agent's node; tcp and udp are not told apart. */
const SERVICE_NAMES: ReadonlyMap<number, string> = new Map([
  [21, 'ftp'],
  [22, 'ssh'],
  [25, 'smtp'],
  [53, 'domain'],
  [80, 'http'],
  [110, 'pop3'],
  [123, 'ntp'],
  [143, 'imap2'],
  [389, 'ldap'],
  [443, 'https'],
  [514, 'shell'],
  [636, 'ldaps'],
  [993, 'imaps'],
  [1194, 'openvpn'],
  [3306, 'mysql'],
  [5222, 'xmpp-client'],
  [5432, 'postgresql'],
  [6379, 'redis'],
  [8080, 'http-alt'],
]);

interface Info {
  readonly ipaddr?: string;
  readonly expose?: readonly string[];
  readonly port?: number | string;
  readonly protocol?: string;
}
interface Status {
  readonly scaler_slave?: boolean;
  readonly resources?: Readonly<Record<string, { readonly info?: Info }>>;
}
interface NodeFields {
  readonly services: { readonly status: Readonly<Record<string, Status>> };
  readonly stats?: { readonly score?: number };
}

export interface Exposed {
  readonly port: number;
  readonly proto: string;
}

/** The published side of an `expose` word: the left part, or the port of the resource that it names. */
function exposed(
  word: string,
  resources: Readonly<Record<string, { readonly info?: Info }>>,
): Exposed | undefined {
  if (word.includes('#')) {
    const { port, protocol } = resources[word]?.info ?? {};
    return port === undefined || protocol === undefined ? undefined : { port: Number(port), proto: protocol };
  }
  const parts = (word.split(':')[0] ?? '').split(/[/-]/);
  const [port, proto] = parts;
  if (parts.length !== 2 || proto === undefined || !/^\d+$/.test(port ?? '')) return undefined;
  return { port: Number(port), proto };
}

export interface Instance {
  readonly path: string;
  readonly node: string;
  /** The published name: slaves go under their scaler's. */
  readonly service: string;
  readonly namespace: string;
  readonly weight: number;
  readonly endpoints: readonly { readonly address: string; readonly exposes: readonly Exposed[] }[];
}

/** Every svc instance in the status with its addresses. */
export function instances(cluster: Pick<ZoneSource, 'dataset'>): readonly Instance[] {
  const nodes = cluster.dataset.get(['monitor', 'nodes']) as unknown as Readonly<Record<string, NodeFields>>;
  return Object.entries(nodes).flatMap(([node, fields]) =>
    Object.entries(fields.services.status).flatMap(([path, status]): readonly Instance[] => {
      const { namespace, kind, name } = splitPath(path);
      if (kind !== 'svc') return [];
      const resources = status.resources ?? {};
      const service = status.scaler_slave === true ? name.slice(name.indexOf('.') + 1) : name;
      const endpoints = Object.values(resources).flatMap(({ info = {} }) => {
        if (info.ipaddr === undefined) return [];
        const exposes = (info.expose ?? []).flatMap((word) => exposed(word, resources) ?? []);
        return [{ address: info.ipaddr, exposes }];
      });
      const weight = fields.stats?.score ?? 10;
      return [{ path, node, service, namespace: namespace.toLowerCase(), weight, endpoints }];
    }),
  );
}

export function buildZone(cluster: ZoneSource): Zone {
  const name = cluster.name.toLowerCase();
  const addresses = new Map<string, Set<string>>();
  const services = new Map<string, SrvRecord[]>();
  const addAddress = (owner: string, address: string): void => {
    const key = owner.toLowerCase();
    const found = addresses.get(key);
    if (found === undefined) addresses.set(key, new Set([address]));
    else found.add(address);
  };
  const addService = (owner: string, record: SrvRecord): void => {
    const key = owner.toLowerCase();
    const found = services.get(key);
    if (found === undefined) services.set(key, [record]);
    else if (!found.some(({ port, target }) => port === record.port && target === record.target))
      found.push(record);
  };
  for (const { service, namespace, node, weight, endpoints } of instances(cluster)) {
    const owner = `${service}.${namespace}.svc.${name}`;
    for (const { address, exposes } of endpoints) {
      const target = `${address.replaceAll(/[.:]/g, '-')}.${owner}`;
      addAddress(owner, address);
      addAddress(`${service}.${namespace}.svc.${node}.node.${name}`, address);
      addAddress(target, address);
      for (const { port, proto } of exposes) {
        const record = { priority: 0, weight, port, target };
        addService(`_${port}._${proto}.${owner}`, record);
        const label = SERVICE_NAMES.get(port);
        if (label !== undefined) addService(`_${label}._${proto}.${owner}`, record);
      }
    }
  }
  const nameServers = cluster.dns.map((address, index) => {
    addAddress(`ns${index}.${name}`, address);
    return `ns${index}.${name}`;
  });
  return { name, addresses, services, nameServers };
}

/** A zone that is built again only after the cluster changed. */
export function createZoneCache(cluster: ZoneSource): { zone(): Zone; close(): void } {
  let current: Zone | undefined;
  const close = cluster.dataset.subscribe(([path]: readonly [readonly (string | number)[], Json?]) => {
    if (path[0] === 'monitor' && path[1] === 'nodes') current = undefined;
  });
  return {
    zone() {
      current ??= buildZone(cluster);
      return current;
    },
    close,
  };
}
