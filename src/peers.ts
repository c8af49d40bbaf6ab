/** Who answers: the agent and GoBetween. Invariant: a peer that is silent is said so once, and once when it is back. */

/** list: GoBetween's servers, which may not be readable although it answers. */
type Peer = 'agent' | 'gobetween' | 'list';

export interface Peers {
  tell(peer: Peer, up: boolean, line: string): void;
  /** Why a peer counts as silent; null: it answers. */
  trouble(peer: Peer): string | null;
  /** One line for each peer that does not answer. */
  silent(): readonly string[];
}

export function createPeers(
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void },
  gobetweenUrl: string,
): Peers {
  const silent = new Map<Peer, string>([
    ['agent', 'the OpenSVC agent has not answered yet'],
    ['gobetween', `GoBetween at ${gobetweenUrl} has not answered yet`],
  ]);
  const told = new Map<Peer, boolean>([['list', true]]);
  return {
    tell(peer, up, line) {
      if (up) silent.delete(peer);
      else silent.set(peer, line);
      if (told.get(peer) === up) return;
      told.set(peer, up);
      if (up) log.info({}, line);
      else log.warn({}, `${line}; waiting for it`);
    },
    trouble: (peer) => silent.get(peer) ?? null,
    silent: () => [...silent.values()],
  };
}
