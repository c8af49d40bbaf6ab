/** The real load balancer, from $GOBETWEEN_BIN, on a port of its own and with an empty configuration. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const gobetweenBin = process.env['GOBETWEEN_BIN'] ?? '';

export interface RealGobetween {
  readonly url: string;
  post(name: string, body: string): Promise<{ readonly status: number; readonly text: string }>;
  get(name: string): Promise<unknown>;
  remove(name: string): Promise<void>;
  alive(): boolean;
  stop(): Promise<void>;
}

export async function startGobetween(): Promise<RealGobetween> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'gobetween-'));
  const config = join(folder, 'config.json');
  const bind = `127.0.0.1:${port}`;
  writeFileSync(
    config,
    JSON.stringify({ logging: { level: 'error', output: 'stdout' }, api: { enabled: true, bind } }),
  );
  const child = spawn(gobetweenBin, ['from-file', config, '-f', 'json'], { stdio: 'ignore' });
  const url = `http://${bind}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(`${url}/ping`).catch(() => null);
    if (answer?.ok === true) break;
    await pause(50);
  }
  const at = (name: string): string => `${url}/servers/${encodeURIComponent(name)}`;
  return {
    url,
    async post(name, body) {
      const answer = await fetch(at(name), { method: 'POST', body });
      return { status: answer.status, text: await answer.text() };
    },
    get: async (name) => (await fetch(at(name))).json(),
    async remove(name) {
      await fetch(at(name), { method: 'DELETE' });
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      await exited(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
