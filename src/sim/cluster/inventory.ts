/**
 * The objects of a simulated cluster and the nodes that they live on. Invariant: after every call the dataset shows what
 * a settled agent would show for them, and each difference went through its journal.
 */
import { createDataset, type Dataset, type Json } from './dataset.js';
import type { EvaluationContext } from './evaluate.js';
import { parseIni } from './ini.js';
import { describeInstance } from './instance.js';
import { canonical, displayPath, splitPath } from './object-path.js';
import { aggregateStatus, instanceStatus, md5, nodeStatus, nowSeconds, UNKNOWN_AGGREGATE } from './status.js';

export interface ClusterOptions {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly dns: readonly string[];
  /** @default derived from the name */
  readonly id?: string;
  /** @default a text that tests can look for */
  readonly secret?: string;
  /** First of the addresses given to instances whose ip has none of its own. @default '127.64.0.1' */
  readonly firstAddress?: string;
}

export interface ConfigFile {
  readonly text: string;
  readonly mtime: number;
}

export interface SimObject {
  readonly files: Map<string, ConfigFile>;
  /** Node list given at creation; without one `DEFAULT.nodes` says where the object lives. */
  readonly nodes: readonly string[] | undefined;
  /** Texts by node as they were before `breakConfig`. */
  whole: Map<string, ConfigFile> | undefined;
  readonly addresses: Map<string, string>;
  slaves: readonly string[];
  slaveShown: boolean;
  up: boolean;
  frozen: number;
  /** Unix seconds. */
  readonly created: number;
}

export type Inventory = ReturnType<typeof createInventory>;

export const NODES = ['monitor', 'nodes'] as const;
export const AGGREGATES = ['monitor', 'services'] as const;

