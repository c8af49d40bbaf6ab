/**
 * Durations of the settings, written as Go writes them: people who operate GoBetween type `1m30s` and `200ms`.
 * Invariant: a parsed duration is a number of milliseconds that a timer can wait for (0 to about 24 days).
 */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest wait of a timer: beyond it the system would wait for 1 ms. */
const longestMs = 2 ** 31 - 1;

/** Milliseconds of a Go duration (`0`, `200ms`, `1m30s`, `1.5h`), or null. A number without a unit, but `0`, is none. */
export function parseDurationMs(text: string): number | null {
  if (/^\+?0$/.test(text)) return 0;
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) {
    totalMs += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return totalMs <= longestMs ? totalMs : null;
}

/** The shortest usual spelling: `90000` is `1m30s`, `200` is `200ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
}
