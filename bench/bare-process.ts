/**
 * The bare loops that are the limits, in a process of their own: bodies made before are posted by undici alone, frames are
 * split and parsed by JSON.parse alone.
 */
import { connect } from 'node:net';
import { Pool } from 'undici';
import { type Fixture, firstState, serversOf } from './fixture.js';
import { nowMs } from './machine-clock.js';
import { serve } from './remote.js';

export type BareProcess = typeof methods;

const methods = {
  /** Posts the servers of the whole fixture over so many connections; milliseconds. */
  async post({
    fixture,
    url,
    connections,
  }: {
    readonly fixture: Fixture;
    readonly url: string;
    readonly connections: number;
  }) {
    const servers = Array.from({ length: fixture.services }, (_, service) =>
      serversOf(fixture, service, firstState(fixture, service)),
    ).flat();
    const pool = new Pool(url, { connections, pipelining: 1 });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    let next = 0;
    const startedAt = nowMs();
    const worker = async (): Promise<void> => {
      for (;;) {
        const server = servers[next];
        next += 1;
        if (server === undefined) return;
        const path = `/servers/${encodeURIComponent(server.name)}`;
        const answer = await pool.request({ method: 'POST', path, body: server.body, headers });
        const text = await answer.body.text();
        if (answer.statusCode !== 200) throw new Error(`${server.name}: ${text}`);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    const ms = nowMs() - startedAt;
    await pool.destroy();
    return ms;
  },
  /** Follows the agent's events: splits at NUL and parses each frame, or only splits. */
  follow({ socketPath, parse }: { readonly socketPath: string; readonly parse: boolean }) {
    const socket = connect({ path: socketPath });
    socket.write('{"action":"events"}\0');
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(0, from);
        if (end < 0) break;
        const piece = chunk.subarray(from, end);
        const frame = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
        rest = Buffer.alloc(0);
        from = end + 1;
        frames += 1;
        if (parse) parsed = JSON.parse(frame.toString('utf8'));
      }
      rest = rest.length === 0 ? chunk.subarray(from) : Buffer.concat([rest, chunk.subarray(from)]);
    });
  },
  frames: () => frames,
  /** The last frame, so that parsing it was not for nothing. */
  last: () => JSON.stringify(parsed).length,
};
let frames = 0;
let parsed: unknown = null;
serve(methods);
