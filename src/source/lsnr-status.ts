/**
 * The bytes of a `daemon_status` → what they say of the cluster, walked through without building the tree (a status of 20,000
 * services on three nodes is 19 MB). Pure; runs on any thread. Invariants: unknown fields are ignored, missing ones mean "not
 * known", nothing is guessed; a service whose mark is known says the same as before. Source: reference/opensvc-v2-protocol.md §5.
 */
import { createHash } from 'node:crypto';
import { fail, type Failure, ok, type Result } from '../errors.js';
import { createJsonCursor, type JsonCursor } from '../model/json-cursor.js';
import type { ServiceKey } from '../model/service.js';
import { errorOf, isDeleting, isSlave, serviceOf, words } from './lsnr-answers.js';
import type { ClusterList, ListedNode, ListedService } from './source.js';

/** One service as it crosses threads: a `ListedService` without a map, and what it is recognised by. */
export interface StatusService {
  readonly key: ServiceKey;
  readonly csums: readonly (readonly [node: string, csum: string])[];
  readonly scope: readonly string[];
  readonly slave: boolean;
  readonly deleting: boolean;
  /** Equal marks: equal services. */
  readonly mark: string;
}

/** A service that is the same object as long as nothing of it changed. */
export interface MarkedService extends ListedService {
  readonly mark: string;
}

/** All of a status but its services. */
export interface StatusHead {
  readonly clusterName: string;
  readonly members: readonly string[];
  readonly nodes: readonly ListedNode[];
  readonly clusterConfigCsum: string | null;
}

/** Reads a status, here or elsewhere; services that did not change are the objects of `known`. Failures: scanStatus's. */
export type ReadStatus = (
  status: Uint8Array,
  ownNode: string | null,
  known: readonly MarkedService[],
) => Promise<Result<{ readonly head: StatusHead; readonly services: readonly MarkedService[] }>>;

interface Draft {
  readonly key: ServiceKey;
  readonly csums: [string, string][];
  readonly scope: Set<string>;
  slave: boolean;
  deleting: boolean;
}

/** Tells each service of the status. Failures: agent-not-json, agent-not-status, and what the agent says in an `error`. */
export function scanStatus(
  bytes: Uint8Array,
  ownNode: string | null,
  tell: (service: StatusService) => void,
): Result<StatusHead> {
  const scan = createScan(createJsonCursor(bytes));
  try {
    const failure = scan.run();
    if (failure !== null) return fail(failure);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const message = `the answer (${bytes.length} bytes) is no JSON`;
    return fail({ code: 'agent-not-json', retry: 'backoff', message });
  }
  for (const draft of scan.services.values()) tell(marked(draft));
  return ok(scan.head(ownNode));
}

function createScan(cursor: JsonCursor) {
  const services = new Map<string, Draft | null>();
  const nodes = new Map<string, ListedNode>();
  const clusterCsums = new Map<string, string>();
  let clusterName = '';
  let members: readonly string[] = [];

  /** Enters the object that stands here, if it is one; members that nobody asked for are skipped. */
  function into(readers: Readonly<Record<string, () => void>>): boolean {
    return each((name) => {
      if (Object.hasOwn(readers, name)) readers[name]?.();
      else cursor.skip();
    });
  }

  function each(member: (name: string) => void): boolean {
    const isObject = cursor.object(member);
    if (!isObject) cursor.skip();
    return isObject;
  }

  /** By path as the agent writes it, which is one form per object: a path is parsed once, not at each of its mentions. */
  function draftOf(path: string): Draft | null {
    const known = services.get(path);
    if (known !== undefined) return known;
    const key = serviceOf(path);
    const draft =
      key === undefined ? null : { key, csums: [], scope: new Set<string>(), slave: false, deleting: false };
    services.set(path, draft);
    return draft;
  }

  /** The aggregate of a service, or its instance on one node. */
  function readStatus(path: string): void {
    const draft = draftOf(path);
    if (draft === null) return cursor.skip();
    into({
      scaler_slave() {
        if (isSlave({ scaler_slave: cursor.value() })) draft.slave = true;
      },
      monitor: () =>
        void into({
          global_expect() {
            if (isDeleting(cursor.value())) draft.deleting = true;
          },
        }),
    });
  }

  function readConfig(node: string, path: string): void {
    const draft = draftOf(path);
    if (draft === null && path !== 'cluster') return cursor.skip();
    let csum: unknown;
    into({
      csum() {
        csum = cursor.value();
      },
      scope() {
        for (const member of words(cursor.value())) draft?.scope.add(member);
      },
    });
    if (draft !== null) draft.csums.push([node, typeof csum === 'string' ? csum : '']);
    else if (typeof csum === 'string') clusterCsums.set(node, csum);
  }

  function readNode(name: string): void {
    let status: unknown;
    into({
      monitor: () =>
        void into({
          status() {
            status = cursor.value();
          },
        }),
      services: () =>
        void into({
          config: () => void each((path) => readConfig(name, path)),
          status: () => void each(readStatus),
        }),
    });
    nodes.set(name, { name, status: typeof status === 'string' ? status : '' });
  }

  return {
    get services(): ReadonlyMap<string, Draft> {
      return new Map([...services].flatMap(([path, draft]) => (draft === null ? [] : [[path, draft]])));
    },
    /** Reads everything; what the agent complains of, or null. */
    run(): Failure | null {
      let cluster = false;
      let monitor = false;
      const said: { error?: unknown; status?: unknown } = {};
      into({
        error() {
          said.error = cursor.value();
        },
        status() {
          said.status = cursor.value();
        },
        cluster() {
          cluster = into({
            name() {
              const name = cursor.value();
              clusterName = typeof name === 'string' ? name : '';
            },
            nodes() {
              members = words(cursor.value());
            },
          });
        },
        monitor() {
          monitor = into({
            nodes: () => void each(readNode),
            services: () => void each(readStatus),
          });
        },
      });
      cursor.end();
      const error = errorOf(said);
      if (error !== undefined) return error;
      if (cluster && monitor) return null;
      return {
        code: 'agent-not-status',
        retry: 'backoff',
        message: 'the status has no cluster or no monitor',
      };
    },
    /** `ownNode` is preferred where one node has to speak for the cluster. */
    head(ownNode: string | null): StatusHead {
      const [smallest] = [...clusterCsums].sort(([a], [b]) => (a < b ? -1 : 1));
      const clusterConfigCsum = clusterCsums.get(ownNode ?? '') ?? smallest?.[1] ?? null;
      return { clusterName, members, nodes: [...nodes.values()], clusterConfigCsum };
    },
  };
}

function marked({ key, csums, scope, slave, deleting }: Draft): StatusService {
  const service = { key, csums, scope: [...scope], slave, deleting };
  const mark = createHash('sha1').update(JSON.stringify(service)).digest('base64').slice(0, 22);
  return { ...service, mark };
}

/** Written out, here and where there is one of a kind per service: what a spread makes costs a hidden class each. */
export function markedService(service: StatusService): MarkedService {
  const { key, scope, slave, deleting, mark } = service;
  return { key, csums: new Map(service.csums), scope, slave, deleting, mark };
}

export function listOf(head: StatusHead, services: readonly MarkedService[]): ClusterList {
  return {
    ...head,
    nodes: new Map(head.nodes.map((node) => [node.name, node])),
    services: new Map(services.map((service) => [service.key, service])),
  };
}
