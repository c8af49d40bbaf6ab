/** Who waits until nothing is left to do. Invariant: all are told at the first `settle` at which it holds, none twice. */
export interface Idlers {
  /** Resolves when `isIdle` held at a `settle`, or does now. */
  wait(): Promise<void>;
  /** Something ended or changed. */
  settle(): void;
}

export function createIdlers(isIdle: () => boolean): Idlers {
  const waiting: (() => void)[] = [];

  function settle(): void {
    if (waiting.length === 0 || !isIdle()) return;
    for (const resolve of waiting.splice(0)) resolve();
  }

  return {
    wait() {
      const told = new Promise<void>((resolve) => waiting.push(resolve));
      settle();
      return told;
    },
    settle,
  };
}
