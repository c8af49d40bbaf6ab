/**
 * The shapes of `daemon_status` that concern one object: instance status, aggregate and node, key for key as recorded
 * from a v2.1 agent (compat 10, api 7).
 */
import { createHash } from 'node:crypto';
import type { Json } from './dataset.js';

export interface ResourceInput {
  readonly rid: string;
  readonly type: string;
  readonly label: string;
  readonly info: { readonly [key: string]: Json };
}

export interface InstanceInput {
  readonly kind: string;
  readonly up: boolean;
  /** When it was provisioned, Unix seconds. */
  readonly created: number;
  /** 0, or the Unix time of the freeze in seconds. */
  readonly frozen: number;
  readonly flex: boolean;
  readonly slave: boolean;
  /** The number of slaves of a scaler; null for everything else. */
  readonly scale: number | null;
  readonly slaves: readonly string[];
  readonly resources: readonly ResourceInput[];
  readonly leader: boolean;
}

const GROUPS =
  'app vhost DEFAULT route expose fs volume ip disk subset sync hashpolicy certificate container share task'.split(
    ' ',
  );

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

let lastSeconds = 0;

/** Seconds since the epoch with a fraction, as Python's time.time(), and never the same twice: two writes must differ. */
export function nowSeconds(): number {
  const now = Math.round((performance.timeOrigin + performance.now()) * 1000) / 1_000_000;
  lastSeconds = Math.max(now, lastSeconds + 0.000_001);
  return lastSeconds;
}

type Fields = { readonly [key: string]: Json };

function availability(input: InstanceInput): string {
  if (input.resources.length === 0) return 'n/a';
  return input.up ? 'up' : 'down';
}

/** `monitor.nodes.<n>.services.status.<path>`; only kinds svc and vol have the long form. */
export function instanceStatus(input: InstanceInput): Fields {
  const monitor = { status: 'idle', placement: input.leader ? 'leader' : '' };
  const updated = nowSeconds();
  if (input.kind !== 'svc' && input.kind !== 'vol') {
    return { updated, kind: input.kind, csum: md5(JSON.stringify(input)), monitor };
  }
  const avail = availability(input);
  const resources = Object.fromEntries(
    input.resources.map(({ rid, type, label, info }) => [
      rid,
      { status: avail, type, label, provisioned: { state: true, mtime: input.created }, info },
    ]),
  );
  const inGroup = (group: string): boolean => input.resources.some(({ rid }) => rid.split('#')[0] === group);
  return {
    updated,
    kind: input.kind,
    app: 'default',
    env: 'TST',
    placement: 'nodes order',
    topology: input.flex ? 'flex' : 'failover',
    frozen: input.frozen,
    subsets: {},
    resources,
    ...(input.flex ? { flex_target: 1, flex_min: 1, flex_max: 1 } : {}),
    ...(input.flex || input.resources.length > 0 ? { orchestrate: 'start' } : {}),
    ...(input.slave ? { scaler_slave: true } : {}),
    ...(input.scale === null ? {} : { scale: input.scale, scaler_slaves: input.slaves }),
    status_group: Object.fromEntries(GROUPS.map((group) => [group, inGroup(group) ? avail : 'n/a'])),
    overall: avail,
    avail,
    optional: 'n/a',
    ...(input.resources.length > 0 ? { provisioned: true } : {}),
    csum: md5(JSON.stringify(input)),
    monitor,
  };
}

/** `monitor.services.<path>` from its instances; `{}` for kinds that have no availability. */
export function aggregateStatus(instances: readonly Fields[]): Fields {
  const first = instances[0];
  if (first === undefined || !('avail' in first)) return {};
  const avails = instances.map((instance) => instance['avail']);
  const frozen = instances.filter((instance) => instance['frozen'] !== 0).length;
  const avail = avails.includes('up') ? 'up' : avails.includes('down') ? 'down' : 'n/a';
  return {
    ...(first['scaler_slave'] === true ? { scaler_slave: true } : {}),
    ...('scale' in first ? { scale: first['scale'] ?? null } : {}),
    avail,
    frozen: frozen === 0 ? 'thawed' : frozen === instances.length ? 'frozen' : 'mixed',
    overall: avail,
    placement: 'optimal',
    provisioned: first['provisioned'] ?? 'n/a',
  };
}

/** The aggregate of an object whose instances have no status yet. */
export const UNKNOWN_AGGREGATE: Fields = {
  avail: 'unknown',
  frozen: 'n/a',
  overall: 'unknown',
  placement: 'optimal',
  provisioned: false,
};

/** `monitor.nodes.<n>`; `services` is filled by the caller. */
export function nodeStatus(input: {
  /** Generations of the dataset by node. */
  readonly gen: { readonly [node: string]: number };
  readonly status: string;
  readonly configCsum: string;
  readonly score: number;
  readonly services: Json;
}): Fields {
  const updated = nowSeconds();
  return {
    compat: 10,
    api: 7,
    agent: '2.1-sim',
    monitor: { status: input.status, status_updated: updated },
    labels: {},
    targets: [],
    services: input.services,
    gen: input.gen,
    config: { csum: input.configCsum },
    stats: { load_15m: 1, mem_total: 24103, mem_avail: 97, swap_total: 0, swap_avail: 0, score: input.score },
    frozen: 0,
    env: 'TST',
    locks: {},
    speaker: false,
    min_avail_mem: 2,
    min_avail_swap: 0,
    updated,
  };
}
