/** The machine's monotonic clock in milliseconds: the same in every process, so that times of two of them can be compared. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again each `everyMs` until it holds; an error when `withinMs` are over. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { withinMs = 120_000, everyMs = 20 } = {},
): Promise<void> {
  const deadline = nowMs() + withinMs;
  while (!(await holds())) {
    if (nowMs() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await pause(everyMs);
  }
}
