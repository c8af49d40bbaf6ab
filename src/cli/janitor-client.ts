/**
 * Asks the running janitor of this machine: over its control socket if that can be opened, else over its page. Invariant:
 * who cannot be asked is said in one line that names both ways; orders go over the control socket only (SPEC §8).
 */
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { fail, ok, type Result } from '../errors.js';
import type { Settings } from '../settings/settings.js';

export interface JanitorClient {
  /** The answer of the API as JSON. */
  get<T>(path: string): Promise<Result<T>>;
  /** Any answer, as it is. */
  text(path: string): Promise<Result<string>>;
  /** A verb; the value is what the janitor says of it. */
  order(path: string): Promise<Result<string>>;
  /** The live stream, event by event, until it ends or `signal` aborts; the value is why it ended. */
  follow(
    path: string,
    onEvent: (name: string, data: unknown) => void,
    signal: AbortSignal,
  ): Promise<Result<string>>;
}

interface Way {
  readonly name: string;
  readonly options: RequestOptions;
}

const patienceMs = 15_000;

export function createJanitorClient(settings: Pick<Settings, 'control' | 'listen'>): JanitorClient {
  const control: Way[] =
    settings.control === null ? [] : [{ name: settings.control, options: { socketPath: settings.control } }];
  const page: Way[] = settings.listen === null ? [] : [pageWay(settings.listen)];

  /** The first way that can be opened. */
  async function open(ways: readonly Way[], method: string, path: string): Promise<Result<IncomingMessage>> {
    const troubles: string[] = [];
    for (const { name, options } of ways) {
      const answer = await send({ ...options, method, path });
      if (answer.ok) return answer;
      troubles.push(`${name} (${answer.failure.message})`);
    }
    const message =
      troubles.length === 0
        ? 'nowhere to ask: neither --control nor --listen is on; give those of the running janitor'
        : `no running janitor answers at ${troubles.join(' nor at ')}; is "gobtw-janitor run" running here, with the same --control and --listen?`;
    return fail({ code: 'janitor-unreachable', retry: 'soon', message });
  }

  async function text(ways: readonly Way[], method: string, path: string): Promise<Result<string>> {
    const answer = await open(ways, method, path);
    if (!answer.ok) return answer;
    const body = await readAll(answer.value);
    const status = answer.value.statusCode ?? 0;
    if (status === 200) return ok(body);
    return fail({ code: 'janitor-refused', retry: 'no', message: errorOf(body) ?? `HTTP ${status}` });
  }

  const json = <T>(answer: Result<string>): Result<T> =>
    answer.ok ? ok(JSON.parse(answer.value) as T) : answer;

  return {
    text: (path) => text([...control, ...page], 'GET', path),
    async get<T>(path: string) {
      return json<T>(await text([...control, ...page], 'GET', path));
    },
    async order(path) {
      const answer = json<{ message: string }>(await text(control, 'POST', path));
      return answer.ok ? ok(answer.value.message) : answer;
    },
    async follow(path, onEvent, signal) {
      const answer = await open([...control, ...page], 'GET', path);
      if (!answer.ok) return answer;
      const stop = (): void => void answer.value.destroy();
      signal.addEventListener('abort', stop, { once: true });
      await readEvents(answer.value, onEvent);
      signal.removeEventListener('abort', stop);
      return ok(signal.aborted ? 'stopped' : 'the janitor ended the stream');
    },
  };
}

function pageWay({ addr, port }: { readonly addr: string; readonly port: number }): Way {
  // A wildcard listens on loopback too.
  const host = addr === '0.0.0.0' ? '127.0.0.1' : addr === '::' ? '::1' : addr;
  return { name: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, options: { host, port } };
}

function send(options: RequestOptions): Promise<Result<IncomingMessage>> {
  return new Promise((resolve) => {
    const failed = (why: string): void =>
      resolve(fail({ code: 'janitor-unreachable', retry: 'soon', message: why }));
    const outgoing = request({ ...options, agent: false, timeout: patienceMs }, (response) => {
      outgoing.setTimeout(0);
      resolve(ok(response));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.end();
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += chunk as string;
  return body;
}

/** The frames of text/event-stream; a connection that breaks ends them. */
async function readEvents(
  response: IncomingMessage,
  onEvent: (name: string, data: unknown) => void,
): Promise<void> {
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response) {
      const frames = (rest + (chunk as string)).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const match = /^event: (.+)\ndata: (.+)$/.exec(frame);
        if (match !== null) onEvent(match[1] ?? '', JSON.parse(match[2] ?? 'null'));
      }
    }
  } catch {
    // Cut: the caller says so.
  }
}

function errorOf(body: string): string | null {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown };
    return typeof error === 'string' ? error : null;
  } catch {
    return null;
  }
}
