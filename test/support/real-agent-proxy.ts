/** A unix socket before the agent's that counts the requests that pass, by action: the agent keeps no account of them. */
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';

export interface AgentProxy {
  readonly socketPath: string;
  /** Requests of one action since the start. */
  count(action: string): number;
  counts(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startAgentProxy(socketPath: string, agentSocket: string): Promise<AgentProxy> {
  const seen = new Map<string, number>();
  const live = new Set<Socket>();
  const server = createServer((client) => {
    const agent = connect({ path: agentSocket });
    let head = '';
    live.add(client).add(agent);
    client.on('data', (chunk: Buffer) => {
      if (!head.endsWith('\0')) {
        head += chunk.toString('latin1');
        if (head.endsWith('\0')) note(head);
      }
      agent.write(chunk);
    });
    agent.pipe(client);
    for (const [one, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        live.delete(one);
        if (one === client) other.destroy();
      });
    }
  });
  function note(head: string): void {
    const text = head.split(/[\r\n\0]/)[0] ?? '';
    const { action } = JSON.parse(text) as { action: string };
    seen.set(action, (seen.get(action) ?? 0) + 1);
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    socketPath,
    count: (action) => seen.get(action) ?? 0,
    counts: () => Object.fromEntries(seen),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of live) socket.destroy();
      await closed;
      await rm(socketPath, { force: true });
    },
  };
}
