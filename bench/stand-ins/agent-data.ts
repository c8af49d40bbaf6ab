/**
 * What the lean agent knows: every service's state, and `daemon_status` as bytes in which a checksum is changed in place
 * (the answer is 19 MB at 20,000 services; making it anew each time would take the machine that is measured). Shapes come
 * from the simulated cluster, which is judged by recordings.
 */
import { createCluster, type SimCluster } from '../../src/sim/cluster/cluster.js';
import { pythonJson } from '../../src/sim/agent/python-json.js';
import {
  addressOf,
  CLUSTER,
  configText,
  csumOf,
  type Fixture,
  firstState,
  NODES,
  nodeOf,
  pathOf,
  type ServiceState,
} from '../fixture.js';

export interface AgentData {
  readonly template: SimCluster;
  state(service: number): ServiceState | undefined;
  /** Another bind, or the same: the checksum changes in any case. */
  change(service: number, bind: string | null): ServiceState;
  add(service: number): void;
  remove(service: number): void;
  services(): Iterable<number>;
  /** Up to date, with the final NUL; the caller owns it. */
  status(): Buffer;
  config(service: number): string;
  /** The three members that a new service brings. */
  parts(service: number): { readonly status: string; readonly config: string; readonly aggregate: string };
}

const NAME = 'ns0/svc/web0';

export function createAgentData(fixture: Fixture): AgentData {
  const template = createCluster({ name: CLUSTER, nodes: [...NODES], dns: ['127.0.0.1'] });
  template.create(
    NAME,
    '[DEFAULT]\nnodes = n1\n\n[ip#1]\nipname = 10.0.0.0\nipdev = lo\nnetmask = 32\nexpose = 8080/tcp\n\n[env]\n',
    { nodes: ['n1'] },
  );
  const shape = (...path: string[]): string => pythonJson(template.dataset.get(path));
  const statusShape = shape('monitor', 'nodes', 'n1', 'services', 'status', NAME);
  const aggregateShape = shape('monitor', 'services', NAME);
  const clusterShape = (map: string, node: string): string =>
    pythonJson(template.dataset.get(['monitor', 'nodes', node, 'services', map, 'cluster']) ?? {});

  const states = new Map<number, ServiceState>();
  for (let service = 0; service < fixture.services; service++)
    states.set(service, firstState(fixture, service));
  let bytes: Buffer | null = null;
  const csumAt = new Map<number, number>();

  function parts(service: number) {
    const state = states.get(service) ?? firstState(fixture, service);
    return {
      status: statusShape.replaceAll('10.0.0.0', addressOf(service)),
      config: `{"updated": 1795353806.3758385, "csum": "${csumOf(service, state.rev)}", "scope": ["${nodeOf(service)}"]}`,
      aggregate: aggregateShape,
    };
  }

  /** Everything anew, when services came or went. */
  function build(): Buffer {
    csumAt.clear();
    const chunks: string[] = [];
    let length = 0;
    const put = (text: string): void => {
      chunks.push(text);
      length += text.length;
    };
    const byNode = new Map<string, number[]>(NODES.map((node) => [node, []]));
    for (const service of states.keys()) byNode.get(nodeOf(service))?.push(service);
    for (const part of frame(template).split('@')) {
      if (byNode.has(part)) putNode(part);
      else if (part === 'aggregates') putAggregates();
      else put(part);
    }
    put('\0');
    return Buffer.from(chunks.join(''), 'latin1');

    function putNode(node: string): void {
      put(`{"status": {"cluster": ${clusterShape('status', node)}`);
      for (const service of byNode.get(node) ?? []) put(`, "${pathOf(service)}": ${parts(service).status}`);
      put(`}, "config": {"cluster": ${clusterShape('config', node)}`);
      for (const service of byNode.get(node) ?? []) {
        const { config } = parts(service);
        put(`, "${pathOf(service)}": `);
        csumAt.set(service, length + config.indexOf('"csum": "') + 9);
        put(config);
      }
      put('}}');
    }

    function putAggregates(): void {
      put('{"cluster": {}');
      for (const service of states.keys()) put(`, "${pathOf(service)}": ${aggregateShape}`);
      put('}');
    }
  }

  return {
    template,
    state: (service) => states.get(service),
    change(service, bind) {
      const before = states.get(service) ?? firstState(fixture, service);
      const state = { bind: bind ?? before.bind, rev: before.rev + 1 };
      states.set(service, state);
      const at = csumAt.get(service);
      if (bytes !== null && at !== undefined) bytes.write(csumOf(service, state.rev), at, 'latin1');
      return state;
    },
    add(service) {
      states.set(service, firstState(fixture, service));
      bytes = null;
    },
    remove(service) {
      states.delete(service);
      bytes = null;
    },
    services: () => states.keys(),
    status() {
      bytes ??= build();
      // a copy: a change while it is sent must not tear a checksum
      return Buffer.from(bytes);
    },
    config: (service) =>
      configText(service, states.get(service) ?? firstState(fixture, service), fixture.dnsPort),
    parts,
  };
}

/** `daemon_status` with `@node@` in the place of a node's services, and `@aggregates@`. */
function frame(template: SimCluster): string {
  const tree = structuredClone(template.dataset.tree) as {
    monitor: { nodes: Record<string, { services: unknown }>; services: unknown };
    cluster: unknown;
  };
  for (const [node, fields] of Object.entries(tree.monitor.nodes)) fields.services = `@${node}@`;
  tree.monitor.services = '@aggregates@';
  const text = pythonJson({
    monitor: tree.monitor,
    daemon: { ident: 139_997_641_414_336, state: 'running' },
    cluster: tree.cluster,
    scheduler: { state: 'running', running: 0, delayed: [] },
    listener: { state: 'running', config: { port: 1214, addr: '127.0.0.1' } },
    dns: { state: 'running' },
  });
  return text.replaceAll(/"(@\w+@)"/g, '$1');
}
