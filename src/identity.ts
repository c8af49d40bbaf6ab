/**
 * Who this gateway is, and what compile may know beside one service's config (SPEC §2). Invariant: the context changes only
 * with the cluster's facts, so services need compiling again only when `onCluster` said so.
 */
import type { Problem } from './model/problem.js';
import { displayPath, keyPath, type ServiceKey } from './model/service.js';
import type { CompileContext } from './model/spec.js';
import type { Settings } from './settings/settings.js';
import type { Cluster } from './source/cluster-facts.js';

export interface Identity {
  context(): CompileContext;
  /** Nodes and services of the cluster, lower case: what a target may name. */
  knownNames(): ReadonlySet<string>;
  /** Who is in the cluster changed. */
  refresh(): void;
  /** `identity-unknown`: no name of ours can be told from another gateway's, so nothing may be deleted. */
  problem(): Problem | null;
}

export function createIdentity(deps: {
  readonly settings: Settings;
  readonly hostname: string;
  readonly cluster: () => Cluster;
  /** Every service of the last list, read or not. */
  readonly services: () => Iterable<ServiceKey>;
}): Identity {
  const { settings, hostname } = deps;
  /** null: to be made when somebody asks, for most services name no target. */
  let names: ReadonlySet<string> | null = null;

  return {
    context() {
      const { name, nodeName } = deps.cluster();
      const own = [settings.hostname ?? hostname, ...(nodeName === null ? [] : [nodeName])];
      return {
        dialect: 'v2',
        clusterName: name,
        gatewayNames: [...own, ...settings.gateways],
        nodeName: nodeName ?? settings.hostname ?? hostname,
        defaultAddr: settings.defaultAddr,
        allowExec: settings.allowExecHealthcheck,
        allowAcme: settings.allowAcme,
        tlsDir: settings.tlsDir,
      };
    },
    knownNames() {
      if (names !== null) return names;
      const { nodes, members } = deps.cluster();
      const found = new Set([...nodes.keys(), ...members].map((name) => name.toLowerCase()));
      for (const key of deps.services()) {
        found.add(displayPath(key).toLowerCase()).add(keyPath(key).name.toLowerCase());
      }
      names = found;
      return names;
    },
    refresh() {
      names = null;
    },
    problem() {
      const { name, nodeName } = deps.cluster();
      if (name === '' || nodeName !== null || settings.hostname !== null) return null;
      return {
        code: 'identity-unknown',
        severity: 'problem',
        key: null,
        place: '--hostname',
        message: `the agent gives no node name, and ${hostname} is no node of the cluster ${name}`,
        keeps: 'every server; new ones are made; nothing is deleted',
        mend: 'give --hostname with the name of the node that runs this gateway',
      };
    },
  };
}
