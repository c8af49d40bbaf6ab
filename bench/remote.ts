/**
 * A part of a bench in a process of its own: calls by name over IPC, values back. Invariants: a child ends when its parent
 * does, however that ends; and one that ends by itself ends the bench, for nobody would hear of it from the others.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

type Methods = Readonly<Record<string, (argument: never) => unknown>>;
type Result<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;
type Argument<F> = F extends (argument: infer A) => unknown ? A : undefined;

export interface Remote<M> {
  readonly pid: number;
  call<K extends keyof M & string>(
    name: K,
    ...argument: Argument<M[K]> extends undefined
      ? []
      : unknown extends Argument<M[K]>
        ? []
        : [Argument<M[K]>]
  ): Promise<Result<M[K]>>;
  /** Ends the process. */
  end(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument?: unknown;
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A call that takes longer has lost its way. */
const CALL_MS = 600_000;

/** In the child: answers calls. */
export function serve(methods: Methods): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (question: Question) => {
    void answer(methods, question).then((reply) => process.send?.(reply));
  });
}

async function answer(methods: Methods, { id, name, argument }: Question): Promise<Reply> {
  try {
    const method = methods[name] as ((argument: unknown) => unknown) | undefined;
    if (method === undefined) throw new Error(`no method ${name}`);
    return { id, value: await method(argument) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** In the parent: starts `file` (compiled, below bench/). */
export function startRemote<M>(file: string, execArgv: readonly string[] = []): Remote<M> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    execArgv: [...execArgv],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let isWanted = false;
  const overdue = (name: string): Error =>
    new Error(`${file}: ${name} did not answer in ${CALL_MS / 60_000} min`);
  child.on('message', ({ id, value, error }: Reply) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new Error(`${file}: ${error}`));
  });
  child.on('exit', (code, signal) => {
    if (isWanted) return;
    process.stderr.write(`${file} ended by itself (${code ?? signal})\n`);
    process.exit(1);
  });
  return {
    pid: child.pid ?? 0,
    call: (name, ...[argument]) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        const timer = setTimeout(() => reject(overdue(name)), CALL_MS);
        waiting.set(lastId, {
          resolve: (value) => {
            clearTimeout(timer);
            resolve(value as never);
          },
          reject: (error) => {
            clearTimeout(timer);
            reject(error);
          },
        });
        child.send({ id: lastId, name, argument } satisfies Question, (error) => {
          if (error !== null) reject(error);
        });
      }),
    end() {
      isWanted = true;
      return endOf(child);
    },
  };
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
