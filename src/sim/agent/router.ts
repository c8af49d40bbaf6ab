/**
 * Routing of one request: `(method, action)` finds the handler, `node` sends it to nodes and wraps the answers. Names
 * differ with and without a method; mixing them is a 501 (reference/opensvc-v2-protocol.md §2, §5).
 */
import type { SimCluster } from '../cluster/cluster.js';
import { createObjects, runAction, setTarget } from './actions.js';
import {
  type Answer,
  type Body,
  body,
  httpError,
  INVALID_FORMAT,
  NO_ACTION,
  notSupported,
  UNKNOWN_SERVICE,
} from './answers.js';
import { createPacer, type Options, pathOption, readNodeConfig, readObjectConfig } from './config-read.js';
import type { Flaws } from './flaws.js';
import { selects } from './selector.js';
import { candidate, daemonStatus, type ListenerState, objectStatus } from './status-answer.js';
import type { View } from './view.js';

export interface AgentParts {
  readonly cluster: SimCluster;
  readonly node: string;
  readonly view: View;
  readonly flaws: Flaws;
  readonly listener: ListenerState;
}

interface Route {
  run(on: string, options: Options): Answer | Promise<Answer>;
  /** The method with which a peer is asked, whatever the client used. */
  readonly relayMethod: string;
  readonly multiplex: boolean;
}

export interface Routed {
  readonly action: string;
  readonly method: string | null;
  readonly options: Options;
  /** The request asks for the event stream. */
  readonly stream: boolean;
  answer(): Promise<Answer>;
}

const WHOAMI: Body = {
  name: 'root',
  namespace: null,
  auth: 'secret',
  raw_grant: 'root',
  grant: { root: null },
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Router = (request: unknown) => Routed | Answer;

export function createRouter(parts: AgentParts): Router {
  const { cluster, node, view, flaws } = parts;
  const turn = createPacer(flaws);
  const routes = new Map<string, Route>();
  const known = new Set<string>();

  function route(
    names: readonly string[],
    run: Route['run'],
    how: { relay?: string; multiplex?: boolean } = {},
  ): void {
    const entry = { run, relayMethod: how.relay ?? 'GET', multiplex: how.multiplex ?? true };
    for (const name of names) {
      routes.set(name, entry);
      known.add(name);
    }
  }

  route(['None whoami', 'GET whoami'], () => body(WHOAMI));
  route(['None daemon_status', 'GET daemon_status'], (_on, options) => body(daemonStatus(parts, options)), {
    multiplex: false,
  });
  route(['None get_service_config', 'GET object_config'], async (on, options) => {
    await turn();
    return readObjectConfig(parts, on, options);
  });
  route(['None get_node_config', 'GET node_config'], (_on, options) => readNodeConfig(options));
  route(['None object_selector', 'GET object_selector'], (_on, options) => body(select(options)));
  route(['GET object_status'], (_on, options) => {
    const path = pathOption(options);
    return body(
      path === undefined ? httpError(400, 'required option path is not set') : objectStatus(parts, path),
    );
  });
  route(
    ['POST object_action', 'POST service_action', 'None service_action'],
    (on, options) => runAction(cluster, on, options, flaws),
    { relay: 'POST' },
  );
  route(
    ['None create', 'POST create', 'POST object_create'],
    (on, options) => createObjects(cluster, on, options),
    {
      multiplex: false,
    },
  );
  route(['None set_service_monitor', 'POST object_monitor'], (_on, options) => setTarget(cluster, options), {
    multiplex: false,
  });
  route(['None wake_monitor', 'POST wake_monitor'], () => body({ status: 0 }));

  function select(options: Options): readonly string[] {
    const selector = typeof options['selector'] === 'string' ? options['selector'] : '';
    const { namespace, kind } = options;
    return Object.keys(view.status().monitor.services).filter((path) => {
      const each = candidate(parts, path);
      if (typeof namespace === 'string' && each.namespace !== namespace) return false;
      if (typeof kind === 'string' && each.kind !== kind) return false;
      return selects(selector, each);
    });
  }

  /** The nodes that a request is sent to, or the answer when there are none. */
  function targets(wanted: string, path: string | undefined): readonly string[] | Answer {
    const having = path === undefined ? [] : instanceNodes(path);
    if (wanted === 'ANY') {
      if (path === undefined) return [node];
      const chosen = having.includes(node) ? node : having[0];
      return chosen === undefined ? body(UNKNOWN_SERVICE) : [chosen];
    }
    const named =
      wanted === '*' ? cluster.nodes : wanted.split(/[\s,]+/).filter((name) => cluster.nodes.includes(name));
    if (named.length === 0) return body({ info: 'empty node selection', status: 0 });
    return path === undefined ? named : named.filter((name) => having.includes(name));
  }

  function instanceNodes(path: string): readonly string[] {
    // measured: the cluster's own object is no instance for this purpose
    if (path === 'cluster') return [];
    return cluster.instanceNodes(path).filter((name) => view.knowsInstance(path, name));
  }

  async function multiplex(found: Route, action: string, wanted: string, options: Options): Promise<Answer> {
    const path = pathOption(options);
    const chosen = targets(wanted, path);
    if (!Array.isArray(chosen)) return chosen as Answer;
    const nodes: Record<string, Body> = {};
    let status = 0;
    let cut = false;
    for (const name of chosen as readonly string[]) {
      const local = name === node;
      const handler = local ? found : routes.get(`${found.relayMethod} ${action}`);
      const answer =
        handler === undefined
          ? body(notSupported(found.relayMethod, action))
          : await handler.run(name, options);
      if (answer.kind === 'closed' || answer.kind === 'silent') return answer;
      cut ||= answer.kind === 'cut';
      nodes[name] = answer.body;
      const own = isRecord(answer.body) ? answer.body['status'] : undefined;
      if (local) status += own === undefined || own === 0 || own === '' ? 0 : 1;
      else if (typeof own === 'number') status += own;
    }
    return { kind: cut ? 'cut' : 'body', body: { nodes, status } };
  }

  return (request) => {
    if (!isRecord(request)) return body(INVALID_FORMAT);
    if (typeof request['action'] !== 'string') return body(NO_ACTION);
    const action = request['action'].replace(/^\/+/, '');
    const method = typeof request['method'] === 'string' ? request['method'] : null;
    const options = isRecord(request['options']) ? request['options'] : {};
    const common = { action, method, options };
    if (action === 'events' && (method === null || method === 'GET')) {
      return { ...common, stream: true, answer: () => Promise.resolve<Answer>({ kind: 'silent' }) };
    }
    const found = routes.get(`${method ?? 'None'} ${action}`);
    if (found === undefined) return body(notSupported(method, action));
    const wanted = request['node'];
    const run = async (): Promise<Answer> =>
      found.multiplex && typeof wanted === 'string' && wanted !== ''
        ? multiplex(found, action, wanted, options)
        : found.run(node, options);
    return { ...common, stream: false, answer: run };
  };
}
