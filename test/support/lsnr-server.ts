/** A unix socket on which a test plays the agent: it sees each request and answers with whatever bytes it likes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SeenRequest {
  readonly action: string;
  readonly method?: string;
  readonly node?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface LsnrServer {
  readonly path: string;
  readonly requests: SeenRequest[];
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>;
  /** True if a client ever closed its writing half before the answer: an agent takes that for the end. */
  halfClosed: boolean;
  close(): Promise<void>;
}

/** They outlive their servers: some tests start another one in the place of the first. */
const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lsnr-'));
  folders.push(folder);
  return folder;
}

/** `answer` is called once per connection, with the request that came before the first NUL. */
export async function startLsnrServer(
  answer: (request: SeenRequest, socket: Socket) => void,
  path = join(temporaryFolder(), 'lsnr.sock'),
): Promise<LsnrServer> {
  const open = new Set<Socket>();
  const requests: SeenRequest[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    let text = '';
    let asked = false;
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      const end = text.indexOf('\0');
      if (end === -1 || asked) return;
      asked = true;
      const request = JSON.parse(text.slice(0, end)) as SeenRequest;
      requests.push(request);
      answer(request, socket);
    });
    socket.on('end', () => {
      if (!socket.writableEnded) result.halfClosed = true;
      socket.end();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const result: LsnrServer = {
    path,
    requests,
    open,
    halfClosed: false,
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) =>
        server.close(() => {
          rmSync(path, { force: true });
          resolve();
        }),
      );
    },
  };
  return result;
}

/** Answers as the agent does: the document, NUL, and the end of the connection. */
export function reply(socket: Socket, body: unknown): void {
  socket.end(`${JSON.stringify(body)}\0`);
}

/** Waits for a condition that real sockets bring about; fails loudly after two seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const startedAt = performance.now();
  while (!condition()) {
    if (performance.now() - startedAt > 2000) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
