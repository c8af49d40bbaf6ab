/**
 * The lean GoBetween's servers: names, binds and bodies in memory, without listeners. What it shows of a server is what the
 * simulated GoBetween makes of it (GoBetween's own defaults and order of fields), or the janitor would see drift.
 */
import { decodeServer } from '../../src/sim/gobetween/json-decode.js';
import { encodeIndented, encodeString, plainServer } from '../../src/sim/gobetween/json-encode.js';
import { prepareConfig } from '../../src/sim/gobetween/prepare.js';

export interface LeanServers {
  /** null: created; else the text of the 409. */
  create(name: string, body: string): string | null;
  remove(name: string): void;
  has(name: string): boolean;
  show(name: string): string;
  list(): string;
  binds(): ReadonlyMap<string, string>;
  clear(): void;
}

interface Entry {
  readonly body: string;
  readonly bind: string;
  /** As in the list; made when it is first asked for. */
  nested: string | null;
}

const DEFAULTS = {
  max_connections: null,
  client_idle_timeout: null,
  backend_idle_timeout: null,
  backend_connection_timeout: null,
};

export function createLeanServers(): LeanServers {
  const entries = new Map<string, Entry>();
  const byBind = new Map<string, string>();

  return {
    create(name, body) {
      if (entries.has(name)) return `Server with this name already exists: ${name}`;
      const { bind = '', protocol } = JSON.parse(body) as { bind?: string; protocol?: string };
      const place = `${protocol === 'udp' ? 'udp' : 'tcp'} ${bind}`;
      if (byBind.has(place)) return `listen tcp ${bind}: bind: address already in use`;
      byBind.set(place, name);
      entries.set(name, { body, bind, nested: null });
      return null;
    },
    remove(name) {
      const entry = entries.get(name);
      if (entry === undefined) return;
      entries.delete(name);
      byBind.delete(`tcp ${entry.bind}`);
      byBind.delete(`udp ${entry.bind}`);
    },
    has: (name) => entries.has(name),
    show(name) {
      const entry = entries.get(name);
      return entry === undefined ? 'null' : shown(name, entry.body, '');
    },
    list() {
      if (entries.size === 0) return '{}';
      const members: string[] = [];
      for (const name of [...entries.keys()].sort()) {
        const entry = entries.get(name);
        if (entry === undefined) continue;
        entry.nested ??= shown(name, entry.body, '    ');
        members.push(`    ${encodeString(name)}: ${entry.nested}`);
      }
      return `{\n${members.join(',\n')}\n}`;
    },
    binds: () => new Map([...entries].map(([name, { bind }]) => [name, bind])),
    clear() {
      entries.clear();
      byBind.clear();
    },
  };
}

function shown(name: string, body: string, indent: string): string {
  const decoded = decodeServer(Buffer.from(body, 'utf8'));
  if ('error' in decoded) throw new Error(`${name}: ${decoded.error}`);
  const prepared = prepareConfig(name, decoded.config, DEFAULTS);
  if ('refused' in prepared) throw new Error(`${name}: ${prepared.refused}`);
  return encodeIndented(plainServer(prepared.config), indent);
}
