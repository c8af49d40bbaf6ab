/**
 * The lean agent's event stream: frames as recorded from a v2.1 agent, written to every subscriber as they are made. It
 * never cuts a slow reader, but says how far the slowest lagged: a real agent cuts at 208 KiB.
 */
import type { Socket } from 'node:net';
import { csumOf, nodeOf, pathOf } from '../fixture.js';

export interface Stream {
  subscribe(socket: Socket): void;
  /** Sends frames made by `frame`. */
  send(frames: readonly string[]): void;
  sendBytes(bytes: Buffer): Promise<void>;
  subscribers(): number;
  /** Bytes waiting for the slowest reader, at most so far. */
  backlog(): number;
  frames(): number;
}

const nextTs = (): string => (1_795_353_806 + performance.now() / 1000).toFixed(7);
let lastId = 0;

/** A patch with these changes, each as JSON. */
export function frame(changes: readonly string[]): string {
  lastId += 1;
  return `{"kind": "patch", "id": ${lastId}, "ts": ${nextTs()}, "data": [${changes.join(', ')}]}\0`;
}

/** A config was written: what `set` of a keyword makes. */
export function configChanges(service: number, rev: number): readonly string[] {
  const path = (map: string, leaf: string): string =>
    `["monitor", "nodes", "${nodeOf(service)}", "services", "${map}", "${pathOf(service)}", "${leaf}"]`;
  const ts = nextTs();
  return [
    `[${path('config', 'updated')}, ${ts}]`,
    `[${path('config', 'csum')}, "${csumOf(service, rev)}"]`,
    `[${path('status', 'updated')}, ${ts}]`,
  ];
}

/** A status was refreshed, and nothing of it concerns a gateway. */
export function statusChanges(service: number): readonly string[] {
  const path = `["monitor", "nodes", "${nodeOf(service)}", "services", "status", "${pathOf(service)}", "updated"]`;
  return [`[${path}, ${nextTs()}]`];
}

/** A resource went down or up. */
export function availChanges(service: number, avail: string): readonly string[] {
  const status = `"monitor", "nodes", "${nodeOf(service)}", "services", "status", "${pathOf(service)}"`;
  return [
    `[[${status}, "resources", "ip#1", "status"], "${avail}"]`,
    `[[${status}, "avail"], "${avail}"]`,
    `[[${status}, "overall"], "${avail}"]`,
    `[[${status}, "csum"], "${csumOf(service, lastId)}"]`,
    `[["monitor", "services", "${pathOf(service)}", "avail"], "${avail}"]`,
    ...statusChanges(service),
  ];
}

/** What each connection to the agent does to its counters. */
export function sessionChanges(accepted: number): readonly string[] {
  const stats = '"listener", "stats", "sessions"';
  const local = `${stats}, "clients", "local"`;
  const session = `${csumOf(accepted, 1).slice(0, 8)}-d955-4344-9e9f-4d3c5d2f8a1b`;
  const alive = `{"created": ${nextTs()}, "addr": "local", "encrypted": false, "progress": "None /events", "ident": 139997650200256, "tid": 17560}`;
  return [
    `[[${stats}, "accepted"], ${accepted}]`,
    `[[${stats}, "auth_validated"], ${accepted}]`,
    `[[${stats}, "rx"], ${accepted * 244}]`,
    `[[${stats}, "alive", "${session}"], ${alive}]`,
    `[[${local}, "accepted"], ${accepted}]`,
    `[[${local}, "auth_validated"], ${accepted}]`,
    `[[${local}, "rx"], ${accepted * 244}]`,
    `[[${stats}, "alive", "${session}"]]`,
  ];
}

export function createStream(): Stream {
  const sockets = new Set<Socket>();
  let backlog = 0;
  let frames = 0;

  function note(): void {
    for (const socket of sockets) backlog = Math.max(backlog, socket.writableLength);
  }

  return {
    subscribe(socket) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    },
    send(texts) {
      if (texts.length === 0) return;
      frames += texts.length;
      const bytes = Buffer.from(texts.join(''), 'latin1');
      for (const socket of sockets) socket.write(bytes);
      note();
    },
    async sendBytes(bytes) {
      const sent = [...sockets].map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            socket.once('error', reject);
            socket.write(bytes, (error) => {
              socket.off('error', reject);
              if (error === null || error === undefined) resolve();
              else reject(error);
            });
          }),
      );
      await Promise.all(sent);
    },
    subscribers: () => sockets.size,
    backlog: () => backlog,
    frames: () => frames,
  };
}
