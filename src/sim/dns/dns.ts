/**
 * A DNS server for the cluster's zone on one port, UDP and TCP, with the ways in which a cluster DNS fails as switches.
 * Invariant: an answer always reflects the cluster as it is now; there is no cache to wait for.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import dnsPacket from 'dns-packet';
import { answerQuery, type Rcode } from './answer.js';
import { createZoneCache, type ZoneSource } from './zone.js';

/** `empty` is NOERROR without records, for every name: what empties the backends of a balancer that believes it. */
export type DnsMode = 'ok' | 'silent' | 'servfail' | 'refused' | 'nxdomain' | 'empty';

export interface SimDns {
  readonly address: string;
  readonly port: number;
  /** Changes how it answers, over one protocol or both. */
  setMode(mode: DnsMode, proto?: 'udp' | 'tcp'): void;
  /** Queries received, of one type (`SRV`, `SOA`, …) or of all. */
  count(type?: string): number;
  stop(): Promise<void>;
}

const FORCED: Readonly<Record<Exclude<DnsMode, 'silent' | 'ok'>, Rcode>> = {
  servfail: 'SERVFAIL',
  refused: 'REFUSED',
  nxdomain: 'NXDOMAIN',
  empty: 'NOERROR',
};

const BIND_ATTEMPTS = 10;

function splitBind(bind: string): { address: string; port: number } {
  const colon = bind.lastIndexOf(':');
  return { address: bind.slice(0, colon), port: Number(bind.slice(colon + 1)) };
}

/** Starts the server. `bind` is `address:port`; port 0 takes one that is free for both protocols. */
export async function startDns(options: {
  readonly cluster: ZoneSource;
  readonly bind: string;
}): Promise<SimDns> {
  const { address, port: wanted } = splitBind(options.bind);
  const cache = createZoneCache(options.cluster);
  const modes: Record<'udp' | 'tcp', DnsMode> = { udp: 'ok', tcp: 'ok' };
  const counts = new Map<string, number>();

  function answer(bytes: Buffer, proto: 'udp' | 'tcp'): Buffer | undefined {
    let query: ReturnType<typeof dnsPacket.decode>;
    try {
      query = dnsPacket.decode(bytes);
    } catch {
      return undefined;
    }
    for (const key of ['', query.questions?.[0]?.type ?? '?']) counts.set(key, (counts.get(key) ?? 0) + 1);
    const mode = modes[proto];
    if (mode === 'silent') return undefined;
    return answerQuery(query, cache.zone(), proto, mode === 'ok' ? undefined : FORCED[mode]);
  }

  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const reply = answer(received.subarray(2, end), 'tcp');
        received = received.subarray(end);
        if (reply === undefined) continue;
        const prefix = Buffer.alloc(2);
        prefix.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([prefix, reply]));
      }
    });
  });
  const listenTcp = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(port, address, () => {
        tcp.removeListener('error', reject);
        const bound = tcp.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });

  async function bindUdp(port: number): Promise<ReturnType<typeof createSocket>> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind(port, address, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    socket.on('message', (bytes, from) => {
      const reply = answer(bytes, 'udp');
      // the client may be gone: nothing to do about it
      if (reply !== undefined) socket.send(reply, from.port, from.address, () => undefined);
    });
    return socket;
  }

  async function bindBoth(): Promise<{ udp: ReturnType<typeof createSocket>; port: number }> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await listenTcp(wanted);
      try {
        return { udp: await bindUdp(port), port };
      } catch (error) {
        await new Promise((resolve) => tcp.close(resolve));
        if (wanted !== 0 || attempt === BIND_ATTEMPTS) throw error;
      }
    }
  }

  const { udp, port } = await bindBoth();
  return {
    address,
    port,
    setMode(mode, proto) {
      for (const each of proto === undefined ? (['udp', 'tcp'] as const) : [proto]) modes[each] = mode;
    },
    count: (type = '') => counts.get(type) ?? 0,
    async stop() {
      cache.close();
      const closed = Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
