/** Signals as callbacks. The first SIGTERM or SIGINT asks politely, the second ends the process at once. */
export interface SignalHandlers {
  readonly stop: () => void;
  /** SIGHUP; without it a hang-up stops, as it would without us. */
  readonly reload?: () => void;
}

/** Exit codes of a process that a signal ended, as shells show them. */
const ENDED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Returns the function that stops listening. */
export function onSignals(handlers: SignalHandlers): () => void {
  let asked = false;
  const stop = (signal: keyof typeof ENDED): void => {
    if (asked) process.exit(ENDED[signal]);
    asked = true;
    handlers.stop();
  };
  const hangUp = handlers.reload ?? stop;
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', hangUp);
  return () => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    process.off('SIGHUP', hangUp);
  };
}
