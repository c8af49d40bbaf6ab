/**
 * One request to a v2.1 agent over its raw unix socket: JSON and NUL out, JSON and NUL back, then the agent closes.
 * Invariants: one request per connection; never half-closed (the agent takes that for the end); every call ends within its
 * time-out; no failure message holds any of an answer but its `error` text (an answer may hold the cluster's secret).
 * Source: reference/opensvc-v2-protocol.md §2.
 */
import { connect, type Socket } from 'node:net';
import { type BodyBytes, createBodyBytes, createSharedBytes } from '../body-bytes.js';
import type { Clock } from '../clock.js';
import { fail, ok, type Failure, type Result } from '../errors.js';
import { MAX_FRAME_BYTES } from './frames.js';
import { readAnswer, type LsnrAnswer } from './lsnr-answers.js';

export interface LsnrRequest {
  readonly action: string;
  readonly method?: 'GET' | 'POST';
  /** `ANY`: a node that has the object answers; the answer then comes wrapped in `nodes`, which is taken off here. */
  readonly node?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface LsnrClient {
  /**
   * Failures: agent-unreachable (nothing was sent), agent-timeout, agent-closed (no complete answer), agent-too-large,
   * agent-not-json, unknown-object, agent-error.
   */
  request(request: LsnrRequest): Promise<Result<LsnrAnswer>>;
  /**
   * The bytes of a large answer, in shared memory that the next such request uses again: one at a time. Failures: those of
   * `request` that are not about what the answer says.
   */
  requestBytes(request: LsnrRequest): Promise<Result<Uint8Array>>;
  /** Ends the requests in flight (agent-closed) and refuses new ones. */
  close(): void;
}

export interface LsnrClientOptions {
  readonly clock: Clock;
  /** The socket's path; `fresh` means that the present one may have become wrong. */
  readonly locate: (fresh: boolean) => Promise<Result<string>>;
  readonly timeoutMs: number;
  /** @default 64 MiB */
  readonly maxBytes?: number;
}

const failure = (code: string, message: string): Failure => ({ code, retry: 'backoff', message });

export function encodeRequest(request: LsnrRequest): string {
  return `${JSON.stringify(request)}\0`;
}

/** The failure of a socket that could not be connected, or broke: `error.code` is the system's (ECONNREFUSED, …). */
export function socketFailure(path: string, error: NodeJS.ErrnoException, connected: boolean): Failure {
  const reason = error.code ?? error.message;
  if (connected) return failure('agent-closed', `${path}: the connection broke (${reason})`);
  return failure(
    'agent-unreachable',
    `${path}: ${reason}: ${connectReasons[reason] ?? 'cannot be connected'}`,
  );
}

const connectReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; check that the agent runs, and --socket',
  ECONNREFUSED: 'nobody answers on this socket; check that the agent runs',
  EACCES: 'permission denied; run this as root, or in the group that may write to the socket',
};

/** Empty frames before an answer are none. */
function leadingNuls(chunk: Buffer): number {
  let at = 0;
  while (chunk[at] === 0) at += 1;
  return at;
}

export function createLsnrClient(options: LsnrClientOptions): LsnrClient {
  const { clock, locate, timeoutMs, maxBytes = MAX_FRAME_BYTES } = options;
  const live = new Set<Socket>();
  const large = createSharedBytes(maxBytes);
  let closed = false;

  async function send(message: LsnrRequest, answer: BodyBytes): Promise<Result<Uint8Array>> {
    if (closed) return fail(failure('agent-closed', 'the source is closed'));
    const located = await locate(false);
    return located.ok ? exchange(located.value, encodeRequest(message), answer) : located;
  }

  function exchange(path: string, text: string, answer: BodyBytes): Promise<Result<Uint8Array>> {
    return new Promise((resolve) => {
      const socket = connect({ path });
      let connected = false;
      live.add(socket);
      const cancel = clock.after(timeoutMs, () =>
        settle(fail(failure('agent-timeout', `no answer within ${timeoutMs} ms`))),
      );

      function settle(result: Result<Uint8Array>): void {
        cancel();
        live.delete(socket);
        socket.destroy();
        resolve(result);
      }

      socket.on('connect', () => {
        connected = true;
        socket.write(text);
      });
      socket.on('data', (chunk) => {
        const from = answer.length === 0 ? leadingNuls(chunk) : 0;
        const end = chunk.indexOf(0, from);
        if (!answer.append(chunk.subarray(from, end === -1 ? undefined : end))) {
          settle(fail(failure('agent-too-large', `the answer is larger than ${maxBytes} bytes`)));
        } else if (end !== -1) settle(ok(answer.bytes));
      });
      socket.on('error', (error) => settle(fail(socketFailure(path, error, connected))));
      socket.on('close', () =>
        settle(
          fail(failure('agent-closed', 'the agent closed the connection before its answer was complete')),
        ),
      );
    });
  }

  return {
    async request(message) {
      const answer = await send(message, createBodyBytes(maxBytes));
      if (!answer.ok) return answer;
      return readAnswer(Buffer.from(answer.value).toString('utf8'), message.node !== undefined);
    },
    requestBytes(message) {
      large.begin();
      return send(message, large);
    },
    close() {
      closed = true;
      for (const socket of live) socket.destroy();
    },
  };
}
