/** Signals as callbacks. The first SIGTERM or SIGINT asks politely, the second ends the process at once. */
import type { Io } from './io.js';

export interface SignalHandlers {
  readonly stop: () => void;
  /** SIGHUP; without it a hang-up stops, as it would without us. */
  readonly reload?: () => void;
}

/** Exit codes of a process that a signal ended, as shells show them. */
const ENDED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Returns the function that stops listening. */
export function onSignals(io: Io, handlers: SignalHandlers): () => void {
  let asked = false;
  const stop = (signal: keyof typeof ENDED): void => {
    if (asked) process.exit(ENDED[signal]);
    asked = true;
    handlers.stop();
  };
  const offs = [
    io.onSignal('SIGTERM', () => stop('SIGTERM')),
    io.onSignal('SIGINT', () => stop('SIGINT')),
    io.onSignal('SIGHUP', handlers.reload ?? (() => stop('SIGHUP'))),
  ];
  return () => {
    for (const off of offs) off();
  };
}
