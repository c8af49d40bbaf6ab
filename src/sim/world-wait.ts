/** Waiting for something that will be true soon. */
const PAUSE_MS = 50;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until the answer is yes; false when it was not within `withinMs`. Asks at least once. */
export async function until(ask: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() >= deadline) return false;
    await pause(PAUSE_MS);
  }
}
