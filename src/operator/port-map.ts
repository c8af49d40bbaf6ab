/** Who listens where on this gateway, and which ports nobody may take: the port map of page and API. */
import { formatListen } from '../model/bind.js';
import type { L4, Observed } from '../model/server.js';
import { displayPath } from '../model/service.js';
import type { Usage } from '../ports/usage.js';

export interface PortRow {
  readonly proto: L4;
  readonly port: number;
  /** `0.0.0.0:1025`; null for a reserved port. */
  readonly listen: string | null;
  readonly holder: 'service' | 'foreign' | 'reserved';
  readonly server: string | null;
  readonly service: string | null;
}

export interface PortMap {
  /** How full the range of allocated ports is. */
  readonly usage: Readonly<Record<L4, Usage>>;
  readonly range: { readonly from: number; readonly to: number };
  /** By protocol and port. */
  readonly ports: readonly PortRow[];
}

export function mapPorts(input: {
  readonly servers: Iterable<Observed>;
  readonly reserved: ReadonlySet<number>;
  readonly usage: Readonly<Record<L4, Usage>>;
  readonly range: { readonly from: number; readonly to: number };
}): PortMap {
  const { usage, range } = input;
  const rows: PortRow[] = [];
  for (const { name, key, owned, listen } of input.servers) {
    if (listen === null) continue;
    rows.push({
      proto: listen.proto,
      port: listen.port,
      listen: formatListen(listen.addr, listen.port),
      holder: owned ? 'service' : 'foreign',
      server: name,
      service: key === null ? null : displayPath(key),
    });
  }
  const none = { listen: null, holder: 'reserved', server: null, service: null } as const;
  for (const port of input.reserved)
    rows.push({ proto: 'tcp', port, ...none }, { proto: 'udp', port, ...none });
  rows.sort((a, b) => (a.proto === b.proto ? a.port - b.port : a.proto < b.proto ? -1 : 1));
  return { usage, range, ports: rows };
}
