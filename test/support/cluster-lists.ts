/** Lists of a cluster, short to write: what an agent would say. */
import { parsePath, serviceKey, type ServiceKey } from '../../src/model/service.js';
import type { ClusterList, ListedService } from '../../src/source/source.js';

export function keyOf(path: string): ServiceKey {
  const parsed = parsePath(path);
  if (parsed === undefined) throw new Error(`not a path: ${path}`);
  return serviceKey(parsed);
}

export interface ListedText {
  /** Node that has the config → its checksum. @default {n1: 'c'} */
  readonly csums?: Readonly<Record<string, string>>;
  /** @default the nodes of csums */
  readonly scope?: readonly string[];
  readonly slave?: boolean;
  readonly deleting?: boolean;
}

export interface ListText {
  /** @default {n1: 'idle'} */
  readonly nodes?: Readonly<Record<string, string>>;
  /** @default the nodes */
  readonly members?: readonly string[];
  readonly services?: Readonly<Record<string, ListedText>> | readonly string[];
  readonly clusterConfigCsum?: string | null;
  readonly clusterName?: string;
}

export function clusterList(text: ListText = {}): ClusterList {
  const nodes = text.nodes ?? { n1: 'idle' };
  const services = Array.isArray(text.services)
    ? (text.services as readonly string[]).map((path) => [path, {}] as const)
    : Object.entries((text.services ?? {}) as Readonly<Record<string, ListedText>>);
  return {
    clusterName: text.clusterName ?? 'clu1',
    members: text.members ?? Object.keys(nodes),
    nodes: new Map(Object.entries(nodes).map(([name, status]) => [name, { name, status }])),
    services: new Map(services.map(([path, listed]) => [keyOf(path), listedService(path, listed)])),
    clusterConfigCsum: text.clusterConfigCsum === undefined ? 'cc' : text.clusterConfigCsum,
  };
}

function listedService(
  path: string,
  { csums = { n1: 'c' }, scope, slave = false, deleting }: ListedText,
): ListedService {
  return {
    key: keyOf(path),
    csums: new Map(Object.entries(csums)),
    scope: scope ?? Object.keys(csums),
    slave,
    ...(deleting === undefined ? {} : { deleting }),
  };
}
