/**
 * Names by the listen address they stand for, found by conflict. The ledger keeps three: held, reserved and wanted.
 * Invariant: a name is in the index at most once, under the (protocol, port) of its listen.
 * `tls` counts as tcp; a wildcard conflicts with every address of either family (SPEC §4).
 */
import { conflicts } from '../model/bind.js';
import type { L4, Listen, ServerName } from '../model/server.js';

export interface PortIndex {
  /** Files `name` under `listen`; null takes it out. */
  set(name: ServerName, listen: Listen | null): void;
  of(name: ServerName): Listen | null;
  /** Every other name whose listen cannot stand beside `listen`. */
  conflicting(listen: Listen, except: ServerName): ServerName[];
  clear(): void;
}

export function createPortIndex(): PortIndex {
  const byName = new Map<ServerName, Listen>();
  /** Lists, for most ports have one name. */
  const byPort: Record<L4, Map<number, ServerName[]>> = { tcp: new Map(), udp: new Map() };

  function take(name: ServerName): void {
    const former = byName.get(name);
    if (former === undefined) return;
    byName.delete(name);
    const names = byPort[former.proto].get(former.port);
    if (names === undefined) return;
    names.splice(names.indexOf(name), 1);
    if (names.length === 0) byPort[former.proto].delete(former.port);
  }

  return {
    set(name, listen) {
      take(name);
      if (listen === null) return;
      byName.set(name, listen);
      const names = byPort[listen.proto].get(listen.port);
      if (names === undefined) byPort[listen.proto].set(listen.port, [name]);
      else names.push(name);
    },
    of: (name) => byName.get(name) ?? null,
    conflicting(listen, except) {
      const found: ServerName[] = [];
      for (const name of byPort[listen.proto].get(listen.port) ?? []) {
        const other = byName.get(name);
        if (name !== except && other !== undefined && conflicts(listen, other)) found.push(name);
      }
      return found;
    },
    clear() {
      byName.clear();
      byPort.tcp.clear();
      byPort.udp.clear();
    },
  };
}
