/**
 * A scriptable v2.1 cluster: objects come, change and go, nodes get lost and return. Agents, DNS and backends of the
 * simulation all read this one model, so whatever a script does here is what every part shows.
 */
import type { Json } from './dataset.js';
import { type Evaluated, evaluateConfig } from './evaluate.js';
import { parseIni, setKeyword, unsetKeyword } from './ini.js';
import { AGGREGATES, type ClusterOptions, type ConfigFile, createInventory, NODES } from './inventory.js';
import { canonical, displayPath, splitPath } from './object-path.js';
import { nowSeconds } from './status.js';

export type { ClusterOptions, ConfigFile };
export type ClusterEvent = { readonly [key: string]: Json };
export type SimCluster = ReturnType<typeof createCluster>;

const BROKEN_LINE = 'this line is no keyword';

/** What reading one config on one node gives. */
export type ConfigRead =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'raw'; readonly data: Record<string, Record<string, string>> }
  | Evaluated;

/** Creates a cluster whose nodes are all alive and idle, with no service. */
export function createCluster(options: ClusterOptions) {
  const inventory = createInventory(options);
  const { dataset, objects, alive, need, install, refresh, makeObject } = inventory;
  const spinning: string[] = [];
  const listeners = new Set<(event: ClusterEvent) => void>();

  function emit(node: string, data: { readonly [key: string]: Json }): void {
    // a copy: the event shows how things were
    const event = structuredClone({ nodename: node, ts: nowSeconds(), kind: 'event', data });
    for (const listener of listeners) listener(event);
  }

  function firstText(path: string): string {
    return [...need(path).files.values()][0]?.text ?? '';
  }

  function defaults(text: string): ReadonlyMap<string, string> {
    const parsed = parseIni(text);
    return (parsed.ok ? parsed.sections.get('DEFAULT') : undefined) ?? new Map<string, string>();
  }

  function splitKeyword(keyword: string): readonly [string, string] {
    const dot = keyword.indexOf('.');
    return dot < 0 ? ['DEFAULT', keyword] : [keyword.slice(0, dot), keyword.slice(dot + 1)];
  }

  /** Changes the files of an object where they are; an unchanged text only moves `status.updated`. */
  function mapTexts(path: string, change: (text: string) => string): void {
    const object = need(path);
    const mtime = nowSeconds();
    for (const [node, file] of object.files) {
      const text = change(file.text);
      if (text !== file.text) object.files.set(node, { text, mtime });
    }
    refresh(canonical(path));
    followScale(canonical(path));
  }

  /** Makes and removes slaves until they are as many as the `DEFAULT.scale` of a thawed scaler asks for. */
  function followScale(path: string): void {
    const object = need(path);
    const text = firstText(path);
    const declared = defaults(text).get('scale');
    if (object.frozen !== 0 || (declared === undefined && object.slaves.length === 0)) return;
    const parts = splitPath(path);
    const wanted = Array.from({ length: Number(declared ?? 0) }, (_, index) =>
      displayPath({ ...parts, name: `${index}.${parts.name}` }),
    );
    const leaving = object.slaves.filter((slave) => !wanted.includes(slave));
    object.slaves = wanted;
    refresh(path);
    for (const slave of leaving) {
      objects.delete(slave);
      refresh(slave);
    }
    const slaveText = setKeyword(unsetKeyword(text, 'DEFAULT', 'scale'), 'DEFAULT', 'scaler_slave', 'true');
    for (const slave of wanted) {
      if (!objects.has(slave))
        install(slave, makeObject(slave, object.nodes, false, object.slaveShown), slaveText);
    }
  }

  /** Sets `global_expect` on every instance of the object and of its slaves, as `om delete` and `om purge` do. */
  function announceDelete(path: string, target: 'deleted' | 'purged' = 'deleted'): void {
    const name = canonical(path);
    for (const each of [name, ...need(name).slaves]) {
      for (const node of alive) {
        const status = [...NODES, node, 'services', 'status', each];
        const found = dataset.get(status);
        if (found === undefined) continue;
        dataset.put([...status, 'monitor', 'global_expect'], target);
        dataset.put([...status, 'monitor', 'global_expect_updated'], nowSeconds());
        const service = dataset.get([...AGGREGATES, each]) ?? {};
        const monitor = dataset.get([...NODES, node, 'monitor']) ?? {};
        emit(node, {
          reason: 'target',
          path: each,
          id: 'instance_delete',
          monitor,
          service,
          instance: found,
        });
        dataset.put([...status, 'monitor', 'status'], target === 'deleted' ? 'deleting' : 'purging');
        dataset.put([...status, 'monitor', 'status_updated'], nowSeconds());
      }
    }
  }

  return {
    name: options.name,
    id: inventory.id,
    /** The cluster's secret, for tests that prove it is shown nowhere. */
    secret: inventory.secret,
    dataset,
    get nodes(): readonly string[] {
      return inventory.members;
    },
    get dns(): readonly string[] {
      return inventory.dns;
    },
    /** Objects whose reference loop was sent for evaluation: each would burn a core of a real agent for ever. */
    spinning: spinning as readonly string[],
    onEvent(listener: (event: ClusterEvent) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** Creates or replaces an object. Without `nodes` it lives where `DEFAULT.nodes` says, else on every node. */
    create(
      path: string,
      text: string,
      how: { nodes?: readonly string[]; frozen?: boolean; lateSlaveFlag?: boolean } = {},
    ) {
      const name = canonical(path);
      const object = makeObject(name, how.nodes, how.frozen === true, how.lateSlaveFlag !== true);
      install(name, object, text);
      followScale(name);
    },
    /** Replaces the config file; with `nodes` only there (the others follow later, or never). */
    edit(path: string, text: string, where: { readonly nodes?: readonly string[] } = {}): void {
      install(canonical(path), need(path), text, where.nodes);
      if (where.nodes === undefined) followScale(canonical(path));
    },
    /** `keyword` is `section.keyword`, with a scope if wanted: `env.igw_gobtw_bind@n1`. */
    set(path: string, keyword: string, value: string): void {
      const [section, key] = splitKeyword(keyword);
      mapTexts(path, (text) =>
        current(text, section, key) === value ? text : setKeyword(text, section, key, value),
      );
    },
    /** Removes a keyword; a keyword that is not there changes nothing. */
    unset(path: string, keyword: string): void {
      const [section, key] = splitKeyword(keyword);
      mapTexts(path, (text) => unsetKeyword(text, section, key));
    },
    announceDelete,
    /** Removes an object and its slaves. Announced: `global_expect` is shown first. */
    delete(path: string, how: { readonly announced: boolean | 'purged' }): void {
      if (how.announced !== false) announceDelete(path, how.announced === 'purged' ? 'purged' : 'deleted');
      const name = canonical(path);
      for (const each of [...need(name).slaves.filter((slave) => objects.has(slave)), name]) {
        objects.delete(each);
        refresh(each);
      }
    },
    /** Sets `DEFAULT.scale`: slaves `0.web`, `1.web`, … appear and disappear. */
    scale(path: string, count: number): void {
      mapTexts(path, (text) => setKeyword(text, 'DEFAULT', 'scale', String(count)));
    },
    /** Shows the slave flag that `lateSlaveFlag` kept back. */
    showSlaveFlags(path: string): void {
      for (const each of [canonical(path), ...need(path).slaves]) {
        need(each).slaveShown = true;
        refresh(each);
      }
    },
    /** Adds a line that no parser takes: the object leaves config, status and aggregate, as in the real agent. */
    breakConfig(path: string): void {
      const object = need(path);
      object.whole ??= new Map(object.files);
      for (const [node, { text }] of object.files) {
        object.files.set(node, { text: `${text.trimEnd()}\n${BROKEN_LINE}\n`, mtime: nowSeconds() });
      }
      refresh(canonical(path));
    },
    /** Restores the files as they were before `breakConfig`. */
    repairConfig(path: string): void {
      const object = need(path);
      for (const [node, { text }] of object.whole ?? [])
        object.files.set(node, { text, mtime: nowSeconds() });
      object.whole = undefined;
      refresh(canonical(path));
    },
    /** An address for the ip resources of one instance that have no literal `ipname`. */
    setAddress(path: string, node: string, address: string): void {
      need(path).addresses.set(node, address);
      refresh(canonical(path));
    },
    /** Starts or stops every instance. A stopped one keeps its addresses in the status, and so in the DNS. */
    setUp(path: string, up: boolean): void {
      need(path).up = up;
      refresh(canonical(path));
    },
    setFrozen(path: string, frozen: boolean): void {
      need(path).frozen = frozen ? nowSeconds() : 0;
      refresh(canonical(path));
      followScale(canonical(path));
    },

    /** The node's heartbeat is gone: it leaves the status with everything that only it had. */
    loseNode(node: string): void {
      for (const peer of alive) {
        if (peer === node) continue;
        emit(peer, { id: 'hb_stale', nodename: node });
        emit(peer, { id: 'forget_peer', reason: 'no_rx', peer: node });
      }
      inventory.hideNode(node);
    },
    /** The node is back: its monitor first (`init`), then everything in one change of `services`. */
    rejoinNode(node: string): void {
      dataset.put([...NODES, node, 'monitor'], { status: 'init', status_updated: nowSeconds() });
      inventory.showNode(node);
    },
    /** `init`, `rejoin`, `idle`, `maintenance`, `draining`, … */
    setNodeStatus(node: string, status: string): void {
      inventory.setNodeStatus(node, status);
    },
    /** Changes the members of the cluster; nodes that leave it are lost, new ones come up idle. */
    setMembers(members: readonly string[]): void {
      const before = inventory.members;
      inventory.reconfigure({ members });
      for (const node of before) if (!members.includes(node)) inventory.hideNode(node);
      for (const node of members) if (!before.includes(node)) inventory.showNode(node);
      inventory.refresh('cluster');
    },
    setDns(dns: readonly string[]): void {
      inventory.reconfigure({ dns });
    },

    /** Every object that has a file somewhere, by display path. */
    paths(): readonly string[] {
      return [...objects.keys()];
    },
    isAlive(node: string): boolean {
      return alive.has(node);
    },
    /** Nodes whose status shows an instance of `path`, which is what an agent relays to. */
    instanceNodes(path: string): readonly string[] {
      return [...alive].filter(
        (node) => dataset.get([...NODES, node, 'services', 'status', path]) !== undefined,
      );
    },
    /** The file of `path` (display form) on one node; undefined when it has none. */
    file(path: string, node: string): ConfigFile | undefined {
      return objects.get(path)?.files.get(node);
    },
    /** The text of `path` on `node`, or on the first node that has it. */
    configText(path: string, node?: string): string | undefined {
      const files = objects.get(canonical(path))?.files;
      return node === undefined ? [...(files?.values() ?? [])][0]?.text : files?.get(node)?.text;
    },
    /** Reads a config as the agent of `node` does. Asking for the evaluation of a loop is recorded in `spinning`. */
    readConfig(
      path: string,
      node: string,
      how: { evaluate: boolean; impersonate?: string | undefined },
    ): ConfigRead {
      const file = objects.get(path)?.files.get(node);
      const parsed = file === undefined ? undefined : parseIni(file.text);
      if (parsed?.ok !== true) return { kind: 'unknown' };
      if (!how.evaluate) {
        const raw = [...parsed.sections].map(([name, values]) => [name, Object.fromEntries(values)] as const);
        return { kind: 'raw', data: Object.fromEntries(raw) };
      }
      const context = inventory.context(path, node, how.impersonate ?? node);
      const evaluated = evaluateConfig(parsed.sections, context);
      if (evaluated.kind === 'loop') spinning.push(path);
      return evaluated;
    },
  };
}

function current(text: string, section: string, keyword: string): string | undefined {
  const parsed = parseIni(text);
  return parsed.ok ? parsed.sections.get(section)?.get(keyword) : undefined;
}