function isFields(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Creates the nodes, alive and idle, and the `cluster` object. Source: reference/opensvc-v2-protocol.md §4-§7. */
export function createInventory(options: ClusterOptions) {
  const id = options.id ?? md5(options.name).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const secret = options.secret ?? `secret-of-${options.name}-that-nobody-may-see`;
  let members = [...options.nodes];
  let dns = [...options.dns];
  const alive = new Set(members);
  const nodeStates = new Map<string, string>();
  const objects = new Map<string, SimObject>();
  let allocated = 0;

  const dataset: Dataset = createDataset({
    monitor: {
      nodes: {},
      services: {},
      state: 'running',
      created: nowSeconds(),
      configured: nowSeconds(),
      tid: 15_495,
      ident: 139_997_668_034_240,
      compat: true,
      transitions: 0,
      frozen: 'thawed',
    },
    cluster: { name: options.name, id, nodes: members },
  });

  function need(path: string): SimObject {
    const object = objects.get(canonical(path));
    if (object === undefined) throw new Error(`no object ${path} in the simulated cluster`);
    return object;
  }

  function context(path: string, node: string, scopeNode: string): EvaluationContext {
    const parts = splitPath(path);
    const clusterNodes = members;
    return { ...parts, path, node, scopeNode, clusterName: options.name, clusterId: id, clusterNodes, dns };
  }

  /** The node that runs a failover object: the first of its nodes that is alive. */
  function leaderOf(object: SimObject): string | undefined {
    return [...object.files.keys()].find((node) => alive.has(node));
  }

  /** Runs `change` of the set of alive nodes, then starts what moved elsewhere. */
  function failOver(change: () => void): void {
    const before = new Map([...objects].map(([path, object]) => [path, leaderOf(object)]));
    change();
    for (const [path, object] of objects) {
      if (leaderOf(object) === before.get(path)) aggregate(path);
      else refresh(path);
    }
  }

  function allocate(object: SimObject, node: string, rid: string, leader: boolean): string | undefined {
    const given = object.addresses.get(node);
    if (given !== undefined || !leader) return given;
    const kept = object.addresses.get(`${node} ${rid}`);
    if (kept !== undefined) return kept;
    const [a = 127, b = 64, c = 0, d = 1] = (options.firstAddress ?? '127.64.0.1').split('.').map(Number);
    const number = ((a * 256 + b) * 256 + c) * 256 + d + allocated;
    allocated += 1;
    const address = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
    object.addresses.set(`${node} ${rid}`, address);
    return address;
  }

  /** The two entries of one instance, or undefined where the agent has none (no file, or one that does not parse). */
  function instance(path: string, object: SimObject, node: string) {
    const file = object.files.get(node);
    const parsed = file === undefined ? undefined : parseIni(file.text);
    if (file === undefined || parsed?.ok !== true) return undefined;
    const evaluation = context(path, node, node);
    const installed = [...object.files.keys()];
    const declared = parsed.sections.get('DEFAULT')?.get('nodes');
    const scope = declared === undefined ? installed : declared.split(/\s+/).filter((name) => name !== '');
    const leader = leaderOf(object) === node;
    const flex = /^(flex)$/.test(parsed.sections.get('DEFAULT')?.get('topology') ?? '');
    const input = describeInstance({
      context: evaluation,
      sections: parsed.sections,
      up: object.up && (leader || flex),
      created: object.created,
      frozen: object.frozen,
      leader,
      slaveShown: object.slaveShown,
      slaves: object.slaves,
      address: (rid) => allocate(object, node, rid, leader || flex),
    });
    const config = { updated: file.mtime, csum: md5(file.text), scope };
    return { config, status: instanceStatus(input) };
  }

  /** Brings the dataset up to date for one object, in the order in which an agent journals it. */
  function refresh(path: string): void {
    const object = objects.get(path);
    const gone: string[] = [];
    for (const node of alive) {
      const services = [...NODES, node, 'services'];
      const shown = object === undefined ? undefined : instance(path, object, node);
      if (shown === undefined) {
        gone.push(node);
        continue;
      }
      const born = dataset.get([...services, 'config', path]) === undefined;
      if (born) {
        dataset.put([...services, 'config', path], shown.config);
        if (dataset.get([...AGGREGATES, path]) === undefined) {
          const plain = !('avail' in shown.status);
          dataset.put([...AGGREGATES, path], plain ? {} : UNKNOWN_AGGREGATE);
        }
      }
      dataset.put([...services, 'status', path], shown.status);
      dataset.put([...services, 'config', path], shown.config);
    }
    for (const node of gone) {
      dataset.drop([...NODES, node, 'services', 'status', path]);
      dataset.drop([...NODES, node, 'services', 'config', path]);
    }
    aggregate(path);
  }

  function aggregate(path: string): void {
    const instances: { readonly [key: string]: Json }[] = [];
    for (const node of alive) {
      const status = dataset.get([...NODES, node, 'services', 'status', path]);
      if (isFields(status)) instances.push(status);
    }
    if (instances.length === 0) dataset.drop([...AGGREGATES, path]);
    else dataset.put([...AGGREGATES, path], { ...aggregateStatus(instances), ...slavesAvailability(path) });
    const scaler = scalerOf(path);
    if (scaler !== undefined) aggregate(scaler);
  }

  /** A scaler has no resources: it is up as soon as a slave is. */
  function slavesAvailability(path: string): { readonly [key: string]: Json } {
    const avails = (objects.get(path)?.slaves ?? []).map((slave) =>
      dataset.get([...AGGREGATES, slave, 'avail']),
    );
    const known = ['up', 'down'].find((avail) => avails.includes(avail));
    return known === undefined ? {} : { avail: known, overall: known };
  }

  function scalerOf(path: string): string | undefined {
    const parts = splitPath(path);
    const name = /^\d+\.(.+)$/.exec(parts.name)?.[1];
    const scaler = name === undefined ? undefined : displayPath({ ...parts, name });
    return scaler !== undefined && objects.get(scaler)?.slaves.includes(path) === true ? scaler : undefined;
  }

  /** Writes the text to the nodes where the object lives now; nodes that it left lose their file. */
  function install(path: string, object: SimObject, text: string, only?: readonly string[]): void {
    const parsed = parseIni(text);
    const declared = parsed.ok ? parsed.sections.get('DEFAULT')?.get('nodes')?.split(/\s+/) : undefined;
    const present = object.files.size > 0 && !parsed.ok ? [...object.files.keys()] : undefined;
    const targets = object.nodes ?? present ?? declared?.filter((name) => members.includes(name)) ?? members;
    const mtime = nowSeconds();
    for (const node of targets) {
      if (only !== undefined && !only.includes(node)) continue;
      if (object.files.get(node)?.text !== text) object.files.set(node, { text, mtime });
    }
    if (only === undefined) {
      for (const node of [...object.files.keys()]) if (!targets.includes(node)) object.files.delete(node);
    }
    refresh(path);
  }

  function showNode(node: string): void {
    const services: { config: Record<string, Json>; status: Record<string, Json> } = {
      config: {},
      status: {},
    };
    for (const [path, object] of objects) {
      const shown = instance(path, object, node);
      if (shown === undefined) continue;
      services.config[path] = shown.config;
      services.status[path] = shown.status;
    }
    const status = nodeStates.get(node) ?? 'idle';
    const configCsum = md5(`node.conf of ${node}`);
    const gen = Object.fromEntries([...alive].map((name) => [name, 2]));
    const score = 60 + (members.indexOf(node) % 30);
    dataset.put([...NODES, node], nodeStatus({ gen, status, configCsum, score, services }));
    for (const peer of alive) dataset.put([...NODES, peer, 'gen', node], 2);
  }

  function clusterText(): string {
    const lines = [
      `id = ${id}`,
      `name = ${options.name}`,
      `secret = ${secret}`,
      `nodes = ${members.join(' ')}`,
    ];
    return `[cluster]\n${[...lines, `dns = ${dns.join(' ')}`].join('\n')}\n\n[listener]\naddr = 127.0.0.1\n`;
  }

  function rewriteClusterConfig(): void {
    install('cluster', need('cluster'), clusterText());
  }

  function makeObject(
    path: string,
    nodes: readonly string[] | undefined,
    frozen: boolean,
    slaveShown: boolean,
  ): SimObject {
    const object: SimObject = {
      files: new Map(),
      nodes,
      whole: undefined,
      addresses: new Map(),
      slaves: [],
      slaveShown,
      up: true,
      created: nowSeconds(),
      frozen: frozen ? nowSeconds() : 0,
    };
    objects.set(path, object);
    return object;
  }

  makeObject('cluster', undefined, false, true);
  for (const node of members) showNode(node);
  rewriteClusterConfig();

  return {
    id,
    secret,
    dataset,
    objects,
    alive,
    get members(): readonly string[] {
      return members;
    },
    get dns(): readonly string[] {
      return dns;
    },
    need,
    makeObject,
    install,
    refresh,
    context,
    /** Rewrites cluster.conf with a new member or DNS list. */
    reconfigure(change: { readonly members?: readonly string[]; readonly dns?: readonly string[] }): void {
      members = [...(change.members ?? members)];
      dns = [...(change.dns ?? dns)];
      dataset.put(['cluster', 'nodes'], members);
      rewriteClusterConfig();
    },
    showNode(node: string): void {
      failOver(() => {
        alive.add(node);
        showNode(node);
      });
    },
    hideNode(node: string): void {
      failOver(() => {
        alive.delete(node);
        dataset.drop([...NODES, node]);
        for (const peer of alive) dataset.drop([...NODES, peer, 'gen', node]);
      });
    },
    setNodeStatus(node: string, status: string): void {
      nodeStates.set(node, status);
      if (!alive.has(node)) return;
      dataset.put([...NODES, node, 'monitor', 'status'], status);
      dataset.put([...NODES, node, 'monitor', 'status_updated'], nowSeconds());
    },
  };
}
