/**
 * Copies bytes between a client and a backend. Either end closing closes both, at once; an idle direction closes both.
 * Source: server/tcp/proxy.go. Its counter is copied with its fault: once a second each direction reports its last
 * bytes *again* while nothing new comes, so an idle connection that ever carried bytes counts as traffic for ever.
 */
import type { Socket } from 'node:net';
import type { Runtime } from './runtime.js';

export interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  /** 0: never. */
  readonly idleMs: number;
  readonly report: (bytes: number) => void;
}

const PUSH_MS = 1000;

/** Runs both directions; `ended` is called once, when both sockets are closed. */
export function proxy(
  runtime: Runtime,
  directions: readonly [Direction, Direction],
  ended: () => void,
): void {
  let open = directions.length;
  for (const direction of directions) {
    copy(runtime, direction, () => {
      open--;
      if (open === 0) ended();
    });
  }
}

function copy(runtime: Runtime, { from, to, idleMs, report }: Direction, ended: () => void): void {
  let unreported = 0;
  let flushed = false;
  let cancelIdle = (): void => undefined;
  const armIdle = (): void => {
    if (idleMs <= 0) return;
    cancelIdle();
    cancelIdle = runtime.after(idleMs, closeBoth);
  };
  const push = (): void => {
    if (unreported > 0) report(unreported);
    flushed = true;
    cancelPush = runtime.after(PUSH_MS, push);
  };
  let cancelPush = runtime.after(PUSH_MS, push);

  function closeBoth(): void {
    // What was written is still sent, then FIN.
    to.destroySoon();
    from.destroy();
  }

  function forward(chunk: Buffer): void {
    if (to.destroyed || from.destroyed) return;
    unreported = flushed ? chunk.length : unreported + chunk.length;
    flushed = false;
    armIdle();
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => runtime.run(() => from.resume()));
  }

  from.on('data', (chunk: Buffer) => {
    if (!runtime.hung) return forward(chunk);
    from.pause();
    runtime.run(() => {
      forward(chunk);
      if (!to.writableNeedDrain) from.resume();
    });
  });
  from.on('end', () => runtime.run(closeBoth));
  from.on('error', () => undefined);
  from.on('close', () => {
    runtime.run(() => {
      cancelIdle();
      cancelPush();
      if (!flushed && unreported > 0) report(unreported);
      to.destroySoon();
      ended();
    });
  });
  armIdle();
  from.resume();
}
