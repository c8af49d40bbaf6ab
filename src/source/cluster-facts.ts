/**
 * What is known of the cluster as a whole: its name, its members, the nodes that are alive, its DNS list, our own node.
 * Invariant: a fact changes only by an answer of the agent; an answer that fails changes nothing. Source: SPEC §2, §6.
 */
import type { EvaluationContext } from './config-cache.js';
import type { ClusterList, ListedNode, Source } from './source.js';

export interface Cluster {
  /** Empty until the first list. */
  readonly name: string;
  /** null: the agent gives no name, and the fallback is no node of the cluster. */
  readonly nodeName: string | null;
  readonly dns: readonly string[];
  /** Nodes heard by the agent. */
  readonly nodes: ReadonlyMap<string, ListedNode>;
  readonly members: readonly string[];
}

export type ClusterFact = 'name' | 'node-name' | 'dns' | 'nodes' | 'members';

export interface ClusterFacts {
  readonly now: Cluster;
  /** The agent's own name, asked for until it gives one. */
  learnNodeName(): Promise<void>;
  /** Our node is known, or the agent answered that it gives no name. */
  readonly nodeNameSettled: boolean;
  observe(list: ClusterList): void;
  /** Reads the DNS list if the cluster's config may have changed since. */
  learnDns(): Promise<void>;
  /** The DNS list was read at least once. */
  readonly dnsKnown: boolean;
  context(): EvaluationContext;
}

export interface ClusterFactsOptions {
  readonly source: Pick<Source, 'nodeName' | 'clusterConfig'>;
  /** The system's host name, for an agent that gives no name; used if it is a node of the cluster. */
  readonly fallbackNode: string;
  /** Called with what changed, never empty. */
  readonly onChange: (changed: readonly ClusterFact[]) => void;
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((word, i) => word === b[i]);
const nodeLine = ({ name, status }: ListedNode): string => `${name} ${status}`;

export function createClusterFacts({ source, fallbackNode, onChange }: ClusterFactsOptions): ClusterFacts {
  let now: Cluster = { name: '', nodeName: null, dns: [], nodes: new Map(), members: [] };
  let agentName: string | null = null;
  let nameless = false;
  let configCsum: string | null = null;
  /** The checksum that the DNS list was read under; undefined before the first read. */
  let dnsCsum: string | null | undefined;
  /** The checksum under which it cannot be read. */
  let givenUpCsum: string | null = null;
  let learning = false;

  function become(next: Cluster): void {
    const before = now;
    now = next;
    const changed: ClusterFact[] = [];
    if (next.name !== before.name) changed.push('name');
    if (next.nodeName !== before.nodeName) changed.push('node-name');
    if (!same(next.dns, before.dns)) changed.push('dns');
    if (!same([...next.nodes.values()].map(nodeLine), [...before.nodes.values()].map(nodeLine)))
      changed.push('nodes');
    if (!same(next.members, before.members)) changed.push('members');
    if (changed.length > 0) onChange(changed);
  }

  function nodeNameIn({ nodes, members }: Pick<Cluster, 'nodes' | 'members'>): string | null {
    if (agentName !== null) return agentName;
    return nodes.has(fallbackNode) || members.includes(fallbackNode) ? fallbackNode : null;
  }

  return {
    get now() {
      return now;
    },
    async learnNodeName() {
      if (agentName !== null) return;
      const answer = await source.nodeName();
      if (answer.ok) agentName = answer.value;
      nameless = !answer.ok && answer.failure.retry === 'no';
    },
    get nodeNameSettled() {
      return now.nodeName !== null || nameless;
    },
    observe(list) {
      configCsum = list.clusterConfigCsum;
      const { members } = list;
      // Every record's name ends with it: a status without it must not rename them all.
      const name = list.clusterName === '' ? now.name : list.clusterName;
      const nodes = new Map([...list.nodes].sort(([a], [b]) => (a < b ? -1 : 1)));
      become({ name, members, nodes, dns: now.dns, nodeName: nodeNameIn({ nodes, members }) });
    },
    async learnDns() {
      if (learning || (configCsum !== null && (dnsCsum === configCsum || givenUpCsum === configCsum))) return;
      learning = true;
      const csum = configCsum;
      const answer = await source.clusterConfig();
      learning = false;
      if (!answer.ok) {
        if (answer.failure.retry === 'no') givenUpCsum = csum;
        return;
      }
      dnsCsum = csum;
      become({ ...now, dns: answer.value.dns });
    },
    get dnsKnown() {
      return dnsCsum !== undefined;
    },
    context: () => ({ clusterConfigCsum: configCsum, node: now.nodeName ?? '' }),
  };
}
